using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Protocol;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Stats.Sketches;

namespace Slipway.Bench.Gateway;

/// <summary>
/// A gateway with everything on: two versions of an ONNX model, a canary at 10 %, a rate limit, metrics, every request's values profiled in the
/// bins of a sealed reference, and its events and telemetry sent off as they are in service.
/// </summary>
internal sealed class CanaryServer(string file, string state) : IAsyncDisposable
{
    /// <summary>What the process is told to count and profile requests for the server, or not: all else is the same, down to the compiled code.</summary>
    public const string Told = "told", Untold = "untold";

    private const string Model = "flight-delay";

    /// <summary>Of so many switches one loads the model anew and ends the one before; the others give the same host to a new version.</summary>
    private const int LoadEvery = 25;

    private readonly Router router = new();
    private readonly RolloutRecorder recorder = new("bench", "1", "production", TimeProvider.System);
    private readonly Samplers samplers = new(new SampleClock(TimeProvider.System));
    private readonly List<Task> retiring = [];
    private bool isSampled = true;
    private IModelHost? stableHost, candidateHost;
    private ServedVersion? stable, candidate;
    private int number, revision;

    public static async Task<int> RunAsync(string file)
    {
        var state = Directory.CreateTempSubdirectory("slipway-bench-");
        try
        {
            await using var gateway = new CanaryServer(file, state.FullName);
            await gateway.StartAsync();
            var options = new InferenceOptions { Channel = "production", RateLimit = new RateLimit(1e6, 1_000_000, null) };
            await using var server = await InferenceServer.StartAsync(options, gateway.router, CancellationToken.None);
            using var stopping = new CancellationTokenSource();
            var sending = Task.WhenAll(gateway.SendAsync(stopping.Token), gateway.TellAsync(stopping.Token));
            Console.WriteLine(server.Url);
            while (await Console.In.ReadLineAsync() is { } line)
                Console.WriteLine(line is Told or Untold ? gateway.Sample(line == Told) : await gateway.SwitchAsync(int.Parse(line)));
            await stopping.CancelAsync();
            await sending;
            return 0;
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(retiring);
        await stableHost!.DisposeAsync();
        await candidateHost!.DisposeAsync();
    }

    private async Task StartAsync()
    {
        (stableHost, candidateHost) = (await LoadAsync(), await LoadAsync());
        (stable, candidate) = (Version(stableHost), Version(candidateHost));
        Replace();
    }

    private int Sample(bool isOn)
    {
        var before = (stable!, candidate!);
        isSampled = isOn;
        (stable, candidate) = (Version(stableHost!), Version(candidateHost!));
        Replace();
        retiring.AddRange([before.Item1.RetireAsync(), before.Item2.RetireAsync()]);
        return number;
    }

    /// <summary>Puts another version in the stable one's place, time after time, and retires the one before.</summary>
    private async Task<int> SwitchAsync(int times)
    {
        for (var i = 1; i <= times; i++)
        {
            var before = (stable!, stableHost!);
            if (i % LoadEvery == 0)
                stableHost = await LoadAsync();
            stable = Version(stableHost!);
            Replace();
            retiring.Add(RetireAsync(before.Item1, ReferenceEquals(before.Item2, stableHost) ? null : before.Item2));
            await Task.Delay(2);
        }

        await Task.WhenAll(retiring);
        return times;
    }

    private static async Task RetireAsync(ServedVersion version, IModelHost? host)
    {
        await version.RetireAsync();
        if (host is not null)
            await host.DisposeAsync();
    }

    private void Replace()
    {
        var rollout = new RolloutRoute("bench", candidate!.Version, 1000, false, 1, "request-id", "5f0c2a");
        var versions = new Dictionary<int, ServedVersion> { [stable!.Version.Number] = stable, [candidate.Version.Number] = candidate };
        var route = new LiveRoute(Model, stable, new LiveRollout(rollout, candidate, recorder.Follow(rollout)), versions.ToFrozenDictionary(), TimeSpan.FromMilliseconds(50), Monitor: isSampled ? new RouteMonitor(new Ratio(1), null, null) : null);
        router.Replace(new RoutingTable(1, ++revision, new Dictionary<string, LiveRoute> { [Model] = route }.ToFrozenDictionary()));
    }

    private ServedVersion Version(IModelHost host)
    {
        var version = new VersionRef(++number, host.Model.Bundle);
        return new(version, new Shared(host), isSampled ? samplers.Begin(Model, version, host.Model) : null);
    }

    private async Task<IModelHost> LoadAsync()
    {
        var signature = new ModelSignature(
            [
                new TensorSpec("distance", Datatype.Float32, [-1, 1], new ValueRange(0, 6000), "miles"),
                new TensorSpec("hour", Datatype.Int64, [-1, 1], new ValueRange(0, 23), null),
            ],
            [new TensorSpec("probability", Datatype.Float32, [-1, 1], new ValueRange(0, 1), null)]);
        var hosted = new HostedModel(Model, Digest.Of("bench"u8), AppContext.BaseDirectory, file, signature, new RuntimeSpec(null, ImmutableArray<StageInput>.Empty, null))
        {
            Reference = new ReferenceProfile([Reference("distance", 9, 300), Reference("hour", 19, 1)], [Reference("probability", 9, 0.1)]),
        };
        return await ModelHost.StartAsync(hosted, new HostOptions { StateFolder = state }, CancellationToken.None);
    }

    private static ReferenceFeature Reference(string name, int edges, double apart) =>
        new(name, Sensitivity.Public, [.. Enumerable.Range(1, edges).Select(edge => edge * apart)], null, new ColumnProfile(0, 0, [.. new long[edges + 1]], default(Moments)));

    private async Task TellAsync(CancellationToken cancellation)
    {
        var log = new TelemetryLog("bench", "1", "production");
        while (!cancellation.IsCancellationRequested)
        {
            log.Add(samplers.Drain());
            while (log.IsDue)
            {
                var batch = log.Take(static () => new HostLoad(0, 1, null, 0, 0));
                _ = CanonicalJson.Serialize(batch, MonitoringJson.Default.TelemetryBatch);
                log.Acknowledge(batch.Sequence);
            }

            await Task.Delay(1000, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            if (recorder.TakeBatch() is { } batch)
            {
                _ = JsonSerializer.SerializeToUtf8Bytes(batch, RolloutJson.Default.EventBatch);
                recorder.Acknowledge(batch.Sequence);
            }

            await Task.Delay(100, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A host that outlives the version.</summary>
    private sealed class Shared(IModelHost host) : IModelHost
    {
        public HostedModel Model => host.Model;

        public string? NotReady => host.NotReady;

        public Task WaitUntilReadyAsync(CancellationToken cancellation) => host.WaitUntilReadyAsync(cancellation);

        public ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation) => host.PredictAsync(inputs, outputs, limit, cancellation);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
