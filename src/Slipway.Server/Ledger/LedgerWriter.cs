using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

/// <summary>Appends to the ledger inside the change that it tells of: both are made, or neither.</summary>
internal sealed class LedgerWriter(TimeProvider time)
{
    /// <summary>Appends an entry, and gives its index.</summary>
    public async Task<long> AppendAsync(Session session, LedgerAction action)
    {
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
}

/// <summary>What an entry is made of; see <see cref="LedgerEntry"/> and <see cref="LedgerPayload"/>.</summary>
internal sealed record LedgerAction(
    string Actor, string ActorName, string Action, LedgerPhase Phase, long? Intent, ImmutableArray<LedgerSubject> Subjects, string Reason, JsonElement? Data = null);
