using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Gateway;
using Slipway.Gateway.Control;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Tests.Gateway.Control;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway;

public sealed class GatewayHostTests : IAsyncLifetime
{
    private static readonly TimeSpan atMost = TimeSpan.FromSeconds(60);

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
    public async Task A_gateway_answers_by_the_versions_that_the_server_orders_and_tells_what_came_of_it()
    {
        var (stable, candidate) = (models.Onnx(1), models.Onnx(2));
        await using var gateway = await GatewayHost.StartAsync(Options(), Cancellation);
        using var client = new HttpClient { BaseAddress = gateway.Url };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/live", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v2/health/ready", Cancellation)).StatusCode);

        server.Order(1, 1, Route(stable, Canary(candidate, 5000, 1)));
        await UntilReadyAsync(client, () => server.Reports.LastOrDefault()?.Revision == 1);
        var versions = new HashSet<string>();
        for (var i = 0; i < 100; i++)
            versions.Add(await AskAsync(client));
        Assert.Equal(["1", "2"], versions.Order());
        await UntilReadyAsync(client, () => server.Batches.SelectMany(batch => batch.Rollouts).SelectMany(events => events.Counts).Sum(counts => counts.Requests) == 100);

        server.Order(1, 2, Route(candidate, warm: stable));
        await UntilReadyAsync(client, () => server.Reports.Last().Revision == 2);
        Assert.Equal("2", await AskAsync(client));
        Assert.False(gateway.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_fault_and_the_folder_is_free_again()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var e = await Assert.ThrowsAsync<SlipwayException>(() => GatewayHost.StartAsync(Options(((IPEndPoint)taken.LocalEndpoint).Port), Cancellation));
        Assert.Equal((ExitCode.NotThere, "port-in-use"), (e.Exit, e.Faults[0].Code));
        await using var gateway = await GatewayHost.StartAsync(Options(), Cancellation);
        Assert.Equal("folder-in-use", (await Assert.ThrowsAsync<SlipwayException>(() => GatewayHost.StartAsync(Options(), Cancellation))).Faults[0].Code);
    }

    [Fact]
    public async Task A_stop_answers_what_is_in_flight_and_tells_the_rest()
    {
        var (stable, candidate) = (models.Onnx(1), models.Onnx(2));
        server.Order(1, 1, Route(stable, Canary(candidate, 5000, 1)));
        await using var gateway = await GatewayHost.StartAsync(Options(), Cancellation);
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await UntilReadyAsync(client, () => server.Reports.LastOrDefault()?.Revision == 1);
        var asking = Enumerable.Range(0, 50).Select(_ => AskAsync(client)).ToArray();
        await Task.WhenAll(asking);
        await gateway.DisposeAsync();
        await gateway.Ended;
        Assert.Equal(50, server.Batches.SelectMany(batch => batch.Rollouts).SelectMany(events => events.Counts).Sum(counts => counts.Requests));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private GatewayOptions Options(int port = 0) => new()
    {
        Name = "edge-1",
        Channel = "production",
        Folder = folder,
        Server = server.Url,
        Token = Token,
        Trusted = models.Keys,
        Serving = new InferenceOptions { Port = port },
    };

    private static async Task UntilReadyAsync(HttpClient client, Func<bool> condition)
    {
        for (var started = TimeProvider.System.GetTimestamp(); !condition() || !(await client.GetAsync("/v2/health/ready", Cancellation)).IsSuccessStatusCode; await Task.Delay(10, Cancellation))
            Assert.True(TimeProvider.System.GetElapsedTime(started) < atMost);
    }

    private static async Task<string> AskAsync(HttpClient client)
    {
        var body = new
        {
            inputs = new object[]
            {
                new { name = "distance", datatype = "FP32", shape = new[] { 1, 1 }, data = new[] { 100.0 } },
                new { name = "hour", datatype = "INT64", shape = new[] { 1, 1 }, data = new[] { 7 } },
            },
        };
        using var answer = await client.PostAsJsonAsync("/v2/models/flight-delay/infer", body, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("model_version").GetString()!;
    }
}
