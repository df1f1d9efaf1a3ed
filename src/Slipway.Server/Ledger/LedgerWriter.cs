using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

/// <summary>Appends to the ledger inside the change that it tells of: both are made, or neither.</summary>
internal sealed class LedgerWriter(TimeProvider time)
{
    /// <summary>Who acts where no person does: a rollout's own transitions, timers, expiry. Holds no grant.</summary>
    public static Caller Server { get; } = new("server", "the server", [], [], []);

    /// <summary>Appends an entry, and gives its index.</summary>
    /// <exception cref="ApiProblem">The reason is empty (400).</exception>
    public async Task<long> AppendAsync(Session session, LedgerAction action)
    {
        if (string.IsNullOrWhiteSpace(action.Reason))
            throw new ApiProblem(StatusCodes.Status400BadRequest, new("no-reason", $"'{action.Action}' is a change, and a change needs a reason", Help: "say --reason TEXT; the ledger keeps it"));
        var payload = new LedgerPayload(RandomNumberGenerator.GetHexString(32, lowercase: true), action.ActorName, action.Reason, action.Data);
        var payloadBytes = CanonicalJson.Serialize(payload, LedgerJson.Default.LedgerPayload);
        var entry = new LedgerEntry(
            time.GetUtcNow().ToUnixTimeMilliseconds(), action.Actor, action.Action, action.Phase, action.Intent, action.Subjects, Digest.Of(payloadBytes));
        var index = await session.FindAsync<long?>("SELECT MAX(position) FROM ledger_entries") + 1 ?? 0;
        await session.ExecuteAsync(
            "INSERT INTO ledger_entries (position, leaf, payload) VALUES (@index, @leaf, @payload)",
            new { index, leaf = CanonicalJson.Serialize(entry, LedgerJson.Default.LedgerEntry), payload = System.Text.Encoding.UTF8.GetString(payloadBytes) });
        return index;
    }

    /// <summary>Records a change that is wholly inside this transaction: its intent and its outcome, one after the other.</summary>
    /// <param name="action">Dotted, such as <c>version.registered</c>.</param>
    /// <param name="reason">Why, in a person's words; must not be empty.</param>
    /// <param name="data">The evidence at that moment; must hold no secret. It can be erased later.</param>
    /// <returns>The index of the outcome; the intent is the one before.</returns>
    public async Task<long> RecordAsync(
        Session session, Caller caller, string action, ImmutableArray<LedgerSubject> subjects, string reason, JsonElement? data = null)
    {
        var intent = await AppendAsync(session, new LedgerAction(caller.Id, caller.Name, action, LedgerPhase.Intent, null, subjects, reason, data));
        return await AppendAsync(session, new LedgerAction(caller.Id, caller.Name, action, LedgerPhase.Done, intent, subjects, reason));
    }
}

/// <summary>What an entry is made of; see <see cref="LedgerEntry"/> and <see cref="LedgerPayload"/>.</summary>
internal sealed record LedgerAction(
    string Actor, string ActorName, string Action, LedgerPhase Phase, long? Intent, ImmutableArray<LedgerSubject> Subjects, string Reason, JsonElement? Data = null);
