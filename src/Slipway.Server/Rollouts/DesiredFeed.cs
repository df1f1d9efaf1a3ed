using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Hands desired states to gateways as soon as they are committed: in this process at once, by another server within <see cref="Poll"/>.</summary>
internal sealed class DesiredFeed : IDisposable
{
    /// <summary>How long a gateway waits for news at most; the answer then renews its lease on the candidate's weight, which is three times as long.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(10);

    /// <summary>How often another server's changes are looked for, while somebody waits.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>A lease that has ended by the time that it is heard of; none at all would be no state.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private TaskCompletionSource changed = NewSignal();

    public DesiredFeed(Database database, TimeProvider time)
    {
        (this.database, this.time) = (database, time);
        database.Changed += Wake;
    }

    /// <summary>The channel's state as soon as it is another than <paramref name="after"/>; after <see cref="Hold"/> whatever it is.</summary>
    /// <param name="after">What the gateway has; (0, 0) for nothing.</param>
    /// <exception cref="SlipwayException">The database does not answer: then no state is handed out, for it would renew a lease.</exception>
    public async Task<DesiredState> NextAsync(string channel, (long Epoch, long Revision) after, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
        try
        {
            return await NewsAsync(channel, after, ending.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("server-stopping", "the server is stopping", Help: "ask again; another server, or its next start, answers"));
        }
    }

    private async Task<DesiredState> NewsAsync(string channel, (long Epoch, long Revision) after, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            // Taken before the look, so that no change falls between the two.
            var signal = Volatile.Read(ref changed).Task;
            var left = Hold - time.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero || await database.ReadAsync(session => DesiredStateTable.MarkAsync(session, channel), cancellation) != after)
                return await database.ReadAsync(session => ReadAsync(session, channel), cancellation);
            try
            {
                await signal.WaitAsync(left < Poll ? left : Poll, cancellation);
            }
            catch (TimeoutException)
            {
                // Another server may have changed it.
            }
        }
    }

    /// <summary>
    /// The stored state, with less of a lease the longer nobody drives rollouts, for whatever reason: a full disk lets gateways hear
    /// this server, and a candidate whose harm nobody could act upon must not have traffic for that.
    /// </summary>
    private static async Task<DesiredState> ReadAsync(Session session, string channel)
    {
        var state = await DesiredStateTable.FindAsync(session, channel);
        var left = state.Lease.Value - await Lease.VacantForAsync(session, RolloutChanges.DriverLease);
        return state with { Lease = new(left > Least ? left : Least) };
    }

    /// <summary>Ends all waits: a server that stops lets nobody hang.</summary>
    public void Dispose()
    {
        database.Changed -= Wake;
        stopping.Cancel();
    }

    private void Wake() => Interlocked.Exchange(ref changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
