using System.Collections.Immutable;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>Judges alerts and retraining rules every few seconds, and runs what they start, for as long as this server holds the lease.</summary>
internal sealed class AlertDriver : IAsyncDisposable
{
    /// <summary>Between two rounds over all rules. The shortest window has 10 s.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    /// <summary>Channels of one turn, each some milliseconds: the lease is held on between turns, however many models there are.</summary>
    private const int MostChannels = 16;

    private readonly Database database;
    private readonly AlertPass pass;
    private readonly CommandRunner runner;
    private readonly TimeProvider time;
    private readonly Action<string> log;
    private readonly LeasedLoop loop;
    private ImmutableArray<WatchedChannel> round = [];
    private int done;
    private long? begunAt;
    private string? trouble;

    public AlertDriver(Database database, AlertPass pass, CommandRunner runner, ServerOptions options)
    {
        (this.database, this.pass, this.runner, time, log) = (database, pass, runner, options.Time, options.Log);
        // Other changes wake the loop too, and a turn before its time does nothing.
        loop = new LeasedLoop(database, AlertPass.LeaseName, "alerts rest", TimeSpan.FromMilliseconds(500), options.Database is null, time, log, TurnAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await loop.DisposeAsync();
        await runner.DisposeAsync();
    }

    private async Task<Turn> TurnAsync(long epoch, CancellationToken stop)
    {
        await runner.TurnAsync(epoch, stop);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (done >= round.Length)
        {
            // Either way: a clock that was set back must not stop the looks.
            if (begunAt is { } last && Math.Abs(now - last) < Every.TotalMilliseconds)
                return Turn.Idle;
            (round, done) = (await AlertPass.WatchedAsync(database, stop), 0);
        }

        var looks = await pass.JudgeAsync(database, round.Skip(done).Take(MostChannels), now, Complain, stop);
        if (await database.ReadAsync(session => pass.IsNewsAsync(session, looks, round, now), stop))
        {
            if (await database.ChangeAsync(session => pass.StoreAsync(session, looks, round, epoch, now), stop) is not { } told)
                return Turn.Superseded;
            foreach (var sentence in told)
                log(sentence);
        }

        if (done == 0)
            begunAt = now;
        done += MostChannels;
        return done < round.Length ? Turn.Done : Turn.Idle;
    }

    private void Complain(string what)
    {
        if (what != trouble)
            log(what);
        trouble = what;
    }
}
