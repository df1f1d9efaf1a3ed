using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Bytes;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class ConsistencyProofTests
{
    private const int Largest = 200;

    private static readonly Dictionary<TreeNode, Digest> stored = MerkleVectors.Stored(Largest);

    private static readonly Digest[] roots = [.. Enumerable.Range(0, Largest + 1).Select(size => MerkleVectors.DefinedRoot(0, size))];

    [Fact]
    public void Every_published_proof_is_judged_as_labelled()
    {
        var vectors = MerkleVectors.Lines("merkle-consistency.jsonl").ToArray();
        Assert.Equal(40, vectors.Length);
        foreach (var vector in vectors)
            AssertJudged(vector, vector.GetProperty("size1").GetInt64(), vector.GetProperty("size2").GetInt64());
    }

    /// <summary>A subtree that begins with the first leaf is an earlier tree; other subtrees are no part of this log's proofs.</summary>
    [Fact]
    public void Published_proofs_of_subtrees_from_the_first_leaf_on_are_judged_as_labelled()
    {
        var vectors = MerkleVectors.Lines("merkle-subtreeconsistency.jsonl").Where(vector => vector.GetProperty("start").GetInt64() == 0 && vector.GetProperty("end").GetInt64() > 0).ToArray();
        Assert.Equal(37, vectors.Length);
        foreach (var vector in vectors)
            AssertJudged(vector, vector.GetProperty("end").GetInt64(), vector.GetProperty("size").GetInt64());
    }

    [Fact]
    public void Every_tree_is_the_beginning_of_every_larger_one_by_the_hashes_that_it_asks_for()
    {
        for (var size = 1; size <= Largest; size++)
        {
            for (var old = 1; old <= size; old++)
            {
                var hashes = ConsistencyProof.NodesFor(old, size).ToDictionary(node => node, node => stored[node]);
                Assert.Equal(ConsistencyProof.Verdict.Consistent, ConsistencyProof.Make(old, size, hashes).Verify(roots[old], roots[size]));
            }
        }
    }

    [Fact]
    public void A_proof_with_any_one_thing_changed_proves_nothing() =>
        Prop.ForAll(Gen.Choose(1, Largest).ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), (size, at, bit) =>
        {
            var old = at % size + 1;
            var proof = ConsistencyProof.Make(old, size, stored);
            return proof.Verify(roots[old], roots[size]) == ConsistencyProof.Verdict.Consistent
                && Changed(proof, bit).All(changed => changed.Verify(roots[old], roots[size]) != ConsistencyProof.Verdict.Consistent)
                && proof.Verify(InclusionProofTests.Flip(roots[old], bit), roots[size]) != ConsistencyProof.Verdict.Consistent
                && proof.Verify(roots[old], InclusionProofTests.Flip(roots[size], bit)) != ConsistencyProof.Verdict.Consistent;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_log_whose_past_was_changed_has_no_proof()
    {
        // The same log but for its fourth record, both of 100 leaves: whatever hashes it offers, its past has another root.
        var forked = new CompactRange();
        var hashes = Enumerable.Range(0, 100).SelectMany(index => forked.Append(MerkleVectors.Leaf(index == 3 ? -1 : index))).ToDictionary(made => made.Node, made => made.Hash);
        for (var old = 4; old <= 100; old++)
            Assert.NotEqual(ConsistencyProof.Verdict.Consistent, ConsistencyProof.Make(old, 100, hashes).Verify(roots[old], forked.Root));
        Assert.Equal(ConsistencyProof.Verdict.Consistent, ConsistencyProof.Make(3, 100, hashes).Verify(roots[3], forked.Root));
    }

    [Fact]
    public void What_cannot_be_a_proof_is_a_verdict_and_no_exception()
    {
        Assert.Equal(ConsistencyProof.Verdict.WrongPathLength, new ConsistencyProof(3, 5, default).Verify(roots[3], roots[5]));
        Assert.Equal(ConsistencyProof.Verdict.SizesOutOfOrder, new ConsistencyProof(5, 3, []).Verify(roots[5], roots[3]));
        Assert.Equal(ConsistencyProof.Verdict.SizesOutOfOrder, new ConsistencyProof(0, 3, []).Verify(roots[0], roots[3]));
        Assert.Equal(ConsistencyProof.Verdict.SizesOutOfOrder, new ConsistencyProof(-1, 3, []).Verify(roots[0], roots[3]));
        Assert.Equal(ConsistencyProof.Verdict.Consistent, new ConsistencyProof(0, 0, []).Verify(roots[0], roots[0]));
        Assert.NotEqual(ConsistencyProof.Verdict.Consistent, default);
        Assert.Throws<ArgumentOutOfRangeException>(() => ConsistencyProof.Make(0, 5, stored));
    }

    private static void AssertJudged(JsonElement vector, long old, long size)
    {
        var verifies = MerkleVectors.Path(vector) is { } path
            && new ConsistencyProof(old, size, path).Verify(MerkleVectors.Root(vector, "root1"), MerkleVectors.Root(vector, "root2")) == ConsistencyProof.Verdict.Consistent;
        Assert.Equal((vector.GetProperty("name").GetString(), !vector.GetProperty("wantErr").GetBoolean()), (vector.GetProperty("name").GetString(), verifies));
    }

    private static IEnumerable<ConsistencyProof> Changed(ConsistencyProof proof, int bit)
    {
        foreach (var path in InclusionProofTests.Changed(proof.Path, bit))
            yield return proof with { Path = path };
        for (var size = 0; size <= proof.NewSize + 1; size++)
        {
            if (size != proof.OldSize)
                yield return proof with { OldSize = size };
        }
    }
}
