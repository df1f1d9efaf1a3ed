using System.Collections.Immutable;
using Slipway.Documents.Ledger;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

/// <summary>Erases what entries say in words: names, reasons, evidence. The leaves stay, and with them every proof.</summary>
internal static class LedgerErasure
{
    /// <summary>Erases the payloads of an action: of its intent and of its outcome, since both say the same. The ledger tells of it.</summary>
    /// <param name="index">Of any of the action's entries.</param>
    /// <param name="reason">Must not repeat what is erased.</param>
    /// <exception cref="ApiProblem">No such entry (404); nothing is left to erase (409).</exception>
    public static async Task<LedgerErasureAnswer> EraseAsync(Session session, LedgerWriter ledger, Caller caller, long index, string reason)
    {
        var row = await LedgerRow.FindAsync(session, index)
            ?? throw ApiProblem.NotThere("no-such-entry", $"the ledger has no entry {index}");
        var intent = row.Read().Entry.Intent ?? index;
        var rows = await session.QueryAsync<LedgerRow>(
            "SELECT position, leaf, payload FROM ledger_entries WHERE (position = @intent OR intent = @intent) AND payload IS NOT NULL ORDER BY position", new { intent });
        if (rows.Count == 0)
            throw ApiProblem.Conflict("already-erased", $"the payload of entry {index} is erased already");
        var records = rows.Select(found => found.Read()).ToImmutableArray();
        await session.ExecuteAsync("UPDATE ledger_entries SET payload = NULL WHERE position = @intent OR intent = @intent", new { intent });
        var entry = await ledger.RecordAsync(session, caller, LedgerEntry.Erasure, [.. records.Select(record => LedgerSubject.OfEntry(record.Index, record.Entry.Payload))], reason);
        return new LedgerErasureAnswer([.. records.Select(record => record.Index)], entry);
    }
}
