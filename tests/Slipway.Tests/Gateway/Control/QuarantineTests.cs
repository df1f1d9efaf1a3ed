using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Gateway.Control;
using Slipway.Gateway.Routing;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway.Control;

/// <summary>What a gateway does at its next start after its process died, as a copy of its folder at that moment tells it.</summary>
public sealed class QuarantineTests : IAsyncLifetime
{
    private static readonly ModelSignature loop = new(
        [new TensorSpec("steps", Datatype.Int64, [-1, 1], new ValueRange(1, 5), null)], [new TensorSpec("left", Datatype.Float32, [1, 1], null, null)]);

    private readonly SealedModels models = new();
    private readonly string root = Directory.CreateTempSubdirectory("slipway-quarantine-").FullName;
    private ScriptedServer server = null!;
    private VersionRef stable = null!, candidate = null!;

    public async ValueTask InitializeAsync()
    {
        server = await StartAsync(models.Layout);
        (stable, candidate) = (models.Onnx(1, "loop", "loop", loop), models.Onnx(2, "loop", "loop", loop));
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        models.Dispose();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_candidate_that_ran_when_the_process_died_is_quarantined_and_counted_as_harm_once()
    {
        server.Order(1, 5, Route(stable, Canary(candidate, 2000, 3), "loop"));
        await DieAsync(table => table.Rollout!.Candidate, "died");

        await using (var gateway = Start("died"))
        {
            await gateway.UntilStableAsync(stable, "loop");
            await gateway.UntilAsync(() => server.Reports.Last().Versions is [{ State: VersionState.Ready }, { State: VersionState.Quarantined }]);
            Assert.Equal("the gateway's process ended while this version answered", server.Reports.Last().Versions[1].Reason);
            Assert.Null(gateway.Router.Current.Find("loop")!.Rollout);
            Assert.Equal([1], gateway.Router.Current.Find("loop")!.Versions.Keys);
            await gateway.UntilAsync(() => Crashes().Length == 1);
            var (rollout, crash) = Crashes()[0];
            Assert.Equal(("r-1", Arm.Candidate, BadKind.Crash, 3L), (rollout, crash.Arm, crash.Kind, crash.WeightRevision));
            await gateway.UntilAsync(() => gateway.Log.Count > 0 && File.ReadAllText(Path.Combine(root, "died", "crashes", candidate.Bundle.Hex)).Contains("\"told\":\"r-1\""));
        }

        // The next start tells nothing again; another rollout of the same version is told.
        await using var again = Start("died");
        await again.UntilAsync(() => server.Reports.Last() is { Versions: [{ State: VersionState.Ready }, { State: VersionState.Quarantined }] } report && report.Boot != server.Reports.First().Boot);
        Assert.Single(Crashes());
        server.Order(1, 6, Route(stable, Canary(candidate, 100, 1, "r-2"), "loop"));
        await again.UntilAsync(() => Crashes() is [_, ("r-2", { WeightRevision: 1 })]);
    }

    [Fact]
    public async Task A_crash_whose_receipt_was_lost_is_told_again_at_the_next_start()
    {
        server.Order(1, 5, Route(stable, Canary(candidate, 2000, 3), "loop"));
        await DieAsync(table => table.Rollout!.Candidate, "died");
        server.LosesReceipts = true;
        await using (var gateway = Start("died"))
            await gateway.UntilAsync(() => Crashes().Length == 1);
        server.LosesReceipts = false;
        await using var again = Start("died");
        await again.UntilAsync(() => Crashes().Length == 2);
    }

    [Fact]
    public async Task A_stable_version_is_loaded_again_after_a_pause_however_often_the_process_dies_of_it()
    {
        server.Order(1, 5, Route(stable, model: "loop"));
        await DieAsync(table => table.Stable!, "died");
        await using var gateway = Start("died");
        await gateway.UntilStableAsync(stable, "loop");
        Assert.Contains(gateway.Log, line => line.EndsWith("it is loaded again in 1 s", StringComparison.Ordinal));
        Assert.Empty(Crashes());
    }

    [Fact]
    public async Task A_candidate_that_was_only_loaded_is_not_accused_at_once()
    {
        server.Order(1, 5, Route(stable, Canary(candidate, 2000, 3), "loop"));
        await DieAsync(null, "died");
        await using var gateway = Start("died");
        await gateway.UntilAsync(table => table.Find("loop")?.Rollout is not null);
        Assert.Empty(Crashes());
    }

    [Fact]
    public void Deaths_are_laid_to_versions_by_the_rule()
    {
        var (good, bad) = (Digest.Of("good"u8), Digest.Of("bad"u8));
        var last = new DesiredState("production", 1, 1, DesiredState.DefaultLease, [Route(new VersionRef(1, good), Canary(new VersionRef(2, bad), 1, 1))]);
        var folder = Directory.CreateDirectory(Path.Combine(root, "notes")).FullName;
        CrashNotes Start(params CrashMark[] marks) => CrashNotes.Open(folder, last, marks);
        CrashMark Mark(Digest bundle, CrashMoment moment) => new("flight-delay", bundle, moment);

        // Beside: the stable version is never accused, the other at the fifth time.
        for (var death = 1; death < CrashNotes.MaxDeaths; death++)
            Assert.Null(Start(Mark(good, CrashMoment.Beside), Mark(bad, CrashMoment.Beside)).Find(bad)!.Quarantined);
        Assert.Null(Start().Find(good));
        Start().Forgive(bad);
        Assert.Null(Start(Mark(bad, CrashMoment.Beside)).Find(bad)!.Quarantined);
        for (var death = 2; death < CrashNotes.MaxDeaths; death++)
            Start(Mark(bad, CrashMoment.Beside));
        Assert.Contains("5 times", Start(Mark(bad, CrashMoment.Beside)).Find(bad)!.Quarantined);

        // What is kept warm is the way back: however often the process dies beside it, it stays one. In its own load it does not.
        var way = Digest.Of("way back"u8);
        var (unchanged, withWarm) = (last, last with { Models = [last.Models[0] with { Warm = [new VersionRef(3, way)] }] });
        last = withWarm;
        for (var death = 0; death < 2 * CrashNotes.MaxDeaths; death++)
            Assert.Null(Start(Mark(way, CrashMoment.Beside)).Find(way));
        Assert.NotNull(Start(Mark(way, CrashMoment.Loading)).Find(way)!.Quarantined);
        last = unchanged;
        File.Delete(Path.Combine(folder, way.Hex));

        // Quarantine is not forgiven, and lasts.
        Start().Forgive(bad);
        Assert.Equal(["flight-delay"], Start().Quarantined.Select(note => note.Model));

        // In the middle of a run of both: the one that is not stable. Of the stable one alone: longer pauses, up to a bound.
        Assert.Equal(TimeSpan.Zero, Start(Mark(good, CrashMoment.Running), Mark(bad, CrashMoment.Running)).PauseBefore(good));
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], Enumerable.Range(0, 8).Select(_ => Start(Mark(good, CrashMoment.Running)).PauseBefore(good).TotalSeconds));
        Assert.Null(Start().Find(good)!.Quarantined);
        Start().Forgive(good);
        Assert.Equal(TimeSpan.Zero, Start().PauseBefore(good));

