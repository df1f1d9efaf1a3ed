using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Tells the server what this gateway has in force: on its start, whenever that changes, and now and then.</summary>
internal sealed class Reporter(GatewayOptions options, string boot, ServerLink link, StateFollower follower)
{
    /// <summary>A server takes a gateway for lost that it did not hear of for three times as long.</summary>
    private static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200), Longest = TimeSpan.FromSeconds(5);

    public async Task RunAsync(Func<GatewayStanding> standing, Signal changed, CancellationToken cancellation)
    {
        var backoff = new Backoff(Shortest, Longest);
        string? told = null;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await link.ReportAsync(Report(standing()), cancellation);
                backoff.Succeeded();
                told = null;
                await changed.WaitAsync(AtLeastEvery, options.Time, cancellation);
            }
            catch (SlipwayException e)
            {
                if (told != e.Message)
                    options.Log($"the report did not reach the server: {e.Message}");
                told = e.Message;
                await Task.Delay(backoff.Failed(), options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private GatewayReport Report(GatewayStanding standing) => new(
        options.Name, boot, options.Channel, follower.EpochSeen, standing.InForce?.Revision ?? 0, standing.Versions, standing.LeaseLapses);
}
