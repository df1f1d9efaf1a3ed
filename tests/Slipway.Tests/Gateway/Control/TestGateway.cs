using Slipway.Documents.Rollouts;
using Slipway.Gateway.Control;
using Slipway.Gateway.Routing;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Runtime.ModelHosts;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Gateway.Control;

/// <summary>A gateway's control side with a folder of its own, and a router that tests send requests by.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(60);

    private readonly GatewayControl control;
    private readonly List<string> log = [];

    public TestGateway(Uri server, KeyRing keys, string folder, Func<GatewayOptions, GatewayOptions>? options = null)
    {
        var standard = new GatewayOptions
        {
            Name = "edge-1",
            Channel = "production",
            Folder = folder,
            Server = server,
            Token = ScriptedServer.Token,
            Trusted = keys,
            Log = line =>
            {
                lock (log)
                    log.Add(line);
            },
        };
        standard = options?.Invoke(standard) ?? standard;
        standard.Validate();
        control = new GatewayControl(standard, GatewayFolder.Open(standard.Folder), Router, static () => 0);
    }

    public Router Router { get; } = new();

    public GatewayControl Control => control;

    public IReadOnlyList<string> Log
    {
        get
        {
            lock (log)
                return [.. log];
        }
    }

    public async Task UntilAsync(Func<RoutingTable, bool> condition) => await UntilAsync(() => condition(Router.Current));

    public async Task UntilAsync(Func<bool> condition)
    {
        for (var started = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(5, TestContext.Current.CancellationToken))
            Assert.True(TimeProvider.System.GetElapsedTime(started) < AtMost, $"it did not come to that:\n{string.Join('\n', Log)}\n{control.Current}");
    }

    public Task UntilStableAsync(VersionRef version, string model = "flight-delay") => UntilAsync(table => table.Find(model)?.Stable?.Version == version);

    /// <summary>Asks the stable version as the protocol's side does: looks again when it was retired meanwhile.</summary>
    public async Task<(Prediction Prediction, VersionRef By)> AskAsync(string model = "flight-delay")
    {
        while (true)
        {
            var served = Router.Current.Find(model)!.Stable!;
            if (!served.TryEnter())
                continue;
            try
            {
                var (prediction, _) = await HostedModels.AskAsync(served.Host, 7);
                return (prediction, served.Version);
            }
            finally
            {
                served.Leave();
            }
        }
    }

    public ValueTask DisposeAsync() => control.DisposeAsync();
}
