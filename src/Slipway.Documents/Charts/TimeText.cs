using System.Globalization;

namespace Slipway.Documents.Charts;

/// <summary>How moments are worded: in UTC, always. Times are Unix milliseconds; what lies beyond the calendar is taken to its end.</summary>
public static class TimeText
{
    private const long Earliest = -62_135_596_800_000, Latest = 253_402_300_799_999;

    /// <summary>Such as <c>2026-05-01 12:00:00 UTC</c>.</summary>
    public static string Full(long unixMilliseconds) => Worded(unixMilliseconds, "yyyy-MM-dd HH:mm:ss 'UTC'");

    /// <summary>Such as <c>2026-05-01 12:00</c>, where UTC is said elsewhere.</summary>
    public static string Minute(long unixMilliseconds) => Worded(unixMilliseconds, "yyyy-MM-dd HH:mm");

    /// <summary>ISO 8601, such as <c>2026-05-01T12:00:00.000Z</c>: what machines read.</summary>
    public static string Iso(long unixMilliseconds) => Worded(unixMilliseconds, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    /// <summary>How long something takes or took, such as <c>3 min</c>, <c>2 h 10 min</c>, <c>5 d</c>.</summary>
    public static string Span(long milliseconds) => TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)) switch
    {
        { TotalSeconds: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        { TotalMinutes: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        { TotalHours: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
        { TotalDays: < 1, Minutes: 0 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h"),
        { TotalDays: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min"),
        { Hours: 0 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d"),
        var span => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d {span.Hours} h"),
    };

    internal static string Worded(long unixMilliseconds, string format) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMilliseconds, Earliest, Latest)).ToString(format, CultureInfo.InvariantCulture);
}
