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

    /// <summary>How long something takes or took, in whole units, the rest left out: such as <c>3 min</c>, <c>2 h 10 min</c>, <c>5 d</c>.</summary>
    public static string Span(long milliseconds) => TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)) switch
    {
        { TotalSeconds: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        { TotalMinutes: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Seconds} s"),
        { TotalHours: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes} min"),
        { TotalDays: < 1, Minutes: 0 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h"),
        { TotalDays: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min"),
        { Hours: 0 } span => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d"),
        var span => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d {span.Hours} h"),
    };

    /// <summary>What <see cref="TryParse"/> takes.</summary>
    public const string Allowed = "a date or time in UTC, such as 2026-05-01, 2026-05-01T12:00 or 2026-05-01T12:00:00Z";

    /// <summary>Reads a moment as RFC 3339 has it: a date alone is its beginning, seconds may be left out.</summary>
    /// <param name="needsOffset">Whether one without <c>Z</c> or an offset is refused; else it is UTC.</param>
    /// <returns>False too for what is before 1970.</returns>
    public static bool TryParse(string text, bool needsOffset, out long unixMilliseconds)
    {
        unixMilliseconds = 0;
        var isRead = DateTimeOffset.TryParseExact(text, WithOffset, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            || !needsOffset && DateTimeOffset.TryParseExact(text, WithoutOffset, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
        unixMilliseconds = isRead ? time.ToUnixTimeMilliseconds() : 0;
        return isRead && unixMilliseconds >= 0;
    }

    private static readonly string[] WithoutOffset = ["yyyy-MM-dd", .. Forms("T"), .. Forms(" ")];

    private static readonly string[] WithOffset = [.. Forms("T").Concat(Forms(" ")).SelectMany(form => new[] { form + "zzz", form + "'Z'" })];

    private static IEnumerable<string> Forms(string between) =>
        new[] { "HH:mm", "HH:mm:ss", "HH:mm:ss.FFFFFFF" }.Select(time => $"yyyy-MM-dd'{between}'{time}");

    internal static string Worded(long unixMilliseconds, string format) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMilliseconds, Earliest, Latest)).ToString(format, CultureInfo.InvariantCulture);
}
