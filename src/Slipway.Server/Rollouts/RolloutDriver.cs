using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Threading.Channels;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Drives rollouts for as long as this server holds the lease: whenever something was committed, a pass is taken if one is due.</summary>
/// <remarks>A driver that lost its lease without noticing can change nothing: every change of its first looks whether its epoch is in force.</remarks>
internal sealed class RolloutDriver : IAsyncDisposable
{
    /// <summary>After a server's sudden end rollouts rest for as long, and no longer.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(5);

    /// <summary>How often the lease is held on, or asked for.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1.5);

    /// <summary>How often the clock, and what other servers stored, is looked at. What this process stores is seen at once.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>Before the next try after a failure, such as a database that is away.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly Database database;
    private readonly Lease lease;
    private readonly RolloutPass pass;
    private readonly TimeProvider time;
    private readonly Action<string> log;
    private readonly string holder = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private readonly Channel<bool> news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource stopping = new();
    private readonly Task running;

    /// <param name="isAlone">No other server has this database: whoever holds the lease is this one's own predecessor, and dead.</param>
    public RolloutDriver(Database database, RolloutChanges changes, bool isAlone, TimeProvider time, Action<string> log)
    {
        (this.database, this.time, this.log) = (database, time, log);
        lease = new Lease(database);
        pass = new RolloutPass(changes);
        database.Changed += Wake;
        running = Task.Run(() => RunAsync(isAlone));
    }

    /// <summary>Stops after the pass that is being taken, and lets another server take over at once.</summary>
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
                    await lease.VacateAsync(RolloutChanges.DriverLease, stopping.Token);
                inherits = false;
                // A lease is held on for passes that were taken, not for trying: while none can be, gateways must hear that nobody drives.
                unproven ??= await lease.TryHoldAsync(RolloutChanges.DriverLease, holder, LeaseTime, stopping.Token);
                if (unproven is { } epoch)
                    await DriveAsync(epoch);
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
                // Nothing that happens here may end the loop: then harm would be seen by nobody.
                var message = e is SlipwayException ? e.Message : e.ToString();
                if (message != trouble)
                    log($"rollouts rest, and are tried again every {Rest.TotalSeconds:0} s: {message}");
                trouble = message;
                await Task.WhenAny(Task.Delay(Rest, time, stopping.Token));
            }
        }

        await LetGoAsync();
    }

    /// <summary>Until the lease is to be held on.</summary>
    private async Task DriveAsync(long epoch)
    {
        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < Renewal)
        {
            news.Reader.TryRead(out _);
            if (!await database.ReadAsync(session => pass.IsDueAsync(session, epoch, Now), stopping.Token))
                await WaitAsync();
            else if (await database.ChangeAsync(session => pass.RunAsync(session, epoch, Now), stopping.Token) is { } told)
                Tell(told);
            else
                return;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task WaitAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        patience.CancelAfter(Look);
        try
        {
            await news.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Time to look.
        }
    }

    private void Tell(ImmutableArray<string> told)
    {
        foreach (var sentence in told)
            log(sentence);
    }

    private async Task LetGoAsync()
    {
        try
        {
            await lease.ReleaseAsync(RolloutChanges.DriverLease, holder, CancellationToken.None);
        }
        catch (SlipwayException)
        {
            // It runs out by itself.
        }
    }

    private void Wake() => news.Writer.TryWrite(true);
}
