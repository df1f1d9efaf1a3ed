using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Primitives.Bytes;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Storage;
using Slipway.Stats.Sketches;

namespace Slipway.Bench.Monitoring;

/// <summary>Seconds of data that one second of processor time takes in, and the bytes that stay.</summary>
internal static class Intake
{
    private const int Gateways = 200, Versions = 3, Features = 50, Requests = 100, Seconds = 40, Changes = 3, StoredRows = 1_000;
    private const double ClaimedRatio = 1, ClaimedBytes = 2e9;
    public const string Model = "flight-delay", Channel = "production";

    public static async Task<bool> HoldsAsync()
    {
        var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
        try
        {
            var file = Path.Combine(folder, "server.db");
            await using var database = await Database.OpenAsync(null, file, CancellationToken.None);
            await database.ChangeAsync(RegisterAsync, CancellationToken.None);
            var fast = await TakeInAsync(database);
            var small = await StoreAsync(database, file);
            return fast && small;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> TakeInAsync(Database database)
    {
        var (intake, random) = (new TelemetryIntake(), new Random(1));
        var start = DateTimeOffset.UnixEpoch.AddDays(20_000).ToUnixTimeSeconds();
        var (reading, storing, bytes) = (TimeSpan.Zero, TimeSpan.Zero, 0L);
        for (var second = -5; second < Seconds; second++)
        {
            var now = (start + second + 6) * 1_000;
            var bodies = Enumerable.Range(0, Gateways).Select(gateway => JsonSerializer.SerializeToUtf8Bytes(Batch(random, gateway, second + 6, now / 1_000), MonitoringJson.Default.TelemetryBatch)).ToArray();
            foreach (var group in bodies.Chunk((Gateways + Changes - 1) / Changes))
            {
                var begun = Environment.CpuUsage.TotalTime;
                var batches = Array.ConvertAll(group, body => new ArrivedBatch(JsonSerializer.Deserialize(body, MonitoringJson.Default.TelemetryBatch)!, "service:gateways", null));
                var read = Environment.CpuUsage.TotalTime;
                await database.ChangeAsync(session => intake.TakeInAsync(session, batches, now), CancellationToken.None);
                if (second < 0)
                    continue;       // code that is not yet compiled
                (reading, storing, bytes) = (reading + (read - begun), storing + (Environment.CpuUsage.TotalTime - read), bytes + group.Sum(body => body.Length));
            }
        }

        var requests = await database.ReadAsync(session => session.FindAsync<long>("SELECT CAST(SUM(requests) AS BIGINT) FROM windows WHERE length = @length", new { length = WindowLength.Longest.Milliseconds }), CancellationToken.None);
        if (requests != (Seconds + 5L) * Gateways * Versions * Requests)
            throw new InvalidOperationException($"{requests} requests are stored");
        var ratio = Seconds / (reading + storing).TotalSeconds;
        Console.WriteLine(Invariant($"{Gateways} gateways × {Versions} versions × {Features} features a second: {bytes / 1e6 / Seconds:0.0} MB of JSON"));
        Console.WriteLine(Invariant($"reading {reading.TotalSeconds / Seconds * 1000:0} ms, windows {storing.TotalSeconds / Seconds * 1000:0} ms of processor time for a second of data; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB, the making of the load included"));
        Console.WriteLine(Invariant($"{ratio:0.0} s of data a second of processor time; claim: at least {ClaimedRatio}: {Word(ratio >= ClaimedRatio)}"));
        return ratio >= ClaimedRatio;
    }

    /// <summary>What a window of each length takes on disk, indexes and all, times the windows that are kept after 30 days.</summary>
    private static async Task<bool> StoreAsync(Database database, string file)
    {
        var window = (await database.ReadAsync(async session => await WindowTable.ReadAsync(session, Model, Channel, WindowLength.Longest.Milliseconds, 0, long.MaxValue).FirstAsync(), CancellationToken.None)).Sum;
        // As full as the longest window of a busy day: counts of more digits take more bytes.
        for (var i = 0; i < 7; i++)
            window.Add(WindowSum.Read(window.ToBytes()));
        var before = await SizeAsync(database, file);
        for (var row = 0; row < StoredRows; row += 100)
        {
            var from = row;
            await database.ChangeAsync(
                async session =>
                {
                    for (var i = from; i < from + 100; i++)
                        await WindowTable.AddAsync(session, new WindowKey(Model, Channel, WindowLength.Longest.Milliseconds, i * WindowLength.Longest.Milliseconds, 1, TrafficArm.Stable), window);
                },
                CancellationToken.None);
        }

        var each = (await SizeAsync(database, file) - before) / (double)StoredRows;
        var days30 = TimeSpan.FromDays(30).TotalMilliseconds;
        var kept = WindowLength.All.Select(length => (long)Math.Min(length.Keep, days30) / length.Milliseconds).ToArray();
        // While a rollout runs a version has two arms; as if that were always so.
        var total = each * kept.Sum() * Versions * 2;
        Console.WriteLine(Invariant($"a window has {each:0} bytes on disk ({window.ToBytes().Length} of data); kept after 30 days: {string.Join(" + ", kept)} = {kept.Sum()} windows of a version and arm"));
        Console.WriteLine(Invariant($"× {Versions} versions × 2 arms = {total / 1e6:0} MB; claim: less than {ClaimedBytes / 1e6:0} MB: {Word(total < ClaimedBytes)}"));
        return total < ClaimedBytes;
    }

    private static async Task<long> SizeAsync(Database database, string file)
    {
        await database.ScrubAsync("windows", CancellationToken.None);
        return new FileInfo(file).Length;
    }

    public static async Task RegisterAsync(Session session)
    {
        ImmutableArray<TensorSpec> inputs = [.. Enumerable.Range(0, Features - 1).Select(i => new TensorSpec($"feature_{i:00}", Datatype.Float32, [-1, 1], null, null))];
        ImmutableArray<TensorSpec> outputs = [new("probability", Datatype.Float32, [-1, 1], null, null)];
        var reference = new ReferenceProfile([.. inputs.Select(Reference)], [.. outputs.Select(Reference)]);
        for (var version = 1; version <= Versions; version++)
        {
            var bundle = Digest.Of([(byte)version]);
            await VersionTable.InsertAsync(
                session,
                new ModelVersion(Model, version, bundle, bundle, new GateReport(bundle, null, Verdict.Pass, []), [], "user:author", "Ada", 1, "a benchmark"),
                new SealedEvidence(null, null, new LineageGraph([])),
                new SealedProfile("binary-classification", new ModelSignature(inputs, outputs), reference, ImmutableSortedDictionary<string, Figure>.Empty));
        }
    }

    private static ReferenceFeature Reference(TensorSpec tensor) => new(
        tensor.Name, Sensitivity.Public, [.. Enumerable.Range(1, ReferenceFeature.QuantileBins - 1).Select(i => i / 10.0)], null, new(10_000, 0, [.. Enumerable.Repeat(1_000L, ReferenceFeature.QuantileBins)], new Moments(10_000, 0, 1, 0.5, 800, 1, 100)));

    private static TelemetryBatch Batch(Random random, int gateway, int sequence, long second) => new(
        $"gateway-{gateway:000}", "01hzy3v7k2", Channel, sequence, [.. Enumerable.Range(1, Versions).Select(version => Slice(random, version, second))], new HostLoad(0.7, 4, 1.2, 400_000_000, 12), 0);

    private static TelemetrySlice Slice(Random random, int version, long second)
    {
        var latency = new long[LatencyBuckets.Count];
        for (var i = 0; i < Requests; i++)
            latency[10 + random.Next(20)]++;
        return new(
            Model, version, TrafficArm.Stable, second, 1, Requests, [1, 0, 0, 0, 0], [.. latency], Requests,
            [.. Enumerable.Range(0, Features - 1).Select(i => new FeatureProfile($"feature_{i:00}", Profile(random)))], [new("probability", Profile(random))], [], 0, []);
    }

    private static ColumnProfile Profile(Random random)
    {
        var bins = new long[ReferenceFeature.QuantileBins];
        var moments = default(Moments);
        for (var i = 0; i < Requests; i++)
        {
            var value = random.NextDouble();
            bins[(int)(value * bins.Length)]++;
            moments = moments.Add(value);
        }

        return new(Requests, 0, [.. bins], moments);
    }

    private static string Word(bool holds) => holds ? "PASS" : "FAIL";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
