using System.Collections.Immutable;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>
/// Checks a whole log: its checkpoint's signature, every entry and payload, every stored hash, the root, and that it continues earlier
/// checkpoints. Believes nothing but the key and the checkpoints that it is given.
/// </summary>
/// <remarks>Holds some 100 bytes an entry in memory, and one bundle of 256 entries at a time. What a source says to be damaged, or lacks, is a problem of the log.</remarks>
public sealed class LedgerAudit
{
    private readonly ILedgerSource source;
    private readonly Action<long, long> progress;
    private readonly List<Fault> problems = [];
    private readonly List<string> notes = [];
    private readonly EntryRules rules = new();

    /// <summary>By index, from the list of entries: the leaf's hash, and what the payload hashes to; null where there is none.</summary>
    private readonly List<(Digest Leaf, Digest? Payload)> listed = [];

    /// <summary>By index, from the leaves: their hash, and the payload's that they commit to; null where a leaf is malformed.</summary>
    private readonly List<(Digest Leaf, Digest? Payload)> entries = [];

    private readonly CompactRange tree = new();

    /// <summary>Hashes of the levels above the leaves that tiles are made of, by level.</summary>
    private readonly Dictionary<int, List<Digest>> upper = [];

    private LedgerAudit(ILedgerSource source, Action<long, long> progress) => (this.source, this.progress) = (source, progress);

    /// <param name="trusted">Null takes the key that the source names: then only what was signed by one key from now on can be told.</param>
    /// <param name="earlier">Checkpoints that this log has shown before, as it signed them.</param>
    /// <param name="progress">Told how many entries of how many are checked.</param>
    /// <exception cref="SlipwayException">The source cannot be reached (exit 3), or is none (exit 2): nothing is known of the log then.</exception>
    public static async Task<LedgerAuditReport> RunAsync(
        ILedgerSource source, NoteKey? trusted, IReadOnlyCollection<byte[]> earlier, Action<long, long> progress, CancellationToken cancellation)
    {
        var audit = new LedgerAudit(source, progress);
        byte[] note = [];
        Checkpoint? checkpoint = null;
        NoteKey? key = null;
        try
        {
            key = trusted ?? await audit.ReadKeyAsync(cancellation);
            // The payloads first: what is missing of them was erased before, so the checkpoint that follows covers the entry that says so.
            var hasList = await audit.TryListAsync(cancellation);
            note = await source.ReadAsync("checkpoint", SignedNote.MaxBytes, cancellation);
            checkpoint = key is null ? null : audit.Open(note, key, "the checkpoint");
            if (checkpoint is not null)
                await audit.CheckAsync(checkpoint, audit.OpenEarlier(earlier, key!, checkpoint), hasList, cancellation);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.BadVerdict)
        {
            // It could not be checked to its end, and so it is not sound.
            foreach (var fault in e.Faults)
                audit.Report(fault);
        }

        var present = audit.listed.Take((int)audit.tree.Size).Count(entry => entry.Payload is not null);
        return new LedgerAuditReport(
            key, [.. note], checkpoint, audit.tree.Size, present, audit.listed.Count > 0 ? audit.tree.Size - present : 0, audit.rules.Open, [.. audit.problems.Take(LedgerAuditReport.MaxProblems)], [.. audit.notes]);
    }

    private async Task CheckAsync(Checkpoint checkpoint, ILookup<long, (Digest Root, string Name)> earlier, bool hasList, CancellationToken cancellation)
    {
        Compare(earlier);
        foreach (var bundle in TilePath.OfLevel(null, checkpoint.Size))
        {
            await CheckBundleAsync(bundle, earlier, cancellation);
            progress(tree.Size, checkpoint.Size);
        }

        if (tree.Root != checkpoint.Root)
            Report("ledger-root-differs", $"the {checkpoint.Size} entries do not hash to the root that was signed for them: entries were edited, re-ordered, put in or taken out");
        foreach (var tile in TilePath.OfTree(checkpoint.Size).Where(tile => tile.Level > 0))
            await CheckTileAsync(tile, upper[tile.Level!.Value], cancellation);
        if (hasList)
            await CheckListAsync(checkpoint.Size, cancellation);
    }

