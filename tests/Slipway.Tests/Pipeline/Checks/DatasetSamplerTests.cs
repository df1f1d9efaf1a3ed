using System.IO.Compression;
using System.Text;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Checks;
using Slipway.Pipeline.Snapshots;
using Slipway.Store.Content;

namespace Slipway.Tests.Pipeline.Checks;

public sealed class DatasetSamplerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("a.csv")]
    [InlineData("a.csv.gz")]
    [InlineData("a.jsonl")]
    [InlineData("a.parquet")]
    public void The_same_data_give_the_same_bytes_and_exactly_the_rows_asked_for(string name)
    {
        Write(name, 1_000);
        var first = Sample(name, new(100, 7), "one");
        var again = Sample(name, new(100, 7), "two");
        Assert.NotEqual(first, again);
        Assert.Equal(first.Select(File.ReadAllBytes), again.Select(File.ReadAllBytes));
        Assert.Equal(100, Ids(first).Distinct().Count());
        Assert.Equal(Ids(first).Order(), Ids(first));
        Assert.NotEqual(Ids(first), Ids(Sample(name, new(100, 8), "three")));
    }

    [Theory]
    [InlineData(".csv")]
    [InlineData(".jsonl")]
    [InlineData(".parquet")]
    public void Several_files_are_one_sequence_and_each_keeps_its_columns(string extension)
    {
        Write("data/a" + extension, 10);
        Write("data/sub/b" + extension, 980, from: 10);
        Write("data/z" + extension, 10, from: 990);
        var files = Sample("data", new(50, 42), "one");
        Assert.Equal(["a" + extension, "sub/b" + extension, "z" + extension], files.Select(file => Path.GetRelativePath(Path.Combine(folder, "one"), file)).Select(path => path[(path.IndexOf('/') + 1)..]));
        Assert.Equal(50, files.SelectMany(file => Ids([file])).Count());
        Assert.InRange(Ids([files[1]]).Count(), 47, 50);
        Assert.All(Ids([files[2]]), id => Assert.InRange(id, 990, 999));
    }

    [Fact]
    public void A_file_that_gives_no_row_keeps_its_header()
    {
        Write("data/a.csv", 1);
        Write("data/b.csv", 999, from: 1);
        var files = Sample("data", new(2, 42), "one");
        Assert.Equal(["id,text", "id,text"], files.Select(file => File.ReadLines(file).First()));
        Assert.Equal(2, files.Sum(file => File.ReadLines(file).Count() - 1));
    }

    [Fact]
    public void A_record_of_CSV_is_taken_byte_by_byte()
    {
        var records = Enumerable.Range(0, 200).Select(i => $"{i:000};\"a \"\"b\"\"\nand; {i}\";{i}.50\r\n").ToList();
        WriteBytes("a.csv", "id;text;money\r\n" + string.Concat(records));
        var text = File.ReadAllText(Sample("a.csv", new(20, 1), "one")[0]);
        Assert.StartsWith("id;text;money\r\n", text);
        Assert.Equal(20, records.Count(text.Contains));
        Assert.Equal("id;text;money\r\n".Length + records.Where(text.Contains).Sum(record => record.Length), text.Length);
    }

    [Fact]
    public void Records_that_cannot_be_told_apart_are_taken_whole()
    {
        WriteBytes("a.csv", "id,text\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"{i},'a\nb'\n")));
        var taken = TakenOf("a.csv");
        Assert.SkipUnless(taken.Snapshot.Rows == 100, "the reader takes these quotes for text, and so does the sampler");
        var sample = new DatasetSampler(Path.Combine(folder, "one"), Reading()).Sample(new(10, 1), taken, TestContext.Current.CancellationToken);
        Assert.Contains("cannot be told apart", sample.Whole);
        Assert.Equal(taken.Files, sample.Files);
    }

    [Fact]
    public void A_dataset_with_no_more_rows_is_taken_whole()
    {
        Write("a.csv", 10);
        var sample = new DatasetSampler(Path.Combine(folder, "one"), Reading()).Sample(new(10, 1), TakenOf("a.csv"), TestContext.Current.CancellationToken);
        Assert.Equal("it has no more rows", sample.Whole);
        Assert.False(Directory.Exists(Path.Combine(folder, "one")));
    }

    [Fact]
    public void A_sample_is_kept_and_what_nobody_names_is_forgotten()
    {
        Write("a.csv", 100);
        var sampler = new DatasetSampler(Path.Combine(folder, "one"), Reading());
        var first = sampler.Sample(new(10, 1), TakenOf("a.csv"), TestContext.Current.CancellationToken);
        var written = File.GetLastWriteTimeUtc(first.Files[0]);
        Assert.Equal(first.Files, sampler.Sample(new(10, 1), TakenOf("a.csv"), TestContext.Current.CancellationToken).Files);
        Assert.Equal(written, File.GetLastWriteTimeUtc(first.Files[0]));
        sampler.Forget(new HashSet<string> { first.Key! });
        Assert.True(File.Exists(first.Files[0]));
        sampler.Forget(new HashSet<string>());
        Assert.False(File.Exists(first.Files[0]));
    }

    private IReadOnlyList<string> Sample(string path, SampleSpec sample, string place) =>
        new DatasetSampler(Path.Combine(folder, place), Reading()).Sample(sample, TakenOf(path), TestContext.Current.CancellationToken).Files;

    private TakenSnapshot TakenOf(string path) =>
        SnapshotTaker.Take(new DatasetSpec("d", path, null, null) { At = new Place("slipway.yaml", 1, 1) }, folder, Reading(), TestContext.Current.CancellationToken);

    private TableReading Reading() => new() { Index = DigestIndex.Open(Path.Combine(folder, "index")), CacheFolder = Path.Combine(folder, "cache"), ScratchFolder = Path.Combine(folder, "scratch") };

    private void WriteBytes(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
        File.WriteAllText(Path.Combine(folder, path), text);
    }

    private void Write(string path, int rows, int from = 0)
    {
        var numbers = Enumerable.Range(from, rows);
        var text = path.Contains(".csv") ? "id,text\n" + string.Concat(numbers.Select(i => $"{i},t{i}\n")) : string.Concat(numbers.Select(i => $"{{\"id\": {i}, \"text\": \"t{i}\"}}\n"));
        if (path.EndsWith(".parquet"))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [Path.Combine(folder, path)] });
            database.Execute($"COPY (SELECT i + {from} AS id, 't' || (i + {from}) AS text FROM range({rows}) numbers(i)) TO {SqlText.Literal(Path.Combine(folder, path))} (FORMAT parquet)");
        }
        else if (path.EndsWith(".gz"))
        {
            using var file = File.Create(Path.Combine(folder, path));
            using var zip = new GZipStream(file, CompressionLevel.Fastest);
            zip.Write(Encoding.UTF8.GetBytes(text));
        }
        else
        {
            WriteBytes(path, text);
        }
    }

    private List<long> Ids(IReadOnlyList<string> files)
    {
        var from = files[0].Contains(".csv") ? "read_csv" : files[0].EndsWith(".jsonl") ? "read_json" : "read_parquet";
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [.. files] });
        return [.. files.Where(file => new FileInfo(file).Length > 0).SelectMany(file => database.Rows($"SELECT id FROM {from}({SqlText.Literal(file)})")).Select(row => long.Parse(row[0]!))];
    }
}
