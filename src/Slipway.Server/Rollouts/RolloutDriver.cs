using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Drives rollouts for as long as this server holds the lease: whenever something was committed, a pass is taken if one is due.</summary>
internal sealed class RolloutDriver : IAsyncDisposable
{
    /// <summary>After a server's sudden end rollouts rest for as long, and no longer.</summary>
    public static readonly TimeSpan LeaseTime = LeasedLoop.LeaseTime;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly LeasedLoop loop;

    /// <param name="isAlone">No other server has this database.</param>
    public RolloutDriver(Database database, RolloutChanges changes, bool isAlone, TimeProvider time, Action<string> log)
    {
        var pass = new RolloutPass(changes);
        loop = new LeasedLoop(database, RolloutChanges.DriverLease, "rollouts rest", Look, isAlone, time, log, async (epoch, cancellation) =>
        {
            if (!await database.ReadAsync(session => pass.IsDueAsync(session, epoch, Now()), cancellation))
                return Turn.Idle;
            if (await database.ChangeAsync(session => pass.RunAsync(session, epoch, Now()), cancellation) is not { } told)
                return Turn.Superseded;
            foreach (var sentence in told)
                log(sentence);
            return Turn.Done;
        });

        long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Stops after the pass that is being taken, and lets another server take over at once.</summary>
    public ValueTask DisposeAsync() => loop.DisposeAsync();
}
