using Slipway.Gateway.Control;
using Slipway.Gateway.Protocol;
using Slipway.Gateway.Routing;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Gateway;

/// <summary>A gateway: answers predictions of one channel's models, as the server orders, and goes on without it.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private readonly InferenceServer server;
    private readonly GatewayControl control;
    private int stopped;

    private GatewayHost(InferenceServer server, GatewayControl control) => (this.server, this.control) = (server, control);

    /// <summary>Where it answers, such as <c>http://127.0.0.1:8080</c>.</summary>
    public Uri Url => server.Url;

    /// <summary>Faults when the gateway can no longer follow the server, which is a bug; completes when it is stopped.</summary>
    public Task Ended => control.Ended;

    /// <summary>Listens, and begins to follow the server, whether or not that answers. Until a model is ready it is live, not ready, and answers 503.</summary>
    /// <exception cref="SlipwayException">An option is out of range (exit 2); the folder or the port is taken, or may not be used (exit 3).</exception>
    public static async Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancellation)
    {
        options.Validate();
        ScratchFolder.Sweep(options.Time, options.Log);
        var folder = GatewayFolder.Open(options.Folder);
        InferenceServer? server = null;
        try
        {
            var router = new Router();
            server = await InferenceServer.StartAsync(options.Serving with { Channel = options.Channel, Time = options.Time }, router, cancellation);
            return new GatewayHost(server, new GatewayControl(options, folder, router, server.CountInFlight));
        }
        catch
        {
            if (server is not null)
                await server.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Refuses new requests, waits for those in flight, sends the last events, and ends the models. Safe to call again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref stopped, 1) != 0)
            return;
        await server.StopAsync();
        await control.DisposeAsync();
        await server.DisposeAsync();
    }
}
