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
            throw Checks.Bad("bad-role", "roles must name at least one thing that the key may sign: builder, evaluator");
        var parsed = VerificationKey.Parse(wanted.Pem, "the key");
        // Written anew: nothing that surrounds the key in the file is kept.
        var key = new TrustedKey(parsed.KeyId, wanted.Name, parsed.ToPem(), [.. wanted.Roles.Distinct().Order()], wanted.Owner, time.GetUtcNow().ToUnixTimeMilliseconds(), call.Caller.Id, Revoked: null);
        await database.ChangeAsync(
            async session =>
            {
                if (await TrustedKeyTable.FindAsync(session, key.Id) is { } known)
                    throw new ApiProblem(StatusCodes.Status409Conflict, known.Revoked is null
                        ? new("key-known", $"this key is trusted already, as '{known.Name}'")
                        : new("key-revoked", $"this key was revoked, and is never trusted again: {known.Revoked.Reason}", Help: "make a new key with `slipway keys new`"));
                if (key.Owner is { } owner)
                    await PrincipalEndpoints.RequireAsync(session, owner);
                await ledger.RecordAsync(session, call.Caller, "key.trusted", [Subjects.Of(key)], wanted.Reason, Subjects.Data(key, AccessJson.Default.TrustedKey));
                await TrustedKeyTable.SaveAsync(session, key);
            },
            call.Cancellation);
        await call.AnswerAsync(key, AccessJson.Default.TrustedKey, StatusCodes.Status201Created);
    }

    private async Task RevokeAsync(ApiCall call)
    {
        var reason = (await call.ReadAsync(AccessJson.Default.ReasonOnly)).Reason;
        var id = call.Segment("key");
        var revoked = await database.ChangeAsync(
            async session =>
            {
                var known = await TrustedKeyTable.FindAsync(session, id)
                    ?? throw new ApiProblem(StatusCodes.Status404NotFound, new("no-key", $"there is no trusted key '{id}'", Help: "see slipway access key list"));
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
