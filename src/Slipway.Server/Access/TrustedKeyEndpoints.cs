using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Trust.Signing;

namespace Slipway.Server.Access;

/// <summary>Whose signatures the server believes, and on what.</summary>
internal sealed class TrustedKeyEndpoints(Database database, LedgerWriter ledger, TimeProvider time)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/trusted-keys", Permission.Read, ListAsync, AnyModel: true),
        new("POST", "/api/v1/trusted-keys", Permission.Administer, AddAsync),
        new("POST", "/api/v1/trusted-keys/{key}/revoke", Permission.Administer, RevokeAsync),
    ];

    private async Task ListAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(TrustedKeyTable.ListAsync, call.Cancellation), AccessJson.Default.ImmutableArrayTrustedKey);

    private async Task AddAsync(ApiCall call)
    {
        var wanted = await call.ReadAsync(AccessJson.Default.NewTrustedKey);
        Checks.Name("name", wanted.Name);
        if (wanted.Roles.IsEmpty || !wanted.Roles.All(Enum.IsDefined))
            throw ApiProblem.Malformed("bad-role", "roles must name at least one thing that the key may sign: builder, evaluator");
        var parsed = VerificationKey.Parse(wanted.Pem, "the key");
        if (parsed.IsUnprotected && wanted.Roles.Contains(KeyRole.Builder) && !wanted.AllowUnprotected)
            throw ApiProblem.Malformed("key-unprotected", $"the key {parsed.KeyId[..12]} was made without a passphrase, as its file says: whoever reads the private file can say where any bundle is from", "make one with a passphrase (`slipway keys new NAME`), or say --allow-unprotected");
        // Written anew: nothing that surrounds the key in the file is kept but that it has no passphrase.
        var key = new TrustedKey(parsed.KeyId, wanted.Name, parsed.ToPem(), [.. wanted.Roles.Distinct().Order()], wanted.Owner, time.GetUtcNow().ToUnixTimeMilliseconds(), call.Caller.Id, Revoked: null);
        var trusted = await database.ChangeAsync(
            async session =>
            {
                var known = await TrustedKeyTable.FindAsync(session, key.Id);
                if (known is not null)
                    CheckMayBeOwned(known, key.Owner);
                if (key.Owner is { } owner)
                    await PrincipalEndpoints.RequireAsync(session, owner);
                var kept = known is null ? key : known with { Owner = key.Owner };
                await ledger.RecordAsync(session, call.Caller, known is null ? "key.trusted" : "key.owned", [Subjects.Of(kept)], wanted.Reason, Subjects.Data(kept, AccessJson.Default.TrustedKey));
                await TrustedKeyTable.SaveAsync(session, kept);
                return kept;
            },
            call.Cancellation);
        await call.AnswerAsync(trusted, AccessJson.Default.TrustedKey, StatusCodes.Status201Created);
    }

    /// <summary>
    /// A key of nobody's may be given an owner. It never changes hands: whoever signed with it could then approve what they signed.
    /// </summary>
    private static void CheckMayBeOwned(TrustedKey known, string? owner)
    {
        if (known.Revoked is { } revoked)
            throw ApiProblem.Conflict("key-revoked", $"this key was revoked, and is never trusted again: {revoked.Reason}", "make a new key with `slipway keys new`");
        if (known.Owner is not null || owner is null)
            throw ApiProblem.Conflict("key-known", $"this key is trusted already, as '{known.Name}', {(known.Owner is { } whose ? $"and is {whose}'s: a key keeps its owner" : "and is nobody's")}", help: known.Owner is null ? "to say whose it is, name the owner" : "revoke it, and trust another key");
    }

    private async Task RevokeAsync(ApiCall call)
    {
        var reason = (await call.ReadAsync(AccessJson.Default.ReasonOnly)).Reason;
        var id = call.Segment("key");
        var revoked = await database.ChangeAsync(
            async session =>
            {
                var known = await TrustedKeyTable.FindAsync(session, id)
                    ?? throw ApiProblem.NotThere("no-key", $"there is no trusted key '{id}'", "see slipway access key list");
                if (known.Revoked is not null)
                    return known;
                var key = known with { Revoked = new KeyRevocation(time.GetUtcNow().ToUnixTimeMilliseconds(), call.Caller.Id, reason) };
                await ledger.RecordAsync(session, call.Caller, "key.revoked", [Subjects.Of(key)], reason);
                await TrustedKeyTable.SaveAsync(session, key);
                return key;
            },
            call.Cancellation);
        await call.AnswerAsync(revoked, AccessJson.Default.TrustedKey);
    }
}
