using System.Collections.Immutable;
using System.Numerics;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>
/// Proof that one record is in a transparency log: the sibling hashes on the path from leaf
/// <paramref name="LeafIndex"/> up to the root of a tree of <paramref name="TreeSize"/> leaves.
/// </summary>
/// <param name="LeafIndex">Zero-based position, in leaves: 0 ≤ LeafIndex &lt; TreeSize.</param>
/// <param name="TreeSize">Number of leaves the signed checkpoint commits to; at least 1.</param>
/// <param name="Path">Sibling hashes, leaf side first; at most 63 of them.</param>
/// <remarks>
/// Source: RFC 9162 §2.1.1 (hashing) and §2.1.3 (making and verifying).
/// A proof arrives from the network and is untrusted: a malformed proof is an ordinary
/// <see cref="Verdict"/>, never an exception. Immutable, hence safe to share between threads.
/// </remarks>
public sealed record InclusionProof(long LeafIndex, long TreeSize, ImmutableArray<Digest> Path)
{
    /// <summary>Checks that <paramref name="record"/> is the leaf this proof speaks of.</summary>
    /// <param name="record">The exact bytes that were appended to the log; may be empty.</param>
    /// <param name="root">Root hash from a checkpoint whose signature has <b>already</b> been checked.</param>
    /// <returns><see cref="Verdict.Included"/>, or the first reason why not.</returns>
    /// <remarks>Costs O(log TreeSize) hashes.</remarks>
    public Verdict Verify(ReadOnlySpan<byte> record, Digest root) => VerifyLeaf(MerkleHash.OfLeaf(record), root);

    /// <summary>As <see cref="Verify"/>, from the leaf's hash.</summary>
    /// <param name="leaf">By <see cref="MerkleHash.OfLeaf"/>, computed here and not taken from anyone.</param>
    public Verdict VerifyLeaf(Digest leaf, Digest root)
    {
        if (LeafIndex < 0 || LeafIndex >= TreeSize)
            return Verdict.IndexOutsideTree;

        // The length follows from (index, size) alone. Checking it first means that a padded or cut
        // path can never reach the hashing below, whatever bytes it carries.
        if (Path.IsDefault || Path.Length != PathLength(LeafIndex, TreeSize))
            return Verdict.WrongPathLength;

        var hash = leaf;
        var (node, last) = (LeafIndex, TreeSize - 1);
        foreach (var sibling in Path)
        {
            // The last node of a level with an odd count has no sibling: it moves up unchanged.
            while (node == last && (node & 1) == 0)
                (node, last) = (node >> 1, last >> 1);

            var isRightChild = (node & 1) == 1;
            hash = isRightChild ? MerkleHash.OfNode(sibling, hash) : MerkleHash.OfNode(hash, sibling);
            (node, last) = (node >> 1, last >> 1);
        }

        return hash == root ? Verdict.Included : Verdict.RootMismatch;
    }

    /// <summary>The stored hashes that <see cref="Make"/> asks for: O(log² size), each once.</summary>
    public static IReadOnlySet<TreeNode> NodesFor(long index, long size) =>
        Siblings(index, 0, size).SelectMany(range => TreeNode.Covering(range.First, range.End)).ToHashSet();

    /// <param name="hashes">At least those of <see cref="NodesFor"/>.</param>
    public static InclusionProof Make(long index, long size, IReadOnlyDictionary<TreeNode, Digest> hashes) =>
        new(index, size, [.. Siblings(index, 0, size).Select(range => TreeNode.Fold(range.First, range.End, hashes))]);

    /// <summary>The ranges of leaves beside the path, leaf side first.</summary>
    private static IEnumerable<(long First, long End)> Siblings(long index, long first, long end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, end);
        var siblings = new Stack<(long, long)>();
        while (end - first > 1)
        {
            var middle = first + LeftSize(end - first);
            if (index < middle)
            {
                siblings.Push((middle, end));
                end = middle;
            }
            else
            {
                siblings.Push((first, middle));
                first = middle;
            }
        }

        return siblings;
    }

    /// <summary>The left subtree of a tree of at least two leaves: the largest power of two below its size.</summary>
    internal static long LeftSize(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    private static int PathLength(long index, long size)
    {
        // Below where the paths of this leaf and of the last one part, every node has a sibling; above, only right children have.
        var inner = 64 - BitOperations.LeadingZeroCount((ulong)(index ^ (size - 1)));
        return inner + BitOperations.PopCount((ulong)index >> inner);
    }

    /// <summary>Outcome of <see cref="Verify"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        RootMismatch,
        WrongPathLength,
        IndexOutsideTree,
        Included,
    }
}
