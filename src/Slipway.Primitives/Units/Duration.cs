using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Primitives.Units;

/// <summary>A length of time, 0 to 10,000 years. Written <c>10ms</c>, <c>20 min</c>, <c>24 h</c>, <c>9000 days</c>; a bare number is refused.</summary>
/// <remarks>Resolution 100 ns. In JSON: seconds.</remarks>
[JsonConverter(typeof(DurationJsonConverter))]
public readonly record struct Duration(TimeSpan Value) : IComparable<Duration>
{
    public const string Allowed = "a time with its unit, such as 10 ms, 20 min, 24 h or 7 days";

    /// <summary>10,000 years, in days.</summary>
    internal const int MaxDays = 3_652_500;

    public double Seconds => Value.TotalSeconds;

    public static bool TryParse(string text, out Duration duration)
    {
        duration = default;
        if (!Amount.TrySplit(text, out var number, out var unit) || number < 0)
            return false;
        decimal ticks = unit switch
        {
            "us" or "µs" => 10,
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" or "sec" or "second" or "seconds" => TimeSpan.TicksPerSecond,
            "min" or "minute" or "minutes" => TimeSpan.TicksPerMinute,
            "h" or "hour" or "hours" => TimeSpan.TicksPerHour,
            "d" or "day" or "days" => TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (ticks == 0 || number > (decimal)MaxDays * TimeSpan.TicksPerDay / ticks)
            return false;
        duration = new Duration(TimeSpan.FromTicks((long)(number * ticks)));
        return true;
    }

    public int CompareTo(Duration other) => Value.CompareTo(other.Value);

    /// <summary>For people: <c>12 ms</c>, <c>3.4 s</c>, <c>2 min 5 s</c>, <c>1 h 3 min</c>, <c>30 d</c>; nothing is <c>0 s</c>.</summary>
    public override string ToString() => Value switch
    {
        { Ticks: 0 } => "0 s",
        { TotalSeconds: < 1 } => Value.TotalMilliseconds.ToString("0.#", CultureInfo.InvariantCulture) + " ms",
        { TotalMinutes: < 1 } => Value.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture) + " s",
        { TotalHours: < 1 } => Of((int)Value.TotalMinutes, "min", Value.Seconds, "s"),
        { TotalDays: < 1 } => Of((int)Value.TotalHours, "h", Value.Minutes, "min"),
        _ => Of((int)Value.TotalDays, "d", Value.Hours, "h"),
    };

    private static string Of(int whole, string unit, int rest, string smaller) =>
        string.Create(CultureInfo.InvariantCulture, $"{whole} {unit}") + (rest == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {rest} {smaller}"));
}

public sealed class DurationJsonConverter : JsonConverter<Duration>
{
    public override Duration Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDouble() is >= 0 and <= Duration.MaxDays * 86_400.0 and var seconds
            ? new(TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)))
            : throw new JsonException("expected a time in seconds, from 0 to 10,000 years");

    public override void Write(Utf8JsonWriter writer, Duration value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Seconds);
}
