using System.Text;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

/// <summary>An entry as it is stored.</summary>
/// <param name="Payload">Null when it was erased.</param>
internal sealed record LedgerRow(long Position, byte[] Leaf, string? Payload)
{
    public static Task<LedgerRow?> FindAsync(Session session, long position) =>
        session.FindAsync<LedgerRow>("SELECT position, leaf, payload FROM ledger_entries WHERE position = @position", new { position });

    /// <exception cref="SlipwayException">It is no entry, or not the payload that it commits to (exit 1).</exception>
    public LedgerRecord Read()
    {
        try
        {
            var entry = JsonSerializer.Deserialize(Leaf, LedgerJson.Default.LedgerEntry)!;
            if (Payload is null)
                return new LedgerRecord(Position, entry, null);
            return Digest.Of(Encoding.UTF8.GetBytes(Payload)) == entry.Payload
                ? new LedgerRecord(Position, entry, JsonSerializer.Deserialize(Payload, LedgerJson.Default.LedgerPayload))
                : throw LedgerHead.Damaged($"the payload of entry {Position} is not the one that the entry commits to");
        }
        catch (JsonException)
        {
            throw LedgerHead.Damaged($"entry {Position} is not readable");
        }
    }

    /// <summary>Whether a caller may see an entry: all of its subjects are below models that it may read, or it may read all.</summary>
    public static bool MayRead(Caller caller, LedgerEntry entry) =>
        caller.May(Permission.Read, null) || !entry.Subjects.IsEmpty && entry.Subjects.All(subject => subject.Model is { } model && caller.May(Permission.Read, model));
}
