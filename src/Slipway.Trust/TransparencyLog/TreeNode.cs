using System.Collections.Immutable;
using System.Numerics;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>A complete subtree: the one over leaves <c>Index × 2^Level</c> to <c>(Index + 1) × 2^Level</c>. Its hash never changes once all of them are there.</summary>
/// <param name="Level">0 for a leaf; at most 62.</param>
public readonly record struct TreeNode(int Level, long Index)
{
    /// <summary>The complete subtrees that a range of leaves is made of, left to right; their hashes fold to the range's.</summary>
    /// <param name="first">A multiple of the least power of two that is not less than the range's length, as for every part of an RFC 6962 tree.</param>
    internal static IEnumerable<TreeNode> Covering(long first, long end)
    {
        while (first < end)
        {
            var level = BitOperations.Log2((ulong)(end - first));
            yield return new TreeNode(level, first >> level);
            first += 1L << level;
        }
    }

    /// <summary>The complete subtrees that a whole tree is made of, largest first: what must be read to append to it, or to know its root.</summary>
    public static ImmutableArray<TreeNode> OfTree(long size) => [.. Covering(0, size)];

    /// <summary>The hash over a range of leaves from the hashes of the complete subtrees in it.</summary>
    internal static Digest Fold(long first, long end, IReadOnlyDictionary<TreeNode, Digest> hashes) =>
        Covering(first, end).Reverse().Select(node => hashes[node]).Aggregate((right, left) => MerkleHash.OfNode(left, right));
}
