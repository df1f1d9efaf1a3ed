namespace Slipway.Gateway.Sampling;

/// <summary>The clock of all telemetry: UTC when the gateway started, carried on by the monotonic clock, so that no step of the wall clock moves a slice. Thread-safe.</summary>
/// <remarks>When a batch leaves is told by the same clock: a server that corrects it by that corrects every slice, whenever it was counted.</remarks>
internal sealed class SampleClock(TimeProvider time)
{
    private readonly long boot = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks, start = time.GetTimestamp();

    /// <summary>On the monotonic clock.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Unix milliseconds.</summary>
    public long MillisecondsAt(long timestamp) => TicksAt(timestamp) / TimeSpan.TicksPerMillisecond;

    /// <summary>Unix seconds.</summary>
    public long SecondAt(long timestamp) => TicksAt(timestamp) / TimeSpan.TicksPerSecond;

    /// <summary>The first moment on the monotonic clock that is surely not before a second's end.</summary>
    public long EndOf(long second)
    {
        var left = ((second + 1) * TimeSpan.TicksPerSecond) - boot;
        var whole = Math.DivRem(left, TimeSpan.TicksPerSecond, out var rest);
        return start + (whole * time.TimestampFrequency) + (((rest * time.TimestampFrequency) + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond);
    }

    private long TicksAt(long timestamp) => boot + time.GetElapsedTime(start, timestamp).Ticks;
}
