using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Rollouts on this server: the calls of people and gateways, and the loop that drives what was started.</summary>
internal sealed class RolloutControl : IAsyncDisposable
{
    private readonly DesiredFeed feed;
    private readonly RolloutDriver driver;

    /// <param name="tell">Told of what happens to rollouts, in the change in which it happens.</param>
    public RolloutControl(Database database, LedgerWriter ledger, ServerOptions options, Func<Session, RolloutNews, Task> tell)
    {
        var time = options.Time;
        var changes = new RolloutChanges(ledger, tell);
        feed = new DesiredFeed(database, time);
        driver = new RolloutDriver(database, changes, isAlone: options.Database is null, time, options.Log);
        Orders = new RolloutOrders(changes);
        Endpoints = [.. new GatewayEndpoints(database, feed, time).All(), .. new RolloutEndpoints(database, Orders, time).All()];
    }

    public IReadOnlyList<ApiEndpoint> Endpoints { get; }

    /// <summary>What people may order, wherever they do.</summary>
    public RolloutOrders Orders { get; }

    /// <summary>Ends the waits of gateways and the loop; to be called before the listener stops, which would wait for them.</summary>
    public async ValueTask DisposeAsync()
    {
        feed.Dispose();
        await driver.DisposeAsync();
    }
}
