using System.Collections.Immutable;
using Slipway.Documents.Access;

namespace Slipway.Server.Api;

/// <summary>Who calls, proven by a token, and what it may do.</summary>
/// <param name="Id">Stable, such as <c>user:3f2a…</c>; what the ledger names.</param>
/// <param name="Name">For people.</param>
/// <param name="Groups">What approvals are counted by.</param>
/// <param name="Keys">Ids of the signing keys that are this person's, revoked ones too.</param>
/// <param name="Grants">Each a permission over one model, or over all with <see cref="Grant.AllModels"/>.</param>
internal sealed record Caller(
    string Id, string Name, ImmutableArray<string> Groups, ImmutableArray<string> Keys, ImmutableArray<Grant> Grants)
{
    /// <summary>Who shows no token.</summary>
    public static Caller Nobody { get; } = new("nobody", "nobody", [], [], []);

    /// <summary>A program never approves.</summary>
    public PrincipalKind Kind { get; init; }

    /// <summary>Where <see cref="Grants"/> come from: the principal's roles, within the scope of the token.</summary>
    public ImmutableArray<RoleGrant> Roles { get; init; } = [];

    /// <summary>Null for an identity provider's token, and for callers that need none.</summary>
    public ApiToken? Token { get; init; }

    /// <summary>What an identity provider said; null for the server's own tokens.</summary>
    public ProvidedRights? Provided { get; init; }

    /// <summary>When the proof ends, Unix milliseconds; null where it ends with the process.</summary>
    public long? Expires { get; init; }

    /// <summary>
    /// Other principals that this call may come from, since they have held its token: an administrator who made it, and whoever held
    /// the token that it was made with. Who may not approve something may not do so by such a token either.
    /// </summary>
    public ImmutableArray<string> MayBe => Token?.KnownTo ?? [];

    /// <param name="model">Null asks for the permission over all models.</param>
    public bool May(Permission permission, string? model) =>
        permission == Permission.Anyone
        || permission == Permission.SignedIn && this != Nobody
        || Grants.Any(grant => grant.Permission == permission && (grant.Model == Grant.AllModels || grant.Model == model));

    /// <summary>Whether it may do so for at least one model.</summary>
    public bool MaySomewhere(Permission permission) => May(permission, null) || Grants.Any(grant => grant.Permission == permission);

    /// <summary>The models that it may do so for; null for all.</summary>
    public IReadOnlyCollection<string>? ModelsOf(Permission permission) =>
        May(permission, null) ? null : Grants.Where(grant => grant.Permission == permission).Select(grant => grant.Model).ToHashSet();
}

/// <summary>Groups and roles that an identity provider's token gives, beside those that are granted here.</summary>
internal sealed record ProvidedRights(ImmutableArray<string> Groups, ImmutableArray<RoleGrant> Roles);

internal sealed record Grant(Permission Permission, string Model)
{
    public const string AllModels = "*";
}
