using Slipway.Documents.Datasets;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Tests.Pipeline.Snapshots;

public sealed class SnapshotTakerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_snapshot_names_files_columns_and_rows()
    {
        Write("data/a.csv", "id,name\n1,x\n2,y\n");
        var taken = Take("data/a.csv");
        Assert.Equal([new SnapshotFile("a.csv", 16, Digest.Of("id,name\n1,x\n2,y\n"u8))], taken.Snapshot.Files);
        Assert.Equal([new ColumnSchema("id", "BIGINT"), new ColumnSchema("name", "VARCHAR")], taken.Snapshot.Columns);
        Assert.Equal(2, taken.Snapshot.Rows);
        Assert.Equal([Path.Combine(folder, "data/a.csv")], taken.Files);
    }

    [Fact]
    public void The_digest_is_that_of_the_canonical_list_of_files()
    {
        Write("data/a.csv", "id\n1\n");
        var expected = Digest.Of(System.Text.Encoding.UTF8.GetBytes($"[{{\"digest\":\"{Digest.Of("id\n1\n"u8)}\",\"path\":\"a.csv\",\"size\":5}}]"));
        Assert.Equal(expected, Take("data/a.csv").Snapshot.Digest);
    }

    [Fact]
    public void A_file_a_folder_and_a_glob_of_the_same_files_are_one_version()
    {
        Write("data/a.csv", "id\n1\n");
        var digest = Take("data/a.csv").Snapshot.Digest;
        Assert.Equal(digest, Take("data").Snapshot.Digest);
        Assert.Equal(digest, Take("data/").Snapshot.Digest);
        Assert.Equal(digest, Take("data/*.csv").Snapshot.Digest);
        Write("data/a.csv", "id\n2\n");
        Assert.NotEqual(digest, Take("data").Snapshot.Digest);
    }

    [Theory]
    [InlineData("data", "B.csv a.csv sub/c.csv sub/deep/d.csv")]
    [InlineData("data/*.csv", "B.csv a.csv")]
    [InlineData("data/?.csv", "B.csv a.csv")]
    [InlineData("data/**/*.csv", "B.csv a.csv sub/c.csv sub/deep/d.csv")]
    [InlineData("data/**", "B.csv a.csv sub/c.csv sub/deep/d.csv")]
    [InlineData("data/**/**/*.csv", "B.csv a.csv sub/c.csv sub/deep/d.csv")]
    [InlineData("data/*/*.csv", "sub/c.csv")]
    [InlineData("data/s*/d*p/d.csv", "sub/deep/d.csv")]
    [InlineData("data/.hidden.csv", ".hidden.csv")]
    public void Files_are_found_and_sorted_by_byte(string path, string expected)
    {
        foreach (var file in new[] { "a.csv", "B.csv", "sub/c.csv", "sub/deep/d.csv", ".hidden.csv" })
            Write("data/" + file, "id\n1\n");
        Assert.Equal(expected, string.Join(' ', Take(path).Snapshot.Files.Select(file => file.Path)));
    }

    [Fact]
    public void A_second_look_reads_no_data_and_gives_the_same()
    {
        Write("data/a.csv", "id\n1\n");
        var first = Take("data/a.csv");
        // The engine could not be opened here: its scratch folder would have to be made below a file.
        Write("file", "");
        var second = Take("data/a.csv", Reading() with { ScratchFolder = Path.Combine(folder, "file", "scratch") });
        Assert.Equal((first.Snapshot.Digest, first.Snapshot.Rows), (second.Snapshot.Digest, second.Snapshot.Rows));
        Assert.Equal(first.Snapshot.Columns, second.Snapshot.Columns);
        Assert.Equal(first.Snapshot.Files, second.Snapshot.Files);
        Write("data/a.csv", "id\n1\n2\n");
        Assert.ThrowsAny<Exception>(() => Take("data/a.csv", Reading() with { ScratchFolder = Path.Combine(folder, "file", "scratch") }));
    }

    [Fact]
    public void A_damaged_cache_is_made_again()
    {
        Write("data/a.csv", "id\n1\n");
        Take("data/a.csv");
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "cache")))
            File.WriteAllText(file, "{}");
        Assert.Equal(1, Take("data/a.csv").Snapshot.Rows);
    }

    [Fact]
    public void What_is_missing_is_named_at_its_place_with_the_nearest_name()
    {
        Write("data/flights.parquet", "x");
        var fault = Fault("data/flihgts.parquet", "missing-data");
        Assert.Equal(("slipway.yaml", 7, 11), (fault.File, fault.Line, fault.Column));
        Assert.Contains("data/flihgts.parquet", fault.Message);
        Assert.Contains("data/flights.parquet", fault.Help);
        Assert.DoesNotContain(folder, fault.Message + fault.Help);
    }

    [Theory]
    [InlineData("nowhere/a.csv", "missing-data")]
    [InlineData("data/empty.csv", "empty-file")]
    [InlineData("data/none-*.csv", "missing-data")]
    [InlineData("emptyfolder", "missing-data")]
    [InlineData("data/a.csv/*.csv", "missing-data")]
    [InlineData("data/readme.md", "unknown-format")]
    [InlineData("data", "unknown-format")]
    [InlineData("s3://bucket/a.parquet", "unsupported-source")]
    [InlineData("data/dangling.csv", "missing-data")]
    [InlineData("data/self.csv", "missing-data")]
    [InlineData("loop", "link-loop")]
    [InlineData("data/bad.csv", "unusable-table")]
    [InlineData("data/bad.jsonl", "unusable-table")]
    [InlineData("data/text.parquet", "unusable-table")]
    public void What_cannot_be_read_is_a_fault(string path, string code)
    {
        Write("data/a.csv", "id\n1\n");
        Write("data/empty.csv", "");
        Write("data/readme.md", "# Data");
        Write("data/bad.csv", "id\n" + string.Concat(Enumerable.Repeat("1\n", 50_000)) + "one\n");
        Write("data/bad.jsonl", "{\"id\":1}\n{\"id\":\n");
        Write("data/text.parquet", "not parquet at all, but long enough to look at");
        Directory.CreateDirectory(Path.Combine(folder, "emptyfolder"));
        File.CreateSymbolicLink(Path.Combine(folder, "data/dangling.csv"), "nothing.csv");
        File.CreateSymbolicLink(Path.Combine(folder, "data/self.csv"), "self.csv");
        Write("loop/a.csv", "id\n1\n");
        File.CreateSymbolicLink(Path.Combine(folder, "loop/back"), "../loop");
        if (path == "data")
        {
            File.Delete(Path.Combine(folder, "data/dangling.csv"));
            File.Delete(Path.Combine(folder, "data/self.csv"));
        }

        Fault(path, code);
    }

    [Fact]
    public void A_cut_parquet_file_is_a_fault()
    {
        WriteParquet("data/a.parquet", "SELECT i FROM range(10000) t(i)");
        Assert.Equal(10_000, Take("data/a.parquet").Snapshot.Rows);
        var whole = File.ReadAllBytes(Path.Combine(folder, "data/a.parquet"));
        foreach (var length in new[] { 1, 8, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(Path.Combine(folder, "data/a.parquet"), whole[..length]);
            Assert.Contains("data/a.parquet", Fault("data/a.parquet", "unusable-table").Message);
        }
    }

    [Theory]
    [InlineData("SELECT 1 AS a, 'x' AS c", "has no column 'b'")]
    [InlineData("SELECT 1 AS a, 2.5::DOUBLE AS b", "column 'b' is INTEGER in")]
    [InlineData("SELECT 1 AS a, 2 AS b, 3 AS c", "has a column 'c'")]
    [InlineData("SELECT 2 AS b, 1 AS a", "stand in another order")]
    public void Files_of_different_columns_are_a_fault(string other, string message)
    {
        WriteParquet("data/1.parquet", "SELECT 1 AS a, 2 AS b");
        WriteParquet("data/2.parquet", "SELECT 3 AS a, 4 AS b");
        Assert.Equal(2, Take("data").Snapshot.Rows);
        WriteParquet("data/3.parquet", other);
        Assert.Contains(message, Fault("data", "mixed-columns").Message);
    }

    [Fact]
    public void Formats_are_not_mixed()
    {
        Write("data/a.csv", "id\n1\n");
        WriteParquet("data/b.parquet", "SELECT 1 AS id");
        Fault("data", "mixed-formats");
    }

    [Fact]
    public void A_link_to_a_file_is_the_file()
    {
        Write("real/a.csv", "id\n1\n");
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        File.CreateSymbolicLink(Path.Combine(folder, "data/a.csv"), "../real/a.csv");
        Assert.Equal(Take("real/a.csv").Snapshot.Digest, Take("data/a.csv").Snapshot.Digest);
    }

    [Fact]
    public void A_file_that_changes_later_is_noticed()
    {
        Write("data/a.csv", "id\n1\n");
        var taken = Take("data/a.csv");
        var index = Index();
        taken.EnsureUnchanged(index);
        Write("data/a.csv", "id\n2\n");
        var e = Assert.Throws<SlipwayException>(() => taken.EnsureUnchanged(index));
        Assert.Equal("changing-file", e.Faults[0].Code);
    }

    private Fault Fault(string path, string code)
    {
        var e = Assert.Throws<SlipwayException>(() => Take(path));
        Assert.Equal((ExitCode.UnusableInput, code), (e.Exit, e.Faults[0].Code));
        Assert.NotNull(e.Faults[0].Help);
        Assert.DoesNotContain(folder, e.Message);
        return e.Faults[0];
    }

    private TakenSnapshot Take(string path, TableReading? reading = null) => SnapshotTaker.Take(
        new DatasetSpec("flights", path, null, null) { At = new Place("slipway.yaml", 7, 11) }, folder, reading ?? Reading(), TestContext.Current.CancellationToken);

    private TableReading Reading() => new() { Index = Index(), CacheFolder = Path.Combine(folder, "cache"), ScratchFolder = Path.Combine(folder, "scratch") };

    private DigestIndex Index() => DigestIndex.Open(Path.Combine(folder, "index"));

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
        File.WriteAllText(Path.Combine(folder, path), content);
    }

    private void WriteParquet(string path, string sql)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [folder] });
        database.Execute($"COPY ({sql}) TO {SqlText.Literal(Path.Combine(folder, path))}");
    }
}
