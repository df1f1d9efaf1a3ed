namespace Slipway.Gateway.Telemetry;

/// <summary>
/// Hands out assignment orders: microseconds, UTC when the gateway started and carried on by the monotonic clock, so that a step of the
/// wall clock moves none; each larger than the one before. Thread-safe and without a lock.
/// </summary>
internal sealed class OrderClock(TimeProvider time)
{
    private readonly long boot = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, start = time.GetTimestamp();
    private long last;

    /// <summary>The highest that was handed out, or passed by <see cref="Advance"/>.</summary>
    public long Last => Volatile.Read(ref last);

    /// <param name="timestamp">Of the clock's own timestamps: now, or a moment ago.</param>
    public long Next(long timestamp)
    {
        var now = boot + (time.GetElapsedTime(start, timestamp).Ticks / TimeSpan.TicksPerMicrosecond);
        while (true)
        {
            var before = Volatile.Read(ref last);
            var next = Math.Max(now, before + 1);
            if (Interlocked.CompareExchange(ref last, next, before) == before)
                return next;
        }
    }

    /// <summary>Passes over everything up to now: whatever is handed out from here on is larger than the result.</summary>
    public long Advance() => Next(time.GetTimestamp());
}
