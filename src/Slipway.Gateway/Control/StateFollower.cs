using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Follows the channel's desired state by long poll, refuses what was superseded, and keeps the lease. Thread-safe.</summary>
internal sealed class StateFollower(GatewayOptions options, ServerLink link, WeightLease lease, DesiredState? lastKnown, Signal changed)
{
    /// <summary>After a failure: short, since a rollback may wait at the server.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromSeconds(5);

    private long epochSeen = lastKnown?.Epoch ?? 0;
    private volatile DesiredState? target = lastKnown;

    /// <summary>The highest.</summary>
    public long EpochSeen => Volatile.Read(ref epochSeen);

    /// <summary>What shall be served: at first the last known good state; null before anything is known.</summary>
    public DesiredState? Target => target;

    public async Task RunAsync(CancellationToken cancellation)
    {
        var backoff = new Backoff(Shortest, Longest);
        // At first, and after a failure, the server is asked for what it has, so that it is heard at once and not after a whole poll.
        var known = (Epoch: 0L, Revision: 0L);
        string? told = null;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                Hear(await link.PollAsync(options.Channel, known.Epoch, known.Revision, cancellation));
                if (told is not null)
                    options.Log($"the server {options.Server} answers again");
                told = null;
                backoff.Succeeded();
                known = target is { } heard ? (heard.Epoch, heard.Revision) : known;
            }
            catch (SlipwayException e)
            {
                if (told != e.Message)
                    options.Log($"{e.Message}; this gateway goes on with what it has");
                told = e.Message;
                known = (0, 0);
                await Task.Delay(backoff.Failed(), options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <param name="state">Null when the server has nothing newer.</param>
    private void Hear(DesiredState? state)
    {
        if (state is null)
        {
            Renew(target?.Lease.Value ?? DesiredState.DefaultLease.Value);
            return;
        }

        if (StateCheck.Refuse(state, options.Channel, EpochSeen, target) is { } why)
            throw new SlipwayException(ExitCode.NotThere, new Fault("state-refused", $"the server {options.Server} sent a state that {why}"));
        Volatile.Write(ref epochSeen, state.Epoch);
        if (target is not { } known || (state.Epoch, state.Revision) != (known.Epoch, known.Revision))
            target = state;
        Renew(state.Lease.Value);
        changed.Set();
    }

    private void Renew(TimeSpan length)
    {
        var held = lease.Holds;
        lease.Renew(length);
        if (!held)
            changed.Set();
    }
}
