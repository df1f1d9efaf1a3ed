using Slipway.Documents.Rollouts;
using Slipway.Gateway.Control;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Trust.Policies;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway.Control;

public sealed class GatewayControlTests : IAsyncLifetime
{
    private readonly SealedModels models = new();
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-gateway-").FullName;
    private ScriptedServer server = null!;

    public async ValueTask InitializeAsync() => server = await StartAsync(models.Layout);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        models.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_the_server_orders_is_fetched_verified_loaded_and_answers()
    {
        var version = models.Onnx(1);
        server.Order(1, 1, Route(version));
        await using var gateway = Start();
        await gateway.UntilStableAsync(version);
        Assert.Equal((PredictionStatus.Done, version), (await gateway.AskAsync() is var (prediction, by) ? prediction.Status : default, by));
        await gateway.UntilAsync(() => server.Reports.LastOrDefault() is { Revision: 1, Versions: [{ State: VersionState.Ready }] });
        Assert.Equal(("edge-1", "production", 1L), (server.Reports.Last().Gateway, server.Reports.Last().Channel, server.Reports.Last().Epoch));
    }

    [Fact]
    public async Task An_older_epoch_and_an_older_revision_are_refused()
    {
        var (first, second) = (models.Onnx(1), models.Onnx(2));
        server.Order(5, 7, Route(second, warm: first));
        await using (var gateway = Start())
        {
            await gateway.UntilStableAsync(second);
            server.Order(4, 9, Route(first));
            await gateway.UntilAsync(() => gateway.Log.Any(line => line.Contains("is of epoch 4, and epoch 5 was seen before")));
            server.Order(5, 6, Route(first));
            await gateway.UntilAsync(() => gateway.Log.Any(line => line.Contains("is revision 6 of epoch 5, and revision 7 was seen before")));
            Assert.Equal(second, gateway.Router.Current.Find("flight-delay")!.Stable!.Version);
            server.Order(6, 1, Route(first));
            await gateway.UntilStableAsync(first);
        }

        // The epoch is remembered over restarts.
        server.Order(5, 100, Route(second));
        await using var again = Start();
        await again.UntilAsync(() => again.Log.Any(line => line.Contains("is of epoch 5, and epoch 6 was seen before")));
        await again.UntilStableAsync(first);
    }

    [Fact]
    public async Task Without_the_server_it_starts_with_what_it_had_and_gives_a_candidate_nothing()
    {
        var (stable, candidate) = (models.Onnx(1), models.Onnx(2));
        server.Order(1, 3, Route(stable, Canary(candidate, 5000, 2)));
        await using (var gateway = Start())
        {
            await gateway.UntilAsync(table => table.Find("flight-delay")?.Rollout?.Route.Weight == 5000);
            await gateway.UntilAsync(() => server.Reports.LastOrDefault() is { Revision: 3 });
        }

        server.Up = false;
        await using var alone = Start();
        await alone.UntilStableAsync(stable);
        await alone.UntilAsync(table => table.Find("flight-delay")!.Versions.Count == 2);
        Assert.Null(alone.Router.Current.Find("flight-delay")!.Rollout);
        Assert.Equal(PredictionStatus.Done, (await alone.AskAsync()).Prediction.Status);
        Assert.Equal(2, alone.Control.Current.InForce!.Revision);       // not all of revision 3 is in force

        server.Up = true;
        await alone.UntilAsync(table => table.Find("flight-delay")!.Rollout?.Route.Weight == 5000);
        await alone.UntilAsync(() => server.Reports.Last() is { Revision: 3, LeaseLapses: 0 });
    }

    [Fact]
    public async Task A_candidate_loses_its_weight_when_the_lease_lapses_and_gets_it_back_when_the_server_is_heard()
    {
        var (stable, candidate) = (models.Onnx(1), models.Onnx(2));
        var state = server.Order(1, 3, Route(stable, Canary(candidate, 100, 1)));
        server.Order(state with { Revision = 4, Lease = new Duration(TimeSpan.FromSeconds(3)) });
        await using var gateway = Start();
        await gateway.UntilAsync(table => table.Find("flight-delay")?.Rollout is not null);
        await gateway.UntilAsync(() => server.Reports.Any(report => report.Revision == 4 && report.Versions[1] is { WeightRevision: 1, State: VersionState.Ready }));

        server.Up = false;
        await gateway.UntilAsync(table => table.Find("flight-delay") is { Rollout: null, Stable: not null });
        Assert.Equal(2, gateway.Router.Current.Find("flight-delay")!.Versions.Count);
        Assert.Equal(3, gateway.Control.Current.InForce!.Revision);
        Assert.Null(gateway.Control.Current.Versions[1].WeightRevision);

        server.Up = true;
        await gateway.UntilAsync(table => table.Find("flight-delay")!.Rollout is not null);
        await gateway.UntilAsync(() => server.Reports.Last() is { Revision: 4, LeaseLapses: 1 });
    }

