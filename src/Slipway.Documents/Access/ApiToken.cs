using System.Collections.Immutable;

namespace Slipway.Documents.Access;

/// <summary>What is known of an API token; the token itself was shown once, and only its hash is kept.</summary>
/// <param name="Id">Such as <c>tok-5d1e…</c>; no secret.</param>
/// <param name="Principal">Whom it proves.</param>
/// <param name="Scope">Narrows what the principal may do with it; empty for all that the principal may.</param>
/// <param name="CreatedAt">Unix milliseconds, as all times here.</param>
/// <param name="CreatedBy">Principal that made it.</param>
/// <param name="KnownTo">
/// Others than the principal that have held it, or the token that it was made with: an administrator who makes a token for somebody could
/// act as them with it. Of one that its holder made, and an administrator enrolled by its hash, nobody.
/// </param>
/// <param name="MadeWith">The token that the maker called with; null for another proof.</param>
/// <param name="LastUsedAt">To the hour; null when it was never used.</param>
public sealed record ApiToken(
    string Id,
    string Principal,
    string Label,
    ImmutableArray<RoleGrant> Scope,
    long CreatedAt,
    string CreatedBy,
    ImmutableArray<string> KnownTo,
    string? MadeWith,
    long ExpiresAt,
    long? LastUsedAt,
    long? RevokedAt);

/// <param name="Principal">For whom; null for the caller.</param>
/// <param name="Days">Until it expires: 1 to <see cref="MostDays"/>.</param>
public sealed record NewToken(string? Principal, string Label, ImmutableArray<RoleGrant> Scope, int Days, string Reason) : IChangeRequest
{
    public const int DefaultDays = 90, MostDays = 366;

    /// <summary>SHA-256 of a token that its holder made, as 64 hex digits: whoever enrols it has never held it. Null for one that the server makes.</summary>
    public string? Hash { get; init; }
}

/// <param name="Secret">The token: shown here, and never again. Empty for one that its holder made.</param>
public sealed record IssuedToken(string Secret, ApiToken Token);

/// <param name="AndMadeWithIt">Also those that were made with it, and with those: for a token that was stolen.</param>
public sealed record RevokeToken(bool AndMadeWithIt, string Reason) : IChangeRequest;

/// <param name="Revoked">Ids; empty where it had been revoked before.</param>
/// <param name="MadeWithIt">Ids of those in force that were made with it, directly or not.</param>
public sealed record RevokedTokens(ImmutableArray<string> Revoked, ImmutableArray<string> MadeWithIt);

/// <summary>A change that needs no more than its reason.</summary>
public sealed record ReasonOnly(string Reason) : IChangeRequest;
