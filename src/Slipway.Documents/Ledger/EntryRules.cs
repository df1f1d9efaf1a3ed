using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Ledger;

/// <summary>What every entry of a log must be, seen in their order: readable, no older than the one before, each outcome with its intent.</summary>
internal sealed class EntryRules
{
    /// <summary>Intents without outcome, by index, with their action.</summary>
    private readonly SortedDictionary<long, string> open = [];

    private readonly HashSet<long> erased = [];

    private long lastTime;

    public ImmutableArray<long> Open => [.. open.Keys];

    /// <summary>Entries whose payloads the log itself says were erased.</summary>
    public IReadOnlySet<long> Erased => erased;

    /// <summary>Takes the next entry.</summary>
    /// <returns>What is wrong with it, as a code and a sentence; null when nothing is.</returns>
    public (string Code, string Message)? Check(long index, byte[] leaf, out LedgerEntry? entry)
    {
        entry = Read(leaf);
        if (entry is null)
            return ("ledger-entry-malformed", $"entry {index} is no ledger entry in canonical form");
        if (entry.Action == LedgerEntry.Erasure && entry.Phase == LedgerPhase.Done)
            erased.UnionWith(entry.Subjects.Select(subject => subject.Entry).OfType<long>());
        var earlier = lastTime;
        lastTime = Math.Max(lastTime, entry.Time);
        return entry.Time < earlier ? ("ledger-time-decreases", $"entry {index} is older than the one before it") : CheckPhase(index, entry);
    }

    private (string, string)? CheckPhase(long index, LedgerEntry entry)
    {
        if (entry.Phase == LedgerPhase.Intent)
        {
            open.Add(index, entry.Action);
            return entry.Intent is null ? null : ("ledger-intent-refers", $"entry {index} is an intent, and refers to entry {entry.Intent} as only an outcome does");
        }

        if (entry.Intent is not { } intent || !open.TryGetValue(intent, out var action))
            return ("ledger-outcome-without-intent", $"entry {index} is an outcome, and entry {(entry.Intent is { } missing ? missing : "-")} is no intent that still waits for one");
        open.Remove(intent);
        return action == entry.Action ? null : ("ledger-outcome-without-intent", $"entry {index} is an outcome of '{entry.Action}', and its intent, entry {intent}, is of '{action}'");
    }

    private static LedgerEntry? Read(byte[] leaf)
    {
        try
        {
            return JsonSerializer.Deserialize(leaf, LedgerJson.Default.LedgerEntry) is { } entry && CanonicalJson.Serialize(entry, LedgerJson.Default.LedgerEntry).AsSpan().SequenceEqual(leaf) ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
