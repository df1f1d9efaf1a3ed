using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class MerkleTreeTests
{
    [Fact]
    public void The_published_tree_has_its_published_hashes()
    {
        var vectors = MerkleVectors.Read("rfc6962-tree.json");
        var leaves = vectors.GetProperty("leafInputsHex").EnumerateArray().Select(leaf => Convert.FromHexString(leaf.GetString()!)).ToArray();
        var levels = vectors.GetProperty("nodeHashesByLevelHex").EnumerateArray().Select(Hashes).ToArray();
        var roots = Hashes(vectors.GetProperty("rootHashesBySizeHex"));

        var range = new CompactRange();
        Assert.Equal(roots[0], range.Root);
        var made = new Dictionary<TreeNode, Digest>();
        for (var index = 0; index < leaves.Length; index++)
        {
            foreach (var (node, hash) in range.Append(MerkleHash.OfLeaf(leaves[index])))
                made.Add(node, hash);
            Assert.Equal((index + 1, roots[index + 1]), (range.Size, range.Root));
        }

        Assert.Equal(levels.Sum(level => level.Length), made.Count);
        for (var level = 0; level < levels.Length; level++)
        {
            for (var index = 0; index < levels[level].Length; index++)
                Assert.Equal(levels[level][index], made[new TreeNode(level, index)]);
        }
    }

    [Fact]
    public void Leaf_and_node_of_the_same_bytes_differ()
    {
        var (left, right) = (MerkleVectors.Leaf(1), MerkleVectors.Leaf(2));
        var bytes = new byte[64];
        left.CopyTo(bytes);
        right.CopyTo(bytes.AsSpan(32));
        Assert.NotEqual(MerkleHash.OfLeaf(bytes), MerkleHash.OfNode(left, right));
        Assert.NotEqual(MerkleHash.OfNode(right, left), MerkleHash.OfNode(left, right));
    }

    [Fact]
    public void The_root_of_every_size_is_as_defined_and_a_range_can_be_taken_up_again()
    {
        var range = new CompactRange();
        var stored = MerkleVectors.Stored(300);
        for (var size = 0; size < 300; size++)
        {
            Assert.Equal(MerkleVectors.DefinedRoot(0, size), range.Root);
            var again = new CompactRange(size, [.. TreeNode.OfTree(size).Select(node => stored[node])]);
            Assert.Equal(range.Root, again.Root);
            again.Append(MerkleVectors.Leaf(size));
            range.Append(MerkleVectors.Leaf(size));
            Assert.Equal(range.Root, again.Root);
        }

        Assert.Throws<ArgumentException>(() => new CompactRange(3, [MerkleVectors.Leaf(0)]));
    }

    private static Digest[] Hashes(JsonElement list) => [.. list.EnumerateArray().Select(hash => new Digest(Convert.FromHexString(hash.GetString()!)))];
}
