namespace Slipway.Tests.Server.Web;

/// <summary>A clock whose timers too go off when a test turns it, and not before: a day passes as fast as what it wakes is done.</summary>
internal sealed class TurnedClock : TimeProvider
{
    private readonly Lock own = new();
    private readonly List<Turned> pending = [];
    private long ticks = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero).Ticks;

    /// <summary>Timers that wait.</summary>
    public int Pending
    {
        get
        {
            lock (own)
                return pending.Count;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Turned(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Turn(TimeSpan by)
    {
        Turned[] due;
        lock (own)
        {
            ticks += by.Ticks;
            due = [.. pending.Where(timer => timer.Due <= ticks)];
            pending.RemoveAll(timer => timer.Due <= ticks);
        }

        foreach (var timer in due)
            timer.GoOff();
    }

    private sealed class Turned(TurnedClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.own)
            {
                clock.pending.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = clock.ticks + dueTime.Ticks;
                clock.pending.Add(this);
                return true;
            }
        }

        public void GoOff() => callback(state);

        public void Dispose()
        {
            lock (clock.own)
                clock.pending.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
