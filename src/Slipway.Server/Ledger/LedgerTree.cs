using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>The log's tree from its stored hashes: tiles, records by tile, and proofs. Nothing here needs a key.</summary>
internal static class LedgerTree
{
    /// <summary>The bytes of a tile of hashes or of records.</summary>
    /// <param name="tile">One that the log has.</param>
    /// <exception cref="SlipwayException">Rows are missing (exit 1).</exception>
    public static async Task<byte[]> TileAsync(Session session, TilePath tile)
    {
        var first = tile.First.Index;
        var rows = tile.Level is { } level
            ? await HashesAsync(session, level, first, first + tile.Width)
            : await session.QueryAsync<byte[]>("SELECT leaf FROM ledger_entries WHERE position >= @first AND position < @end ORDER BY position", new { first, end = first + tile.Width });
        if (rows.Count != tile.Width)
            throw LedgerHead.Damaged($"{tile} has {rows.Count} of its {tile.Width} rows");
        return tile.Level is null ? EntryBundle.Write(rows) : [.. rows.SelectMany(hash => hash)];
    }

    public static async Task<InclusionProof> ProveInclusionAsync(Session session, long index, long size) =>
        InclusionProof.Make(index, size, await NodesAsync(session, InclusionProof.NodesFor(index, size)));

    public static async Task<ConsistencyProof> ProveConsistencyAsync(Session session, long oldSize, long newSize) =>
        ConsistencyProof.Make(oldSize, newSize, await NodesAsync(session, ConsistencyProof.NodesFor(oldSize, newSize)));

    /// <summary>
    /// Checks at a start what can be checked without reading the whole log: the stored hashes lead to the signed root, the last entry is
    /// the one that was hashed, and there is none beyond it. The rest is an audit's.
    /// </summary>
    /// <remarks>Reads at most 255 hashes a level, three levels for a million entries.</remarks>
    /// <exception cref="SlipwayException">Something is not as it was signed (exit 1).</exception>
    public static async Task RequireSoundEndAsync(Session session, LedgerHead head)
    {
        var size = head.Checkpoint.Size;
        var peaks = TreeNode.OfTree(size);
        var hashes = await NodesAsync(session, peaks.ToHashSet());
        if (new CompactRange(size, [.. peaks.Select(peak => hashes[peak])]).Root != head.Checkpoint.Root)
            throw LedgerHead.Damaged($"the stored hashes do not lead to the signed root of its {size} entries");
        if ((await session.FindAsync<long?>("SELECT MAX(position) FROM ledger_entries") ?? -1) is var last && last != size - 1)
            throw LedgerHead.Damaged($"its last entry is {last}, and {size} are signed");
        if (size > 0 && (await HashesAsync(session, 0, last, size)).Single() is var stored && new Digest(stored) != MerkleHash.OfLeaf((await LedgerRow.FindAsync(session, last))!.Leaf))
            throw LedgerHead.Damaged($"entry {last} is not the one whose hash is stored");
    }

    private static async Task<IReadOnlyDictionary<TreeNode, Digest>> NodesAsync(Session session, IReadOnlySet<TreeNode> nodes)
    {
        var found = new Dictionary<TreeNode, Digest>();
        foreach (var node in nodes)
        {
            // The levels between two stored ones are hashed again: at most 128 hashes for a node.
            var above = node.Level % TilePath.Height;
            var width = 1L << above;
            var hashes = await HashesAsync(session, node.Level / TilePath.Height, node.Index << above, node.Index + 1 << above);
            if (hashes.Count != width)
                throw LedgerHead.Damaged($"{width - hashes.Count} hashes of level {node.Level / TilePath.Height} are missing from {node.Index << above} on");
            var subtree = new CompactRange();
            foreach (var hash in hashes)
                subtree.Append(new Digest(hash));
            found.Add(node, subtree.Root);
        }

        return found;
    }

    private static Task<IReadOnlyList<byte[]>> HashesAsync(Session session, long level, long first, long end) =>
        session.QueryAsync<byte[]>("SELECT hash FROM ledger_hashes WHERE level = @level AND position >= @first AND position < @end ORDER BY position", new { level, first, end });
}
