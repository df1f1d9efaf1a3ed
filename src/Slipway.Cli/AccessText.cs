using System.Globalization;
using Slipway.Documents.Access;

namespace Slipway.Cli;

/// <summary>Principals, tokens and keys as people read them.</summary>
internal static class AccessText
{
    public static void Tell(Shell shell, Identity identity)
    {
        shell.Out.WriteLine($"you are   {identity.Name} ({identity.Id})");
        shell.Out.WriteLine($"may be    {Roles(identity.Roles)}");
        if (!identity.Groups.IsEmpty)
            shell.Out.WriteLine($"groups    {string.Join(", ", identity.Groups)}");
        if (identity.Expires is { } expires)
            shell.Out.WriteLine($"until     {Day(expires)}");
    }

    public static void Tell(Shell shell, Principal principal) => shell.Out.WriteLine(
        $"{principal.Id}  {principal.Name}{(principal.Kind == PrincipalKind.Service ? " (service)" : "")}{(principal.Disabled ? ", disabled" : "")}: {Roles(principal.Roles)}{(principal.Groups.IsEmpty ? "" : $"; groups {string.Join(", ", principal.Groups)}")}");

    public static void Tell(Shell shell, ApiToken token, string whose) => shell.Out.WriteLine(
        $"{token.Id}  {whose}{token.Label}: {State(token)}{(token.Scope.IsEmpty ? "" : $"; only {Roles(token.Scope)}")}; last used {(token.LastUsedAt is { } used ? Day(used) : "never")}");

    public static void Tell(Shell shell, TrustedKey key, string? owner) => shell.Out.WriteLine(
        $"{key.Id[..12]}  {key.Name}: {string.Join(", ", key.Roles.Select(role => role.ToString().ToLowerInvariant()))}{(owner is null ? "" : $", of {owner}")}{(key.Revoked is { } revoked ? $"; revoked {Day(revoked.At)}: {revoked.Reason}" : "")}");

    public static string Roles(IReadOnlyCollection<RoleGrant> roles) =>
        roles.Count == 0 ? "nothing" : string.Join(", ", roles.Select(role => role.Model == RoleGrant.AllModels ? $"{Name(role.Role)} of all models" : $"{Name(role.Role)} of {role.Model}"));

    public static string Day(long time) => DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Name(Role role) => role.ToString().ToLowerInvariant();

    private static string State(ApiToken token) => token.RevokedAt is { } revoked ? $"revoked {Day(revoked)}" : $"until {Day(token.ExpiresAt)}";
}
