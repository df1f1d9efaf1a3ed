using System.Collections.Immutable;
using System.Numerics;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>Proof that a log only grew: that the tree of <paramref name="OldSize"/> leaves is the beginning of the tree of <paramref name="NewSize"/>.</summary>
/// <param name="OldSize">At least 1: everything begins with nothing, so there is nothing to prove of an empty tree.</param>
/// <param name="NewSize">Not less than <paramref name="OldSize"/>.</param>
/// <param name="Path">Hashes in the order of the standard; at most 64 of them, none when the sizes are equal.</param>
/// <remarks>Source: RFC 9162 §2.1.4. Untrusted like <see cref="InclusionProof"/>: a malformed one is a verdict, never an exception.</remarks>
public sealed record ConsistencyProof(long OldSize, long NewSize, ImmutableArray<Digest> Path)
{
    /// <param name="oldRoot">From a checkpoint whose signature has <b>already</b> been checked, and so the <paramref name="newRoot"/>.</param>
    public Verdict Verify(Digest oldRoot, Digest newRoot)
    {
        if (OldSize == 0 && NewSize == 0 && Path is { IsDefault: false, Length: 0 })
            return oldRoot == newRoot ? Verdict.Consistent : Verdict.OldRootMismatch;
        if (OldSize < 1 || NewSize < OldSize)
            return Verdict.SizesOutOfOrder;
        if (Path.IsDefault || Path.Length != Parts(OldSize, NewSize).Count)
            return Verdict.WrongPathLength;
        if (OldSize == NewSize)
            return oldRoot == newRoot ? Verdict.Consistent : Verdict.OldRootMismatch;

        // An old tree that is one complete subtree is itself the first hash, and is not repeated in the proof.
        var hashes = BitOperations.IsPow2(OldSize) ? Path.Insert(0, oldRoot) : Path;
        var shared = BitOperations.TrailingZeroCount(OldSize);
        var (old, last) = (OldSize - 1 >> shared, NewSize - 1 >> shared);
        var (oldHash, newHash) = (hashes[0], hashes[0]);
        foreach (var hash in hashes.AsSpan()[1..])
        {
            if ((old & 1) == 1 || old == last)
            {
                (oldHash, newHash) = (MerkleHash.OfNode(hash, oldHash), MerkleHash.OfNode(hash, newHash));
                while ((old & 1) == 0 && old != 0)
                    (old, last) = (old >> 1, last >> 1);
            }
            else
            {
                newHash = MerkleHash.OfNode(newHash, hash);
            }

            (old, last) = (old >> 1, last >> 1);
        }

        return oldHash != oldRoot ? Verdict.OldRootMismatch : newHash != newRoot ? Verdict.NewRootMismatch : Verdict.Consistent;
    }

    /// <summary>The stored hashes that <see cref="Make"/> asks for, each once.</summary>
    public static IReadOnlySet<TreeNode> NodesFor(long oldSize, long newSize) =>
        Parts(oldSize, newSize).SelectMany(range => TreeNode.Covering(range.First, range.End)).ToHashSet();

    /// <param name="hashes">At least those of <see cref="NodesFor"/>.</param>
    public static ConsistencyProof Make(long oldSize, long newSize, IReadOnlyDictionary<TreeNode, Digest> hashes) =>
        new(oldSize, newSize, [.. Parts(oldSize, newSize).Select(range => TreeNode.Fold(range.First, range.End, hashes))]);

    /// <summary>The ranges of leaves whose hashes are the proof, in its order: SUBPROOF of the standard.</summary>
    private static IReadOnlyCollection<(long First, long End)> Parts(long oldSize, long newSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(oldSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(newSize, oldSize);
        var parts = new Stack<(long, long)>();
        var (first, end, isWholeOldTree) = (0L, newSize, true);
        while (end != oldSize)
        {
            var middle = first + InclusionProof.LeftSize(end - first);
            if (oldSize <= middle)
            {
                parts.Push((middle, end));
                end = middle;
            }
            else
            {
                parts.Push((first, middle));
                (first, isWholeOldTree) = (middle, false);
            }
        }

        if (!isWholeOldTree)
            parts.Push((first, end));
        return parts;
    }

    /// <summary>Outcome of <see cref="Verify"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        NewRootMismatch,
        OldRootMismatch,
        WrongPathLength,
        SizesOutOfOrder,
        Consistent,
    }
}
