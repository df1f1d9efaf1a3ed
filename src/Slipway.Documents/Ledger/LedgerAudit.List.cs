using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>The list of entries with their payloads, against what the entries commit to.</summary>
public sealed partial class LedgerAudit
{
    /// <summary>By index, from the list of entries: the leaf's hash, and what the payload hashes to; null where there is none.</summary>
    private readonly List<(Digest Leaf, Digest? Payload)> listed = [];

    private async Task CheckListAsync(long size, CancellationToken cancellation)
    {
        await ListAsync(size, cancellation);
        if (listed.Count < size)
            Report("ledger-entries-hidden", $"the list of entries ends after {listed.Count} of {size}");
        for (var index = 0; index < Math.Min(listed.Count, size); index++)
        {
            var (leaf, payload) = listed[index];
            if (leaf != entries[index].Leaf)
                Report("ledger-list-differs", $"the list shows another entry {index} than the log holds");
            if (payload is null && !rules.Erased.Contains(index))
                Report("ledger-payload-missing", $"the payload of entry {index} is gone, and no entry tells of an erasure");
            if (payload is { } hash && hash != entries[index].Payload)
                Report("ledger-payload-edited", $"the payload of entry {index} is not the one that the entry commits to");
        }
    }

    /// <returns>False when there is no list to check: the source has none, or cannot give it, which is a problem of its own.</returns>
    private async Task<bool> TryListAsync(CancellationToken cancellation)
    {
        try
        {
            if (await ListAsync(long.MaxValue, cancellation))
                return true;
            notes.Add("this copy holds no payloads; they were not checked");
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.BadVerdict)
        {
            foreach (var fault in e.Faults)
                Report(fault);
        }

        return false;
    }

    /// <summary>Reads the list of entries on, up to an index.</summary>
    /// <returns>False when the source has no payloads.</returns>
    private async Task<bool> ListAsync(long end, CancellationToken cancellation)
    {
        while (listed.Count < end)
        {
            if (await source.EntriesAsync(listed.Count - 1, cancellation) is not { } page)
                return false;
            if (page.IsEmpty)
                break;
            foreach (var record in page)
            {
                if (record.Index != listed.Count)
                    throw Failure("ledger-entries-hidden", $"the list of entries goes from {listed.Count - 1} on to {record.Index}");
                var payload = record.Payload is { } present ? Digest.Of(CanonicalJson.Serialize(present, LedgerJson.Default.LedgerPayload)) : (Digest?)null;
                listed.Add((MerkleHash.OfLeaf(CanonicalJson.Serialize(record.Entry, LedgerJson.Default.LedgerEntry)), payload));
            }
        }

        return true;
    }
}
