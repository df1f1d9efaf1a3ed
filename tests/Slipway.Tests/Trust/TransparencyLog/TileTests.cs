using FsCheck;
using FsCheck.Fluent;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class TileTests
{
    [Fact]
    public void Published_indices_have_their_published_paths()
    {
        foreach (var pair in MerkleVectors.Read("tiles.json").GetProperty("tileIndexPath").EnumerateArray())
        {
            var (index, path) = (pair[0].GetInt64(), pair[1].GetString());
            Assert.Equal($"tile/0/{path}", new TilePath(0, index, TilePath.FullWidth).ToString());
            Assert.Equal($"tile/entries/{path}.p/7", new TilePath(null, index, 7).ToString());
            Assert.True(TilePath.TryParse($"tile/3/{path}.p/255", out var tile));
            Assert.Equal(new TilePath(3, index, 255), tile);
        }
    }

    [Fact]
    public void Published_trees_have_their_published_tiles()
    {
        foreach (var tree in MerkleVectors.Read("tiles.json").GetProperty("treeTiles").EnumerateArray())
        {
            var size = tree.GetProperty("size").GetInt64();
            var tiles = TilePath.OfTree(size).ToLookup(tile => tile.Level);
            foreach (var level in tree.GetProperty("tiles").EnumerateObject())
            {
                var there = tiles[int.Parse(level.Name)].ToArray();
                Assert.Equal(level.Value.GetProperty("full").GetInt64(), there.Count(tile => tile.IsFull));
                Assert.Equal(level.Value.GetProperty("partial").GetInt32(), there.SingleOrDefault(tile => !tile.IsFull).Width);
            }

            Assert.Equal(tree.GetProperty("tiles").EnumerateObject().Count(level => level.Value.EnumerateObject().Any(count => count.Value.GetInt32() > 0)) + 1, tiles.Count);
            Assert.Equal(tiles[0].Select(tile => tile with { Level = null }), tiles[null]);
        }

        Assert.Empty(TilePath.OfTree(0));
    }

    [Fact]
    public void A_tree_has_the_tiles_that_it_is_made_of_and_no_wider_ones() =>
        Prop.ForAll(Gen.Choose(1, 1_000_000).ToArbitrary(), size =>
            TilePath.OfTree(size).All(tile => tile.IsIn(size) && TilePath.TryParse(tile.ToString(), out var again) && again == tile)
            && TilePath.OfTree(size).Where(tile => !tile.IsFull).All(tile => !(tile with { Width = tile.Width + 1 }).IsIn(size) && !(tile with { Index = tile.Index + 1 }).IsIn(size)))
        .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/0000")]
    [InlineData("tile/0/001/234")]
    [InlineData("tile/0/x001/x234")]
    [InlineData("tile/0/x000/001")]
    [InlineData("tile/00/000")]
    [InlineData("tile/8/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/data/000")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p/07")]
    [InlineData("tile/0/000.p/")]
    [InlineData("tile/0/000\n")]
    [InlineData("tile/0/x٠٠١/000")]
    [InlineData("tile/entries/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("checkpoint")]
    [InlineData("tile/0/../../checkpoint")]
    public void Anything_else_is_no_tile(string path) => Assert.False(TilePath.TryParse(path, out _));

    [Fact]
    public void Records_go_there_and_back_in_bundles()
    {
        byte[][] records = [[], [1], new byte[EntryBundle.MaxRecord]];
        var bundle = EntryBundle.Write(records);
        Assert.Equal(3 * 2 + 1 + EntryBundle.MaxRecord, bundle.Length);
        Assert.Equal<byte[]>([0, 0, 0, 1, 1, 255, 255], bundle[..7]);
        Assert.Equal(records, EntryBundle.Read(bundle));
        Assert.Null(EntryBundle.Read(bundle.AsSpan(0, bundle.Length - 1)));
        Assert.Null(EntryBundle.Read([0]));
        Assert.Empty(EntryBundle.Read([])!);
        Assert.Throws<OverflowException>(() => EntryBundle.Write([new byte[EntryBundle.MaxRecord + 1]]));
    }
}
