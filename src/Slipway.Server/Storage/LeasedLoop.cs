using System.Security.Cryptography;
using System.Threading.Channels;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>What became of one turn of a <see cref="LeasedLoop"/>.</summary>
internal enum Turn
{
    /// <summary>Another holder's epoch is in force: nothing was done.</summary>
    Superseded,

    /// <summary>There was nothing to do.</summary>
    Idle,

    /// <summary>Something was done, and there may be more.</summary>
    Done,
}

/// <summary>Takes turns for as long as this server holds a lease: whenever something was committed, and now and then.</summary>
/// <remarks>A loop that lost its lease without noticing can change nothing, if every change of its first looks whether its epoch is in force.</remarks>
internal sealed class LeasedLoop : IAsyncDisposable
{
    /// <summary>After a server's sudden end nobody does its work for as long, and no longer.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(5);

    /// <summary>How often the lease is held on, or asked for.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1.5);

    /// <summary>Before the next try after a failure, such as a database that is away.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly Database database;
    private readonly Lease lease;
    private readonly string name, what;
    private readonly TimeSpan look;
    private readonly Func<long, CancellationToken, Task<Turn>> turn;
    private readonly TimeProvider time;
    private readonly Action<string> log;
    private readonly string holder = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private readonly Channel<bool> news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource stopping = new();
    private readonly Task running;

    /// <param name="name">Of the lease.</param>
    /// <param name="what">What rests while turns fail, for the log: <c>rollouts rest</c>.</param>
    /// <param name="look">How often the clock, and what other servers stored, is looked at. What this process stores is seen at once.</param>
    /// <param name="isAlone">No other server has this database: whoever holds the lease is this one's own predecessor, and dead.</param>
    /// <param name="turn">Takes a turn under an epoch.</param>
    public LeasedLoop(Database database, string name, string what, TimeSpan look, bool isAlone, TimeProvider time, Action<string> log, Func<long, CancellationToken, Task<Turn>> turn)
    {
        (this.database, this.name, this.what, this.look, this.time, this.log, this.turn) = (database, name, what, look, time, log, turn);
        lease = new Lease(database);
        database.Changed += Wake;
        running = Task.Run(() => RunAsync(isAlone));
    }

    /// <summary>Stops after the turn that is being taken, and lets another server take over at once.</summary>
    public async ValueTask DisposeAsync()
    {
        database.Changed -= Wake;
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    private async Task RunAsync(bool inherits)
    {
        string? trouble = null;
        long? unproven = null;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (inherits)
                    await lease.VacateAsync(name, stopping.Token);
                inherits = false;
                // A lease is held on for turns that were taken, not for trying: while none can be, others must see that nobody does the work.
                unproven ??= await lease.TryHoldAsync(name, holder, LeaseTime, stopping.Token);
                if (unproven is { } epoch)
                    await TakeTurnsAsync(epoch);
                else
                    await Task.Delay(Renewal, time, stopping.Token);
                (unproven, trouble) = (null, null);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The loop ends.
            }
            catch (Exception e)
            {
                // Nothing that happens here may end the loop: then its work would be done by nobody.
                var message = e is SlipwayException ? e.Message : e.ToString();
                if (message != trouble)
                    log($"{what}, and what failed is tried again every {Rest.TotalSeconds:0} s: {message}");
                trouble = message;
                await Task.WhenAny(Task.Delay(Rest, time, stopping.Token));
            }
        }

        await LetGoAsync();
    }

    /// <summary>Until the lease is to be held on.</summary>
    private async Task TakeTurnsAsync(long epoch)
    {
        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < Renewal)
        {
            news.Reader.TryRead(out _);
            switch (await turn(epoch, stopping.Token))
            {
                case Turn.Superseded:
                    return;
                case Turn.Idle:
                    await WaitAsync();
                    break;
            }
        }
    }

    private async Task WaitAsync()
    {
        using var over = new CancellationTokenSource(look, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, over.Token);
        try
        {
            await news.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Time to look.
        }
    }

    private async Task LetGoAsync()
    {
        try
        {
            await lease.ReleaseAsync(name, holder, CancellationToken.None);
        }
        catch (SlipwayException)
        {
            // It runs out by itself.
        }
    }

    private void Wake() => news.Writer.TryWrite(true);
}
