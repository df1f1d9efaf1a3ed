using System.Collections.Immutable;

namespace Slipway.Server.Monitoring;

/// <summary>The lengths of windows that are kept side by side: everything is added to each of them once, and the short ones are deleted first.</summary>
/// <param name="Milliseconds">Windows start at multiples of it, in Unix time.</param>
/// <param name="Keep">Milliseconds.</param>
internal readonly record struct WindowLength(long Milliseconds, long Keep)
{
    private const long Second = 1_000, Minute = 60 * Second, Hour = 60 * Minute, Day = 24 * Hour;

    /// <summary>Shortest first; each is a multiple of the one before.</summary>
    public static ImmutableArray<WindowLength> All { get; } = [new(10 * Second, 2 * Hour), new(Minute, 2 * Day), new(10 * Minute, 14 * Day), new(Hour, 400 * Day)];

    /// <summary>What pages and conditions may ask for: the lengths that are kept, and multiples of the longest, which are put together when they are read.</summary>
    public static ImmutableArray<long> Steps { get; } = [.. All.Select(length => length.Milliseconds), 6 * Hour, Day, 7 * Day, 28 * Day];

    public static WindowLength Shortest => All[0];

    public static WindowLength Longest => All[^1];

    public long StartOf(long at) => Floor(at, Milliseconds);

    /// <summary>Whether a window of this length that holds a moment is still kept.</summary>
    public bool Keeps(long at, long now) => StartOf(at) >= now - Keep;

    public static long Floor(long at, long step) => at - (((at % step) + step) % step);
}