    [Fact]
    public async Task What_does_not_verify_is_refused_with_its_reason_and_harms_no_other_model()
    {
        var (good, strange) = (models.Onnx(1, "other"), models.Strange(1));
        server.Order(1, 1, Route(strange), Route(good, model: "other"));
        await using var gateway = Start();
        await gateway.UntilStableAsync(good, "other");
        await gateway.UntilAsync(() => server.Reports.LastOrDefault()?.Versions is [{ State: VersionState.Refused }, { State: VersionState.Ready }]);
        Assert.Contains("signed only by keys that are not trusted", server.Reports.Last().Versions[0].Reason);
        Assert.Equal(0, server.Reports.Last().Revision);
        Assert.Null(gateway.Router.Current.Find("flight-delay")!.Stable);
        Assert.Equal("version 1 is refused here", gateway.Router.Current.Find("flight-delay")!.Unready);
    }

    [Fact]
    public async Task A_bundle_by_a_key_that_the_policy_revokes_is_refused()
    {
        var version = models.Onnx(1);
        server.Order(1, 1, Route(version));
        TrustPolicy trusted = models.Keys;
        var revoked = new Revocation(Digest.Parse("sha256:" + models.Keys.Keys[0].KeyId), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), "laptop stolen");
        await using var gateway = Start(options => options with { Trusted = trusted with { Revoked = [revoked] } });
        await gateway.UntilAsync(() => server.Reports.LastOrDefault()?.Versions is [{ State: VersionState.Refused }]);
        Assert.Contains("laptop stolen", server.Reports.Last().Versions[0].Reason);
    }

    [Fact]
    public async Task A_bundle_of_another_model_is_refused()
    {
        var version = models.Onnx(1, "other");
        server.Order(1, 1, Route(version));
        await using var gateway = Start();
        await gateway.UntilAsync(() => server.Reports.LastOrDefault()?.Versions is [{ State: VersionState.Refused }]);
        Assert.Equal("the bundle is of model 'other', and the server names it for 'flight-delay'", server.Reports.Last().Versions[0].Reason);
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("longer")]
    [InlineData("shorter")]
    [InlineData("empty")]
    public async Task A_blob_that_is_not_what_was_asked_for_never_gets_in(string how)
    {
        var version = models.Onnx(1);
        server.Spoil = (_, bytes) => how switch
        {
            "changed" => [(byte)(bytes[0] ^ 1), .. bytes[1..]],
            "longer" => [.. bytes, 0],
            "shorter" => bytes[..^1],
            _ => [],
        };
        server.Order(1, 1, Route(version));
        await using var gateway = Start();
        await gateway.UntilAsync(() => server.Asked.Count > 1 || gateway.Control.Current.Versions is [{ State: VersionState.Refused }]);
        Assert.DoesNotContain(Directory.GetFiles(folder, "*", SearchOption.AllDirectories), file => file.Contains("blobs/sha256") && !Path.GetFileName(file).StartsWith(".tmp-", StringComparison.Ordinal));
        server.Spoil = static (_, bytes) => bytes;
        await gateway.UntilStableAsync(version);
    }

    [Fact]
    public async Task What_was_damaged_on_disk_is_found_and_fetched_again()
    {
        var version = models.Onnx(1);
        server.Order(1, 1, Route(version));
        await using (var gateway = Start())
            await gateway.UntilStableAsync(version);
        var blob = Directory.GetFiles(Path.Combine(folder, "bundles", version.Bundle.Hex, "blobs", "sha256")).MaxBy(file => new FileInfo(file).Length)!;
        var bytes = File.ReadAllBytes(blob);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(blob, bytes);
        var asked = server.Asked.Count;
        await using var again = Start();
        await again.UntilStableAsync(version);
        Assert.Equal(asked + 1, server.Asked.Count);        // only what was damaged
    }

    [Fact]
    public async Task What_was_half_deleted_is_fetched_again_as_a_whole()
    {
        var version = models.Onnx(1);
        server.Order(1, 1, Route(version));
        await using (var gateway = Start())
            await gateway.UntilStableAsync(version);
        File.Delete(Path.Combine(folder, "bundles", version.Bundle.Hex, "index.json"));
        await using var again = Start();
        await again.UntilStableAsync(version);
        Assert.DoesNotContain(again.Log, line => line.Contains("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Layers_that_another_version_has_already_are_not_fetched_again()
    {
        var (first, second) = (models.Onnx(1), models.Onnx(2));
        server.Order(1, 1, Route(first));
        await using var gateway = Start();
        await gateway.UntilStableAsync(first);
        var asked = server.Asked.ToHashSet();
        server.Order(1, 2, Route(second));
        await gateway.UntilStableAsync(second);
        Assert.Equal(server.Asked.Count, server.Asked.Distinct().Count());
        Assert.True(server.Asked.Count < 2 * asked.Count);
    }

    [Fact]
    public async Task Bundles_that_no_state_names_any_more_are_deleted()
    {
        var (first, second) = (models.Onnx(1), models.Onnx(2));
        server.Order(1, 1, Route(first));
        await using var gateway = Start();
        await gateway.UntilStableAsync(first);
        server.Order(1, 2, Route(second, warm: first));
        await gateway.UntilStableAsync(second);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(folder, "bundles")).Length);
        server.Order(1, 3, Route(second));
        await gateway.UntilAsync(() => Directory.GetDirectories(Path.Combine(folder, "bundles")).Length == 1 && Directory.GetDirectories(Path.Combine(folder, "models")).Length == 1);
        Assert.Equal([Path.Combine(folder, "bundles", second.Bundle.Hex)], Directory.GetDirectories(Path.Combine(folder, "bundles")));
        Assert.Equal(PredictionStatus.Done, (await gateway.AskAsync()).Prediction.Status);
    }

    [Fact]
    public async Task Switching_versions_under_load_loses_no_request()
    {
        VersionRef[] versions = [models.Onnx(1), models.Onnx(2), models.Onnx(3)];
        server.Order(1, 1, Route(versions[0]));
        await using var gateway = Start();
        await gateway.UntilStableAsync(versions[0]);
        using var done = new CancellationTokenSource();
        var answered = new HashSet<int>();
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var (prediction, by) = await gateway.AskAsync();
                Assert.Equal(Prediction.Done, prediction);
                lock (answered)
                    answered.Add(by.Number);
            }
        })).ToArray();
        for (var i = 1; i <= 12; i++)
        {
            server.Order(1, 1 + i, Route(versions[i % 3]));
            await gateway.UntilStableAsync(versions[i % 3]);
        }

        await done.CancelAsync();
        await Task.WhenAll(load);
        Assert.Equal([1, 2, 3], answered.Order());
        await gateway.UntilAsync(() => Directory.GetDirectories(Path.Combine(folder, "models")).Length == 1);
    }

    [Fact]
    public async Task While_a_new_version_is_prepared_or_refused_the_old_one_answers()
    {
        var (old, strange) = (models.Onnx(1), models.Strange(2));
        server.Order(1, 1, Route(old));
        await using var gateway = Start();
        await gateway.UntilStableAsync(old);
        server.Order(1, 2, Route(strange));
        await gateway.UntilAsync(() => server.Reports.Last().Versions is [{ State: VersionState.Refused }]);
        Assert.Equal((PredictionStatus.Done, old), (await gateway.AskAsync() is var (prediction, by) ? prediction.Status : default, by));
        Assert.Equal(1, server.Reports.Last().Revision);

        await gateway.DisposeAsync();
        server.Up = false;
        await using var alone = Start();
        await alone.UntilStableAsync(old);      // what was in force is what is remembered
    }

    [Fact]
    public async Task A_process_model_is_served_and_ends_with_its_retirement()
    {
        var (process, onnx) = (models.Process(1, "import slipway_predict\nslipway_predict.serve(lambda inputs: {'probability': [[0.5] for row in inputs['distance']]})"), models.Onnx(2));
        server.Order(1, 1, Route(process));
        await using var gateway = Start();
        await gateway.UntilStableAsync(process);
        Assert.Equal(PredictionStatus.Done, (await gateway.AskAsync()).Prediction.Status);
        server.Order(1, 2, Route(onnx));
        await gateway.UntilAsync(() => gateway.Log.Any(line => line.StartsWith($"flight-delay 1 ({process.Bundle.Short}) is retired", StringComparison.Ordinal)));
        Assert.Equal(onnx, (await gateway.AskAsync()).By);
    }

    [Fact]
    public async Task A_model_that_answers_nothing_within_its_signature_is_refused()
    {
        var version = models.Process(1, "import slipway_predict\ndef fail(inputs):\n    raise ValueError('never')\nslipway_predict.serve(fail)");
        server.Order(1, 1, Route(version));
        await using var gateway = Start();
        await gateway.UntilAsync(() => server.Reports.LastOrDefault()?.Versions is [{ State: VersionState.Refused }]);
        Assert.StartsWith("the model answered none of the generated requests, all within its signature", server.Reports.Last().Versions[0].Reason);
    }

    [Fact]
    public async Task A_second_gateway_on_the_same_folder_is_refused()
    {
        await using var gateway = Start();
        var e = Assert.Throws<Slipway.Primitives.Faults.SlipwayException>(() => Start());
        Assert.Equal("folder-in-use", e.Faults[0].Code);
    }

    [Fact]
    public async Task A_wrong_token_is_told_and_never_shown()
    {
        await using var gateway = new TestGateway(server.Url, models.Keys, folder, options => options with { Token = "slp_wrong" });
        await gateway.UntilAsync(() => gateway.Log.Any(line => line.Contains("the server answered 401 to GET /api/v1/gateway/desired")));
        Assert.DoesNotContain(gateway.Log, line => line.Contains("slp_wrong"));
    }

    private TestGateway Start(Func<GatewayOptions, GatewayOptions>? options = null) => new(server.Url, models.Keys, folder, options);
}