    private async Task CheckBundleAsync(TilePath bundle, ILookup<long, (Digest Root, string Name)> earlier, CancellationToken cancellation)
    {
        var records = EntryBundle.Read(await source.ReadAsync(bundle.ToString(), EntryBundle.MaxBytes, cancellation));
        if (records is null || records.Count != bundle.Width)
            throw Failure("ledger-bundle-malformed", $"{bundle} holds {records?.Count.ToString() ?? "no"} entries, expected {bundle.Width}");
        var first = tree.Size;
        var leaves = records.Select(record => MerkleHash.OfLeaf(record)).ToArray();
        foreach (var (offset, record) in records.Index())
        {
            if (rules.Check(first + offset, record, out var entry) is var (code, message))
                Report(code, message);
            entries.Add((leaves[offset], entry?.Payload));
            foreach (var (node, hash) in tree.Append(leaves[offset]).Where(made => made.Node.Level > 0 && made.Node.Level % TilePath.Height == 0))
                (upper.TryGetValue(node.Level / TilePath.Height, out var level) ? level : upper[node.Level / TilePath.Height] = []).Add(hash);
            Compare(earlier);
        }

        CompareLeaves(first, leaves, await HashesAsync(bundle with { Level = 0 }, cancellation));
    }

    /// <summary>The entries of a bundle against the hashes that the log holds of them: this is what tells which one was edited.</summary>
    private void CompareLeaves(long first, Digest[] leaves, Digest[] stored)
    {
        var different = Enumerable.Range(0, leaves.Length).Where(offset => leaves[offset] != stored[offset]).ToArray();
        if (different.Length > 1 && different.Select(offset => leaves[offset]).Order().SequenceEqual(different.Select(offset => stored[offset]).Order()))
        {
            Report("ledger-reordered", $"entries {string.Join(", ", different.Select(offset => first + offset))} stand in another order than they were appended in");
            return;
        }

        foreach (var offset in different)
            Report("ledger-entry-edited", $"entry {first + offset} is not the one whose hash the log holds");
    }

    private async Task CheckTileAsync(TilePath tile, List<Digest> computed, CancellationToken cancellation)
    {
        var first = (int)tile.First.Index;
        foreach (var (offset, hash) in (await HashesAsync(tile, cancellation)).Index())
        {
            if (hash != computed[first + offset])
                Report("ledger-hash-edited", $"the stored hash {first + offset} of level {tile.Level} is not that of the entries below it");
        }
    }

    private async Task<Digest[]> HashesAsync(TilePath tile, CancellationToken cancellation)
    {
        var bytes = await source.ReadAsync(tile.ToString(), TilePath.MaxBytes, cancellation);
        return bytes.Length == tile.Width * Digest.Length
            ? [.. bytes.Chunk(Digest.Length).Select(hash => new Digest(hash))]
            : throw Failure("ledger-tile-malformed", $"{tile} has {bytes.Length} bytes, expected {tile.Width * Digest.Length}");
    }

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

    private async Task<NoteKey?> ReadKeyAsync(CancellationToken cancellation)
    {
        try
        {
            return NoteKey.Parse(Encoding.UTF8.GetString(await source.ReadAsync("key", SignedNote.MaxBytes, cancellation)));
        }
        catch (FormatException e)
        {
            Report("ledger-key-malformed", $"the log's key cannot be read: {e.Message}");
            return null;
        }
    }

    private ILookup<long, (Digest Root, string Name)> OpenEarlier(IReadOnlyCollection<byte[]> notes, NoteKey key, Checkpoint checkpoint)
    {
        var opened = notes.Select(note => Open(note, key, "an earlier checkpoint")).OfType<Checkpoint>().ToArray();
        foreach (var longer in opened.Where(old => old.Size > checkpoint.Size))
            Report("ledger-truncated", $"the log had {longer.Size} entries when an earlier checkpoint was signed, and has {checkpoint.Size} now");
        return opened.Where(old => old.Size <= checkpoint.Size).ToLookup(old => old.Size, old => (old.Root, $"the earlier checkpoint of {old.Size} entries"));
    }

    private Checkpoint? Open(byte[] note, NoteKey key, string name)
    {
        var verdict = Checkpoint.Open(note, key.Name, [key], out var checkpoint);
        if (checkpoint is null)
            Report("ledger-checkpoint-untrusted", $"{name} is not one that {key.Name} has signed with key {key.Key.KeyId[..12]} ({verdict})");
        return checkpoint;
    }

    private void Compare(ILookup<long, (Digest Root, string Name)> earlier)
    {
        foreach (var (_, name) in earlier[tree.Size].Where(old => old.Root != tree.Root))
            Report("ledger-forked", $"the log's first {tree.Size} entries are not those of {name}: this is another history than the one that was shown then");
    }

    private void Report(string code, string message) => Report(new Fault(code, message));

    private void Report(Fault fault)
    {
        if (problems.Count < LedgerAuditReport.MaxProblems)
            problems.Add(fault);
    }

    private static SlipwayException Failure(string code, string message) => new(ExitCode.BadVerdict, new Fault(code, message));
}
