using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>
/// Gateways' batches between their arrival and the database. All that came within a moment is committed in one change, and only then is each
/// answered: what a gateway was told is stored, is stored. Full, it makes gateways wait, who keep what they have.
/// </summary>
internal sealed class TelemetryInbox : IAsyncDisposable
{
    /// <summary>Batches that wait; 200 gateways send 200 a second.</summary>
    public const int MostBatches = 2_000;

    /// <summary>Bytes of the bodies that are read or wait; read, they take some four times as much.</summary>
    public const long MostBytes = 64 * 1024 * 1024;

    /// <summary>Of these, those of one principal: who sends slowly keeps no room that all others wait for.</summary>
    public const long MostBytesOfOne = MostBytes / 2;

    /// <summary>When a gateway that was made to wait may ask again, in seconds.</summary>
    public const int RetryAfterSeconds = 2;

    /// <summary>Batches of one change: a pass of some 100 ms.</summary>
    private const int MostAtOnce = 500;

    /// <summary>From the beginning of one change to that of the next: a change is flushed to disk, and wakes whoever watches the database.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(400);

    /// <summary>How often what is kept no longer is looked for.</summary>
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromMinutes(1);

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly Action<string> log;
    private readonly TelemetryIntake intake = new();
    private readonly Channel<Waiting> waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(MostBatches) { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly Task running;
    private readonly Dictionary<string, long> reserved = [];
    private string? trouble;

    public TelemetryInbox(Database database, TimeProvider time, Action<string> log)
    {
        (this.database, this.time, this.log) = (database, time, log);
        running = Task.Run(RunAsync);
    }

    /// <summary>Keeps room for a body before it is read; disposed, the room is free again.</summary>
    /// <exception cref="ApiProblem">There is no room now (503).</exception>
    public IDisposable Reserve(string principal, long length)
    {
        lock (reserved)
        {
            var own = reserved.GetValueOrDefault(principal);
            if (reserved.Values.Sum() + length > MostBytes || own + length > MostBytesOfOne)
                throw NoRoom();
            reserved[principal] = own + length;
        }

        return new Room(this, principal, length);
    }

    /// <summary>Returns when the batch is stored.</summary>
    /// <exception cref="ApiProblem">Another gateway has the name (409), too many gateways (429), or no room now (503).</exception>
    /// <exception cref="SlipwayException">The database cannot take it (exit 3): nothing of it is stored.</exception>
    public async Task<TelemetryReceipt> TakeInAsync(ArrivedBatch batch)
    {
        var one = new Waiting(batch);
        if (!waiting.Writer.TryWrite(one))
            throw NoRoom();
        // Whether or not the gateway still waits: until it is stored the batch takes the room that was kept for it.
        return await one.Answer.Task;
    }

    /// <summary>Stores what has come, and takes in no more.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var purged = time.GetTimestamp();
        while (await IsThereMoreAsync())
        {
            var moment = Task.Delay(Moment, time, CancellationToken.None);
            if (Next() is { Count: > 0 } group)
                await StoreAsync(group);
            if (time.GetElapsedTime(purged) >= PurgeEvery)
            {
                purged = time.GetTimestamp();
                await PurgeAsync();
            }

            if (!stopping.IsCancellationRequested)
                await moment;
        }
    }

    /// <returns>False when nothing comes any more.</returns>
    private async Task<bool> IsThereMoreAsync()
    {
        using var over = new CancellationTokenSource(PurgeEvery, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, over.Token);
        try
        {
            return await waiting.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            return !stopping.IsCancellationRequested || waiting.Reader.TryPeek(out _);
        }
    }

    private List<Waiting> Next()
    {
        var group = new List<Waiting>();
        while (group.Count < MostAtOnce && waiting.Reader.TryRead(out var one))
            group.Add(one);
        return group;
    }

    private async Task StoreAsync(List<Waiting> group)
    {
        try
        {
            var batches = group.ConvertAll(one => one.Batch);
            // Not cancelled when the server stops: who waits is answered first.
            var answers = await database.ChangeAsync(session => intake.TakeInAsync(session, batches, Now), CancellationToken.None);
            for (var i = 0; i < group.Count; i++)
            {
                if (answers[i].Problem is { } problem)
                    group[i].Answer.TrySetException(problem);
                else
                    group[i].Answer.TrySetResult(answers[i].Receipt!);
            }

            trouble = null;
        }
        catch (Exception e)
        {
            // Gateways keep what they have and send it again; the loop must outlive whatever happens here.
            Tell(e);
            var answer = e is SlipwayException ? e : new ApiProblem(StatusCodes.Status503ServiceUnavailable, new Fault("telemetry-failed", "telemetry could not be stored; the server's log says why", Help: "nothing is lost: it is sent again"));
            foreach (var one in group)
                one.Answer.TrySetException(answer);
        }
    }

    private async Task PurgeAsync()
    {
        try
        {
            while (!stopping.IsCancellationRequested && await database.ChangeAsync(session => Retention.PurgeAsync(session, Now), stopping.Token))
            {
                // The next small step; between two of them others get their turn.
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Tell(e);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private void Tell(Exception e)
    {
        var message = e is SlipwayException ? e.Message : e.ToString();
        if (message != trouble)
            log($"telemetry is not stored, and is asked for again: {message}");
        trouble = message;
    }

    private static ApiProblem NoRoom() => new(
        StatusCodes.Status503ServiceUnavailable,
        new Fault("telemetry-waits", "as much telemetry waits to be stored as may", Help: $"send it again in {RetryAfterSeconds} s; nothing is lost"));

    private sealed class Room(TelemetryInbox inbox, string principal, long length) : IDisposable
    {
        private bool isFree;

        public void Dispose()
        {
            lock (inbox.reserved)
            {
                if (isFree)
                    return;
                isFree = true;
                if ((inbox.reserved[principal] -= length) == 0)
                    inbox.reserved.Remove(principal);
            }
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed record Waiting(ArrivedBatch Batch)
    {
        public TaskCompletionSource<TelemetryReceipt> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
