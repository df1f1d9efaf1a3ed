using System.Collections.Immutable;

namespace Slipway.Server.Api;

/// <summary>Who calls, proven by a token, and what it may do.</summary>
/// <param name="Id">Stable, such as <c>user:3f2a…</c>; what the ledger names.</param>
/// <param name="Name">For people.</param>
/// <param name="Groups">What approvals are counted by.</param>
/// <param name="Keys">Ids of the signing keys that are this person's.</param>
/// <param name="Grants">Each a permission over one model, or over all with <see cref="Grant.AllModels"/>.</param>
internal sealed record Caller(
    string Id, string Name, ImmutableArray<string> Groups, ImmutableArray<string> Keys, ImmutableArray<Grant> Grants)
{
    /// <param name="model">Null asks for the permission over all models.</param>
    public bool May(Permission permission, string? model) =>
        permission == Permission.Anyone || Grants.Any(grant => grant.Permission == permission && (grant.Model == Grant.AllModels || grant.Model == model));

    /// <summary>Whether it may do so for at least one model.</summary>
    public bool MaySomewhere(Permission permission) => Grants.Any(grant => grant.Permission == permission);
}

internal sealed record Grant(Permission Permission, string Model)
{
    public const string AllModels = "*";
}
