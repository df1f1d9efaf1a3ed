using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Engines.DuckDb;

public sealed class TableSourceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("a.csv", "x,y\n1,b\n")]
    [InlineData("a.CSV", "x,y\n1,b\n")]
    [InlineData("a.tsv", "x\ty\n1\tb\n")]
    [InlineData("a.jsonl", "{\"x\":1,\"y\":\"b\"}\n")]
    [InlineData("a.ndjson", "{\"x\":1,\"y\":\"b\"}\n")]
    [InlineData("it's [odd] *?.csv", "x,y\n1,b\n")]
    public void A_table_is_read_by_its_extension(string name, string content)
    {
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, content);
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [file] });
        Assert.Equal("1|b", string.Join("|", database.Rows($"SELECT x, y FROM {TableSource.Of(file).From}").Single()));
    }

    [Fact]
    public void A_star_in_a_name_is_that_file_alone()
    {
        File.WriteAllText(Path.Combine(folder, "a*.csv"), "x\n1\n");
        File.WriteAllText(Path.Combine(folder, "ab.csv"), "x\n2\n");
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [Path.Combine(folder, "a*.csv")] });
        Assert.Equal("1", database.Rows($"SELECT x FROM {TableSource.Of(Path.Combine(folder, "a*.csv")).From}").Single()[0]);
    }

    [Theory]
    [InlineData("a.xlsx")]
    [InlineData("a")]
    [InlineData("a.parquet.gz")]
    [InlineData("a.json.zip")]
    public void An_unknown_extension_is_named_with_what_is_known(string name)
    {
        var e = Assert.Throws<SlipwayException>(() => TableSource.Of(name));
        Assert.Equal((ExitCode.UnusableInput, "unknown-format"), (e.Exit, e.Faults[0].Code));
        Assert.Contains(name, e.Message);
        Assert.Contains(".parquet", e.Message);
    }

    [Fact]
    public void Formats_are_not_mixed()
    {
        var e = Assert.Throws<SlipwayException>(() => TableSource.Of("a.csv", "b.csv", "c.parquet"));
        Assert.Equal("mixed-formats", e.Faults[0].Code);
    }
}
