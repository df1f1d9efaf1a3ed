using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>There is always somebody who can administer. Those that are so by an identity provider's groups do not count: it may be unreachable.</summary>
internal static class Administrators
{
    public static bool IsOne(Principal principal) => !principal.Disabled && principal.Roles.Contains(new RoleGrant(Role.Admin, RoleGrant.AllModels));

    /// <summary>Call it in the change, before <paramref name="after"/> is stored.</summary>
    /// <exception cref="ApiProblem">Nobody else is one (409).</exception>
    public static async Task RequireOneAsync(Session session, Principal before, Principal after)
    {
        if (!IsOne(before) || IsOne(after))
            return;
        var all = await PrincipalTable.ListAsync(session);
        if (!all.Any(other => other.Id != before.Id && IsOne(other)))
            throw ApiProblem.Conflict("last-admin", $"{before.Name} is the last administrator of all models", "make another one first: slipway access grant NAME admin");
    }
}
