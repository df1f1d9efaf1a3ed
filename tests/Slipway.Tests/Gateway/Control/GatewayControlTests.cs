using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
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

    private TestGateway Start() => new(server.Url, models.Keys, folder);
}
