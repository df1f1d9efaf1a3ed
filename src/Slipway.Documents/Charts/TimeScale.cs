using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>From moments to pixels, with ticks at round times of UTC.</summary>
/// <param name="From">Unix milliseconds, below <paramref name="To"/>.</param>
internal sealed record TimeScale(long From, long To, double Start, double End, ImmutableArray<TimeTick> Ticks)
{
    private const long Second = 1_000, Minute = 60 * Second, Hour = 60 * Minute, Day = 24 * Hour;

    private static readonly ImmutableArray<long> steps =
    [
        Second, 2 * Second, 5 * Second, 10 * Second, 15 * Second, 30 * Second, Minute, 2 * Minute, 5 * Minute, 10 * Minute, 15 * Minute, 30 * Minute,
        Hour, 2 * Hour, 3 * Hour, 6 * Hour, 12 * Hour, Day, 2 * Day, 7 * Day, 14 * Day, 30 * Day, 90 * Day, 365 * Day, 3_650 * Day, 36_500 * Day,
    ];

    /// <param name="most">Ticks at most.</param>
    public static TimeScale Over(long from, long to, double start, double end, int most)
    {
        if (to <= from)
            to = from + Second;
        var step = steps.FirstOrDefault(step => (to - from) / step < most, Math.Max(1, (to - from) / most));
        var format = step < Minute ? "HH:mm:ss" : step < Day ? "HH:mm" : step < 300 * Day ? "d MMM" : "yyyy";
        var ticks = ImmutableArray.CreateBuilder<TimeTick>();
        for (var at = (long)Math.Ceiling((double)from / step) * step; at <= to; at += step)
            ticks.Add(new(at, TimeText.Worded(at, step < Day && at % Day == 0 ? "d MMM" : format)));
        return new(from, to, start, end, ticks.ToImmutable());
    }

    public double At(long at) => Start + (End - Start) * ((Math.Clamp(at, From, To) - From) / (double)(To - From));
}

internal sealed record TimeTick(long At, string Text);
