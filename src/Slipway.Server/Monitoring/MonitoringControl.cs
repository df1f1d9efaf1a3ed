using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Monitoring on this server: what gateways tell, what people ask, and the loop that stores and forgets.</summary>
internal sealed class MonitoringControl : IAsyncDisposable
{
    private readonly TelemetryInbox inbox;

    public MonitoringControl(Database database, ServerOptions options)
    {
        inbox = new TelemetryInbox(database, options.Time, options.Log);
        Endpoints = [.. new TelemetryEndpoints(inbox, options.Time).All(), .. new LabelEndpoints(database, options.Time).All(), .. new MonitoringEndpoints(database, options.Time).All()];
    }

    public IReadOnlyList<ApiEndpoint> Endpoints { get; }

    /// <summary>Stores what has come; to be called before the listener stops, which waits for those who wait for it.</summary>
    public ValueTask DisposeAsync() => inbox.DisposeAsync();
}
