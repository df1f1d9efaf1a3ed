using System.Net.Http.Headers;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway;
using Slipway.Gateway.Control;
using Slipway.Primitives.Units;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway.Control;

/// <summary>A whole gateway that tells a server what it sees of real requests.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private static readonly TimeSpan atMost = TimeSpan.FromSeconds(60);
    private static readonly RouteMonitor everything = new(new Ratio(1), new Ratio(1), null);

    private readonly SealedModels models = new();
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-telemetry-").FullName;
    private readonly List<string> log = [];
    private ScriptedServer server = null!;

    public async ValueTask InitializeAsync() => server = await ScriptedServer.StartAsync(models.Layout);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        models.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_requests_were_and_what_answered_them_is_told_within_seconds()
    {
        server.Order(1, 1, Route(models.Onnx(1)) with { Monitor = everything });
        await using var gateway = await StartAsync();
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await UntilAsync(() => server.Reports.LastOrDefault()?.Revision == 1);
        for (var i = 0; i < 10; i++)
            await AskAsync(client, $"order-{i}", i);
        await AskAsync(client, "order-x", 3, "/versions/1");
        await UntilAsync(() => Requests() == 11);

        var stable = server.Slices.Where(slice => slice.Arm == TrafficArm.Stable).ToArray();
        Assert.All(server.Slices, slice => Assert.Equal(("flight-delay", 1, 1), (slice.Model, slice.Version, slice.Seconds)));
        Assert.Equal(10, stable.Sum(slice => slice.Requests));
        Assert.Equal(10, stable.Sum(slice => slice.Latency.Sum()));
        Assert.Equal(0, stable.Sum(slice => slice.Bad.Sum()));
        Assert.Equal(["distance", "hour"], stable[0].Inputs.Select(input => input.Name));
        Assert.Equal((10, 45d), (stable.Sum(slice => slice.Inputs[1].Profile.Count), stable.Sum(slice => slice.Inputs[1].Profile.Moments!.Value.Mean * slice.Inputs[1].Profile.Count)));
        Assert.Equal("probability", stable[0].Outputs.Single().Name);
        Assert.Equal(1, server.Slices.Single(slice => slice.Arm == TrafficArm.Direct).Requests);
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => PredictionKey.Of("flight-delay", $"order-{i}")).Append(PredictionKey.Of("flight-delay", "order-x")).Order(),
            server.Slices.SelectMany(slice => slice.Predictions).Select(prediction => prediction.Key).Order());
        Assert.InRange(server.SentAt, server.Slices.Max(slice => slice.Start) * 1000, (server.Slices.Max(slice => slice.Start) * 1000) + 60_000);
        Assert.Equal(Environment.ProcessorCount, server.Telemetry[0].Load.Processors);
    }

    [Fact]
    public async Task Nothing_is_told_twice_or_lost_though_the_server_is_gone_and_receipts_are_lost()
    {
        server.Order(1, 1, Route(models.Onnx(1)) with { Monitor = everything });
        await using var gateway = await StartAsync();
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await UntilAsync(() => server.Reports.LastOrDefault()?.Revision == 1);
        for (var i = 0; i < 400; i++)
        {
            server.Up = i is < 100 or >= 250;
            server.LosesReceipts = i is >= 280 and < 350;
            await AskAsync(client, $"order-{i}", i % 24);
            await Task.Delay(10, Cancellation);
        }

        server.LosesReceipts = false;
        await UntilAsync(() => Requests() == 400);
        await gateway.DisposeAsync();
        Assert.Equal(400, Requests());
        Assert.Equal(400, server.Slices.SelectMany(slice => slice.Predictions).Select(prediction => prediction.Key).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, server.Telemetry.Count).Select(i => (long)i), server.Telemetry.Select(batch => batch.Sequence));
        Assert.Equal((0, 0L), (server.Changed, server.Telemetry.Sum(batch => batch.Lost)));
    }

    [Fact]
    public async Task What_is_left_at_a_stop_is_sent_and_a_restart_is_another_boot_that_counts_anew()
    {
        server.Order(1, 1, Route(models.Onnx(1)) with { Monitor = everything });
        for (var start = 1; start <= 2; start++)
        {
            await using var gateway = await StartAsync();
            using var client = new HttpClient { BaseAddress = gateway.Url };
            await UntilAsync(() => server.Reports.LastOrDefault()?.Revision == 1 && Ready(client));
            for (var i = 0; i < 5; i++)
                await AskAsync(client, $"order-{start}-{i}", i);
            await gateway.DisposeAsync();
            Assert.Equal(5 * start, Requests());
        }

        Assert.Equal(2, server.Telemetry.Select(batch => batch.Boot).Distinct().Count());
        Assert.Equal(2, server.Telemetry.Count(batch => batch.Sequence == 1));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(426)]
    public async Task An_older_server_is_asked_seldom_and_nothing_else_suffers(int status)
    {
        server.TelemetryStatus = status;
        server.Order(1, 1, Route(models.Onnx(1)) with { Monitor = everything });
        await using var gateway = await StartAsync();
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await UntilAsync(() => server.TelemetryCalls == 1 && server.Reports.LastOrDefault()?.Revision == 1);
        for (var i = 0; i < 20; i++)
        {
            await AskAsync(client, $"order-{i}", i);
            await Task.Delay(150, Cancellation);
        }

        Assert.Equal(1, server.TelemetryCalls);
        lock (log)
            Assert.Single(log, line => line.Contains("does not take telemetry"));
        server.TelemetryStatus = 200;
        await gateway.DisposeAsync();
        Assert.Equal(20, Requests());
    }

    [Fact]
    public async Task A_batch_that_the_server_finds_unusable_is_given_up_and_its_requests_are_told_as_lost()
    {
        server.TelemetryStatus = 413;
        server.Order(1, 1, Route(models.Onnx(1)) with { Monitor = everything });
        await using var gateway = await StartAsync();
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await UntilAsync(() => server.Reports.LastOrDefault()?.Revision == 1 && server.TelemetryCalls > 0);
        server.TelemetryStatus = 200;
        await AskAsync(client, "order-1", 1);
        await gateway.DisposeAsync();
        Assert.Equal((2L, 1L), (server.Telemetry[0].Sequence, Requests()));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private long Requests() => server.Slices.Sum(slice => slice.Requests);

    private static bool Ready(HttpClient client)
    {
        using var response = client.Send(new HttpRequestMessage(HttpMethod.Get, "/v2/health/ready"), Cancellation);
        return response.IsSuccessStatusCode;
    }

    private static async Task AskAsync(HttpClient client, string id, int hour, string version = "")
    {
        var body = GatewayTable.Row(hour, $"\"id\":\"{id}\",");
        using var content = new StringContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await client.PostAsync($"/v2/models/flight-delay{version}/infer", content, Cancellation);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private Task<GatewayHost> StartAsync() => GatewayHost.StartAsync(
        new GatewayOptions
        {
            Name = "edge-1",
            Channel = "production",
            Folder = folder,
            Server = server.Url,
            Token = Token,
            Trusted = models.Keys,
            Log = line =>
            {
                lock (log)
                    log.Add(line);
            },
        },
        Cancellation);

    private async Task UntilAsync(Func<bool> condition)
    {
        for (var started = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(20, Cancellation))
            Assert.True(TimeProvider.System.GetElapsedTime(started) < atMost, $"it did not come to that:\n{string.Join('\n', log)}\n{Requests()} requests");
    }
}
