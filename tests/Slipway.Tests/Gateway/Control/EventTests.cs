using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway.Control;

public sealed class EventTests : IAsyncLifetime
{
    private readonly SealedModels models = new();
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-events-").FullName;
    private ScriptedServer server = null!;
    private VersionRef stable = null!, candidate = null!;

    public async ValueTask InitializeAsync()
    {
        server = await StartAsync(models.Layout);
        (stable, candidate) = (models.Onnx(1), models.Onnx(2));
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        models.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Every_event_arrives_once_though_the_server_is_gone_and_receipts_are_lost()
    {
        server.Order(1, 1, Route(stable, Canary(candidate, 5000, 1)));
        await using var gateway = new TestGateway(server.Url, models.Keys, folder);
        await gateway.UntilAsync(table => table.Find("flight-delay")?.Rollout is not null);
        var rollout = gateway.Router.Current.Find("flight-delay")!.Rollout!;
        for (var i = 0; i < 300; i++)
        {
            server.Up = i is < 100 or >= 200;
            server.LosesReceipts = i % 7 == 0;
            Record(rollout, (ulong)i, isBad: i % 10 == 0);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        server.LosesReceipts = false;
        await gateway.UntilAsync(() => Requests() == 300);
        Assert.Equal(Enumerable.Range(0, server.Batches.Count).Select(i => i + 1L), server.Batches.Select(batch => batch.Sequence));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (10UL * (ulong)i).ToString("x16")), server.Batches.SelectMany(batch => batch.Rollouts).SelectMany(events => events.Bad).Select(bad => bad.User));
        Assert.All(server.Batches.SelectMany(batch => batch.Rollouts), events => Assert.Equal(0, events.Lost));
    }

    [Fact]
    public async Task A_quiet_rollout_still_tells_how_far_it_is_told()
    {
        server.Order(1, 1, Route(stable, Canary(candidate, 5000, 1)));
        await using var gateway = new TestGateway(server.Url, models.Keys, folder);
        await gateway.UntilAsync(() => server.Batches.Count >= 3);
        var through = server.Batches.Select(batch => batch.Rollouts.Single().Through).ToArray();
        Assert.Equal(through.Order().Distinct(), through);
    }

    [Fact]
    public async Task What_is_left_at_a_stop_is_sent()
    {
        server.Order(1, 1, Route(stable, Canary(candidate, 5000, 1)));
        await using var gateway = new TestGateway(server.Url, models.Keys, folder);
        await gateway.UntilAsync(table => table.Find("flight-delay")?.Rollout is not null);
        Record(gateway.Router.Current.Find("flight-delay")!.Rollout!, 1, isBad: true);
        await gateway.DisposeAsync();
        Assert.Equal(1, Requests());
    }

    private static void Record(LiveRollout rollout, ulong user, bool isBad)
    {
        var request = rollout.Tally.Begin(Arm.Candidate, user, TimeProvider.System.GetTimestamp());
        if (isBad)
            rollout.Tally.Failed(request, BadKind.Error);
        else
            rollout.Tally.Answered(request, 0.001, isLate: false);
    }

    private long Requests() => server.Batches.SelectMany(batch => batch.Rollouts).SelectMany(events => events.Counts).Sum(counts => counts.Requests);
}
