using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>What each role may do: the one place where that is said.</summary>
/// <remarks>
/// An administrator administers, and neither pushes nor approves nor releases: whoever should do so as well is granted that role too,
/// and the ledger shows it.
/// </remarks>
internal static class RoleTable
{
    public static ImmutableArray<Permission> Of(Role role) => role switch
    {
        Role.Viewer => [Permission.Read, Permission.Fetch],
        Role.Author => [Permission.Read, Permission.Fetch, Permission.Push, Permission.Promote, Permission.Label],
        Role.Approver => [Permission.Read, Permission.Fetch, Permission.Approve],
        Role.Operator => [Permission.Read, Permission.Fetch, Permission.Promote, Permission.Operate, Permission.Label],
        Role.Admin => [Permission.Read, Permission.Fetch, Permission.Administer],
        Role.Gateway => [Permission.Gateway, Permission.Fetch],
        _ => [],
    };

    public static ImmutableArray<Grant> Expand(IEnumerable<RoleGrant> roles) =>
        [.. roles.SelectMany(role => Of(role.Role).Select(permission => new Grant(permission, role.Model))).Distinct()];

    /// <summary>What both of two lists of roles allow, as roles: how a token's scope narrows its principal.</summary>
    public static ImmutableArray<RoleGrant> Narrow(ImmutableArray<RoleGrant> roles, ImmutableArray<RoleGrant> scope) =>
        scope.IsEmpty ? roles :
        [
            .. (from role in roles
                from narrower in scope
                where role.Role == narrower.Role && (role.Model == narrower.Model || role.Model == RoleGrant.AllModels || narrower.Model == RoleGrant.AllModels)
                select role.Model == RoleGrant.AllModels ? narrower : role).Distinct(),
        ];
}
