using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>What people write into access documents, checked.</summary>
internal static class Checks
{
    /// <summary>Of groups, of roles and of a token's scope: far more than anybody has, and few enough to read at each call.</summary>
    private const int MostEntries = 100;

    /// <exception cref="ApiProblem">Empty, too long or not printable (400).</exception>
    public static void Name(string key, string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > Principal.LongestName || name.Any(char.IsControl) || name.Trim().Length != name.Length)
            throw ApiProblem.Malformed("bad-name", $"{key} is '{new string([.. name.Take(Principal.LongestName).Where(c => !char.IsControl(c))])}', allowed are 1 to {Principal.LongestName} characters without control characters, and no space at either end");
    }

    public static void Groups(string key, ImmutableArray<string> groups)
    {
        Few(key, groups.Length);
        foreach (var group in groups)
            Name(key, group ?? "");
    }

    public static void Roles(string key, ImmutableArray<RoleGrant> roles)
    {
        Few(key, roles.Length);
        foreach (var role in roles)
        {
            if (!role.IsValid)
                throw ApiProblem.Malformed("bad-role", $"{key} holds '{role}', allowed are viewer, author, approver, operator, admin and gateway over a model's name or {RoleGrant.AllModels} for all");
        }
    }

    private static void Few(string key, int count)
    {
        if (count > MostEntries)
            throw ApiProblem.Malformed("too-many", $"{key} has {count} entries, allowed are {MostEntries}");
    }
}
