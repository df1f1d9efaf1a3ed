using System.Numerics;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>What must be known of a tree to append to it: the hashes of the complete subtrees that it is made of, at most 63.</summary>
/// <remarks>Not thread-safe. Appending costs one hash a leaf on average, the root O(log size).</remarks>
public sealed class CompactRange
{
    private readonly Stack<Digest> hashes;

    /// <summary>The tree without leaves.</summary>
    public CompactRange() => hashes = new Stack<Digest>();

    /// <param name="size">Leaves of the tree; at least 0.</param>
    /// <param name="hashes">Of <see cref="TreeNode.OfTree"/>, in its order.</param>
    public CompactRange(long size, IReadOnlyCollection<Digest> hashes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (hashes.Count != BitOperations.PopCount((ulong)size))
            throw new ArgumentException($"a tree of {size} leaves is made of {BitOperations.PopCount((ulong)size)} complete subtrees, found {hashes.Count}", nameof(hashes));
        (Size, this.hashes) = (size, new Stack<Digest>(hashes));
    }

    /// <summary>Leaves so far.</summary>
    public long Size { get; private set; }

    /// <summary>Of <see cref="TreeNode.OfTree"/>, in its order.</summary>
    public IReadOnlyCollection<Digest> Peaks => [.. hashes.Reverse()];

    public Digest Root => hashes.Count == 0 ? MerkleHash.EmptyRoot : hashes.Aggregate((right, left) => MerkleHash.OfNode(left, right));

    /// <summary>Appends a leaf.</summary>
    /// <param name="leaf">By <see cref="MerkleHash.OfLeaf"/>.</param>
    /// <returns>The complete subtrees that now exist and did not before, the leaf itself first: what a log stores.</returns>
    public IReadOnlyList<(TreeNode Node, Digest Hash)> Append(Digest leaf)
    {
        var made = new List<(TreeNode, Digest)> { (new TreeNode(0, Size), leaf) };
        var hash = leaf;
        // Each complete subtree at the right edge that is as large as the new one joins it, as in adding one to a binary number.
        for (var level = 0; (Size >> level & 1) == 1; level++)
        {
            hash = MerkleHash.OfNode(hashes.Pop(), hash);
            made.Add((new TreeNode(level + 1, Size >> (level + 1)), hash));
        }

        hashes.Push(hash);
        Size++;
        return made;
    }
}
