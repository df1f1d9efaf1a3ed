using System.Collections.Concurrent;

namespace Slipway.Tests.Store.Registries;

/// <summary>A clock whose waits end at once and are written down; those of a day or more never end.</summary>
internal sealed class HurriedTime : TimeProvider
{
    public static readonly TimeSpan Never = TimeSpan.FromDays(1);

    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= Never || dueTime < TimeSpan.Zero)
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
