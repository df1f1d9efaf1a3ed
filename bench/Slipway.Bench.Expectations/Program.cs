using System.Diagnostics;
using Slipway.Documents.Datasets;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Pipeline.Snapshots;
using Slipway.Pipeline.Validation;
using Slipway.Primitives.Units;
using Slipway.Store.Content;

// Claims: the sample's expectations on all 3,000,000 flights take at most twice DuckDB's own time for one query of the same
// counts; peak memory of the process stays under 500 MB. Ours opens the engine, proves the rule, shows the bad rows and keeps
// the report; the reference is the bare query on an open database with as many threads and as much memory. In turn, medians.
const int runs = 7;
const double allowedRatio = 2;
const long allowedPeak = 500_000_000;

var data = args is ["--once", var named] ? named : args is [var path] ? path : Flights();
if (data is null || !File.Exists(data))
{
    Console.Error.WriteLine("usage: Slipway.Bench.Expectations [flights-3m.parquet]   (found by itself after npm ci)");
    return 2;
}

var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
try
{
    if (args is ["--once", _])
    {
        Validate();
        Console.WriteLine(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        return 0;
    }

    var (ours, reference) = (new double[runs], new double[runs]);
    for (var run = -1; run < runs; run++)
    {
        var (mine, bare) = (Validate(), Reference());
        if (run >= 0)
            (ours[run], reference[run]) = (mine, bare);
    }

    var ratio = Median(ours) / Median(reference);
    var peak = PeakOfOneRun();
    var (fast, small) = (ratio <= allowedRatio, peak < allowedPeak);
    Console.WriteLine($"expectations on all flights  median {Median(ours):0} ms (min {ours.Min():0}, max {ours.Max():0}, {runs} runs)");
    Console.WriteLine($"one query of the same counts median {Median(reference):0} ms (min {reference.Min():0}, max {reference.Max():0})  reference");
    Console.WriteLine($"ratio {ratio:0.00}; claim: at most {allowedRatio}: {(fast ? "PASS" : "FAIL")}");
    Console.WriteLine($"peak memory of the process {peak / 1e6:0} MB; claim: under {allowedPeak / 1e6:0} MB: {(small ? "PASS" : "FAIL")}");
    return fast && small ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

double Validate()
{
    var reading = Reading();
    var taken = SnapshotTaker.Take(new DatasetSpec("flights", Path.GetFileName(data), null, null), Path.GetDirectoryName(Path.GetFullPath(data))!, reading, CancellationToken.None);
    var clock = Stopwatch.StartNew();
    var report = Validator.Validate(taken, Sample(), reading, CancellationToken.None);
    var time = clock.Elapsed.TotalMilliseconds;
    var bad = report.Results.Where(result => result.Bad > 0).Select(result => result.Bad);
    if (!report.Passed || !bad.SequenceEqual([3, 191]))
        throw new InvalidOperationException("the report is not the one that the flights give");
    return time;
}

double Reference()
{
    var reading = Reading();
    using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = reading.ScratchFolder, AllowedPaths = [data], MemoryLimit = reading.MemoryLimit, Threads = reading.Threads });
    var table = TableSource.Of(data).From;
    var clock = Stopwatch.StartNew();
    database.Rows(
        $$"""
        SELECT count(*),
               count(*) FILTER (WHERE date IS NULL),
               count(*) FILTER (WHERE NOT (date >= TIMESTAMP '2001-01-01' AND date < TIMESTAMP '2002-01-01')),
               count(*) FILTER (WHERE NOT (delay >= -120 AND delay <= 2000)),
               count(*) FILTER (WHERE distance IS NULL),
               count(*) FILTER (WHERE NOT (distance >= 0 AND distance <= 6000)),
               count(*) FILTER (WHERE NOT regexp_matches(origin, '^[A-Z]{3}$')),
               count(DISTINCT origin),
               count(*) FILTER (WHERE NOT coalesce(origin <> destination, false)),
               (SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM {{table}} GROUP BY date, origin, destination, delay HAVING count(*) > 1))
        FROM {{table}}
        """);
    return clock.Elapsed.TotalMilliseconds;
}

// A cache of its own each time, so that nothing is kept from the run before.
TableReading Reading()
{
    var fresh = Path.Combine(folder, Directory.GetDirectories(folder).Length.ToString());
    return new TableReading { Index = DigestIndex.Open(Path.Combine(folder, "digests")), CacheFolder = Path.Combine(fresh, "cache"), ScratchFolder = Path.Combine(fresh, "scratch") };
}

long PeakOfOneRun()
{
    using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--once", data]) { RedirectStandardOutput = true })!;
    var kibibytes = process.StandardOutput.ReadToEnd().Trim();
    process.WaitForExit();
    return long.Parse(kibibytes) * 1024;
}

// The example of the specification.
static Expectations Sample() => new(
    new RowCountExpectation(1_000_000, null, Severity.Error),
    [
        Column("date", "timestamp") with { Nulls = new Ratio(0), Low = "2001-01-01", High = "2001-12-31" },
        Column("delay", "integer") with { Low = "-120", High = "2000", Severity = Severity.Warn, Tolerate = new Ratio(0.0001) },
        Column("distance", "integer") with { Nulls = new Ratio(0), Low = "0", High = "6000" },
        Column("origin", "string") with { Matches = "^[A-Z]{3}$", DistinctMax = 400 },
    ],
    [new UniqueExpectation(["date", "origin", "destination", "delay"], new Ratio(0.0002), Severity.Error)],
    [new RuleExpectation("a flight goes somewhere else", "origin <> destination", new Ratio(0), Severity.Error)]);

static ColumnExpectation Column(string name, string type) => new(name, type, null, null, null, null, [], null, null, new Ratio(0), Severity.Error);

static string? Flights()
{
    for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
    {
        var candidate = Path.Combine(folder.FullName, "node_modules/vega-datasets/data/flights-3m.parquet");
        if (File.Exists(candidate))
            return candidate;
    }

    return null;
}

static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
