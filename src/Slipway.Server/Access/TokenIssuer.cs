using System.Collections.Immutable;
using System.Security.Cryptography;
using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>Makes and revokes API tokens.</summary>
internal static class TokenIssuer
{
    /// <summary>Tokens in force of one principal. A script that makes one at each run finds out before the table grows without bound.</summary>
    public const int MostInForce = 100;

    /// <param name="owner">Whom it will prove.</param>
    public static async Task<IssuedToken> IssueAsync(Session session, LedgerWriter ledger, Caller maker, Principal owner, NewToken wanted, long now)
    {
        Checks.Name("label", wanted.Label);
        Checks.Roles("scope", wanted.Scope);
        if (wanted.Days is < 1 or > NewToken.MostDays)
            throw ApiProblem.Malformed("bad-days", $"days is {wanted.Days}, allowed are 1 to {NewToken.MostDays}");
        var inForce = (await TokenTable.ListAsync(session, owner.Id)).Count(token => token.RevokedAt is null && token.ExpiresAt > now);
        if (inForce >= MostInForce)
            throw ApiProblem.Conflict("too-many-tokens", $"{owner.Name} has {inForce} tokens in force, allowed are {MostInForce}", "revoke some with `slipway access token revoke`");
        var secret = wanted.Hash is null ? TokenSecret.Create() : null;
        var hash = secret?.Hash ?? await CheckHashAsync(session, wanted.Hash!);
        var token = new ApiToken(
            "tok-" + RandomNumberGenerator.GetHexString(16, lowercase: true),
            owner.Id,
            wanted.Label,
            wanted.Scope,
            now,
            maker.Id,
            // The server itself has no will of its own, and forgets what it printed. Who enrols another's token has never seen it.
            [.. maker.MayBe.Append(maker.Id).Where(id => id != owner.Id && id != LedgerWriter.Server.Id && !(secret is null && owner.Id != maker.Id)).Distinct().Order(StringComparer.Ordinal)],
            maker.Token?.Id,
            now + (long)TimeSpan.FromDays(wanted.Days).TotalMilliseconds,
            LastUsedAt: null,
            RevokedAt: null);
        await ledger.RecordAsync(session, maker, secret is null ? "token.enrolled" : "token.issued", [Subjects.Of(token)], wanted.Reason, Subjects.Data(token, AccessJson.Default.ApiToken));
        await TokenTable.AddAsync(session, token, hash);
        return new IssuedToken(secret?.Text ?? "", token);
    }

    private static async Task<string> CheckHashAsync(Session session, string hash)
    {
        if (!TokenSecret.IsHash(hash))
            throw ApiProblem.Malformed("bad-hash", "hash is allowed to be 64 hex digits: what `slipway access token make` prints beside the token, never the token itself");
        if (await TokenTable.IsKnownAsync(session, hash))
            throw ApiProblem.Conflict("token-known", "a token with this hash was enrolled before", "make another with `slipway access token make`");
        return hash;
    }

    /// <returns>Ids of what was revoked: none where it had been before.</returns>
    public static async Task<ImmutableArray<string>> RevokeAsync(Session session, LedgerWriter ledger, Caller caller, ApiToken token, RevokeToken wanted, long now)
    {
        var family = await TokenTable.FamilyAsync(session, token.Id);
        ImmutableArray<string> revoked = [.. wanted.AndMadeWithIt ? family : family.Where(id => id == token.Id)];
        if (revoked.IsEmpty)
            return [];
        await ledger.RecordAsync(session, caller, "token.revoked", [Subjects.Of(token)], wanted.Reason, Subjects.Data(revoked, AccessJson.Default.ImmutableArrayString));
        await TokenTable.RevokeAsync(session, revoked, now);
        return revoked;
    }
}
