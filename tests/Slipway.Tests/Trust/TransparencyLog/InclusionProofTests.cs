using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Bytes;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class InclusionProofTests
{
    private const int Largest = 260;

    private static readonly Dictionary<TreeNode, Digest> stored = MerkleVectors.Stored(Largest);

    [Fact]
    public void Every_published_proof_is_judged_as_labelled()
    {
        var vectors = MerkleVectors.Lines("merkle-inclusion.jsonl").ToArray();
        Assert.Equal((40, 3), (vectors.Length, vectors.Count(vector => !vector.GetProperty("wantErr").GetBoolean())));
        foreach (var vector in vectors)
        {
            var verifies = (MerkleVectors.Path(vector), MerkleVectors.Hash(vector, "leafHash"), MerkleVectors.Hash(vector, "root")) is ({ } path, { } leaf, { } root)
                && new InclusionProof(vector.GetProperty("leafIdx").GetInt64(), vector.GetProperty("treeSize").GetInt64(), path)
                    .VerifyLeaf(leaf, root) == InclusionProof.Verdict.Included;
            Assert.Equal((vector.GetProperty("name").GetString(), !vector.GetProperty("wantErr").GetBoolean()), (vector.GetProperty("name").GetString(), verifies));
        }
    }

    [Fact]
    public void Every_leaf_of_every_tree_is_proven_by_the_hashes_that_it_asks_for()
    {
        for (var size = 1; size <= Largest; size++)
        {
            var root = MerkleVectors.DefinedRoot(0, size);
            for (var index = 0; index < size; index++)
            {
                var hashes = InclusionProof.NodesFor(index, size).ToDictionary(node => node, node => stored[node]);
                var proof = InclusionProof.Make(index, size, hashes);
                Assert.Equal(InclusionProof.Verdict.Included, proof.Verify(BitConverter.GetBytes(index), root));
            }
        }
    }

    [Fact]
    public void A_proof_with_any_one_thing_changed_proves_nothing() =>
        Prop.ForAll(Gen.Choose(1, Largest).ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), (size, at, bit) =>
        {
            var index = at % size;
            var root = MerkleVectors.DefinedRoot(0, size);
            var proof = InclusionProof.Make(index, size, stored);
            var leaf = MerkleVectors.Leaf(index);
            return proof.VerifyLeaf(leaf, root) == InclusionProof.Verdict.Included
                && Changed(proof, bit).All(changed => changed.VerifyLeaf(leaf, root) != InclusionProof.Verdict.Included)
                && proof.VerifyLeaf(Flip(leaf, bit), root) == InclusionProof.Verdict.RootMismatch
                && proof.VerifyLeaf(leaf, Flip(root, bit)) == InclusionProof.Verdict.RootMismatch;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_cannot_be_a_proof_is_a_verdict_and_no_exception()
    {
        var root = MerkleVectors.DefinedRoot(0, 5);
        var proof = InclusionProof.Make(1, 5, stored);
        Assert.Equal(InclusionProof.Verdict.WrongPathLength, (proof with { Path = default }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(InclusionProof.Verdict.WrongPathLength, (proof with { Path = proof.Path[..^1] }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(InclusionProof.Verdict.IndexOutsideTree, (proof with { LeafIndex = -1 }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(InclusionProof.Verdict.IndexOutsideTree, (proof with { LeafIndex = 5 }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(InclusionProof.Verdict.IndexOutsideTree, (proof with { TreeSize = 0 }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(InclusionProof.Verdict.WrongPathLength, (proof with { TreeSize = long.MaxValue }).VerifyLeaf(MerkleVectors.Leaf(1), root));
        Assert.Equal(default, InclusionProof.Verdict.RootMismatch);
        Assert.Throws<ArgumentOutOfRangeException>(() => InclusionProof.Make(5, 5, stored));
    }

    internal static Digest Flip(Digest digest, int bit)
    {
        var bytes = new byte[Digest.Length];
        digest.CopyTo(bytes);
        bytes[bit / 8 % bytes.Length] ^= (byte)(1 << bit % 8);
        return new Digest(bytes);
    }

    /// <summary>The path with each hash changed, left out and doubled in turn, and any hash put before and after it.</summary>
    internal static IEnumerable<ImmutableArray<Digest>> Changed(ImmutableArray<Digest> path, int bit)
    {
        for (var at = 0; at < path.Length; at++)
        {
            yield return path.SetItem(at, Flip(path[at], bit));
            yield return path.RemoveAt(at);
            yield return path.Insert(at, path[at]);
        }

        var any = MerkleVectors.Leaf(bit);
        yield return path.Insert(0, any);
        yield return path.Add(any);
    }

    private static IEnumerable<InclusionProof> Changed(InclusionProof proof, int bit)
    {
        foreach (var path in Changed(proof.Path, bit))
            yield return proof with { Path = path };
        for (var index = -1; index <= proof.TreeSize; index++)
        {
            if (index != proof.LeafIndex)
                yield return proof with { LeafIndex = index };
        }
    }
}
