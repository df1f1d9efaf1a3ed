using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>The entries and the stored hashes, against each other and against the signed root.</summary>
public sealed partial class LedgerAudit
{
    private readonly EntryRules rules = new();

    /// <summary>By index, from the leaves: their hash, and the payload's that they commit to; null where a leaf is malformed.</summary>
    private readonly List<(Digest Leaf, Digest? Payload)> entries = [];

    private readonly CompactRange tree = new();

    /// <summary>Hashes of the levels above the leaves that tiles are made of, by level.</summary>
    private readonly Dictionary<int, List<Digest>> upper = [];

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
}
