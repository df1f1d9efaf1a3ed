namespace Slipway.Tests.Server;

/// <summary>A clock that a test steps, with its timers: what waits for it waits until the test says that the time is over.</summary>
internal sealed class SteppedTimers : TimeProvider
{
    private readonly Lock changing = new();
    private readonly List<Waiting> waiting = [];
    private DateTimeOffset now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (changing)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Waiting(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Whether somebody waits for that long.</summary>
    public bool Waits(TimeSpan span)
    {
        lock (changing)
            return waiting.Any(timer => timer.Span == span);
    }

    /// <summary>Timers that wait.</summary>
    public int Count
    {
        get
        {
            lock (changing)
                return waiting.Count;
        }
    }

    public void Step(TimeSpan by)
    {
        Waiting[] due;
        lock (changing)
        {
            now += by;
            due = [.. waiting.Where(timer => timer.Due <= now)];
            waiting.RemoveAll(due.Contains);
        }

        foreach (var timer in due)
            timer.Ring();
    }

    /// <summary>Rings once, as every wait does.</summary>
    private sealed class Waiting(SteppedTimers clock, Action ring) : ITimer
    {
        public TimeSpan Span { get; private set; }

        public DateTimeOffset Due { get; private set; }

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.changing)
            {
                clock.waiting.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                (Span, Due) = (dueTime, clock.now + dueTime);
                clock.waiting.Add(this);
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock.changing)
                clock.waiting.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