        // During a load: at once.
        var fresh = Digest.Of("fresh"u8);
        Assert.Contains("loaded", Start(Mark(fresh, CrashMoment.Loading)).Find(fresh)!.Quarantined);
    }

    private (string Rollout, BadEvent Event)[] Crashes() =>
        [.. server.Batches.SelectMany(batch => batch.Rollouts.SelectMany(rollout => rollout.Bad.Where(bad => bad.Kind == BadKind.Crash).Select(bad => (rollout.Rollout, bad))))];

    /// <summary>Runs a gateway until a version of it answers for ever, and keeps its folder as it is at that moment.</summary>
    private async Task DieAsync(Func<LiveRoute, ServedVersion>? running, string name)
    {
        await using var gateway = Start("alive", options => options with { PredictionLimit = TimeSpan.FromSeconds(20) });
        await gateway.UntilAsync(table => table.Find("loop") is { Stable: not null } route && route.Versions.Count == server.Reports.LastOrDefault()?.Versions.Length);
        await gateway.UntilAsync(() => server.Reports.Last().Revision == 5 && File.Exists(Path.Combine(root, "alive", "state.json")));
        using var stop = new CancellationTokenSource();
        var run = Task.CompletedTask;
        if (running is not null)
        {
            var version = running(gateway.Router.Current.Find("loop")!);
            run = Task.Run(async () =>
            {
                using var inputs = TensorSet.ForInputs(loop);
                using var outputs = TensorSet.ForOutputs(loop);
                Slipway.Tests.Runtime.ModelHosts.HostedModels.Fill(inputs.Tensors[0], [long.MaxValue], 1, 1);
                await version.Host.PredictAsync(inputs, outputs, TimeSpan.FromSeconds(3), stop.Token);
            });
            await gateway.UntilAsync(() => CrashMarks.ReadAll(Path.Combine(root, "alive", "hosts")).Any(mark => mark.Moment == CrashMoment.Running));
            Assert.False(run.IsCompleted);
        }

        foreach (var file in Directory.GetFiles(Path.Combine(root, "alive"), "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("lock", StringComparison.Ordinal)))
        {
            var copy = Path.Combine(root, name, Path.GetRelativePath(Path.Combine(root, "alive"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllBytes(copy, File.ReadAllBytes(file));
        }

        await run;
    }

    private TestGateway Start(string name, Func<GatewayOptions, GatewayOptions>? options = null) => new(server.Url, models.Keys, Path.Combine(root, name), options);
}
