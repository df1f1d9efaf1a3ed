using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Primitives.Units;

/// <summary>Requests per second, written <c>500/s</c>. In JSON: the number per second.</summary>
[JsonConverter(typeof(RequestRateJsonConverter))]
public readonly record struct RequestRate(double PerSecond)
{
    public const string Allowed = "a rate such as 500/s";

    public static bool TryParse(string text, out RequestRate rate)
    {
        rate = default;
        if (!Amount.TrySplit(text, out var number, out var unit) || number < 0 || unit is not ("/s" or "/min"))
            return false;
        rate = new RequestRate((double)(unit == "/s" ? number : number / 60));
        return true;
    }

    public override string ToString() => PerSecond.ToString("0.###", CultureInfo.InvariantCulture) + "/s";
}

/// <summary>Bytes per second, written <c>10 MB/s</c>. In JSON: the number of bytes per second.</summary>
[JsonConverter(typeof(ByteRateJsonConverter))]
public readonly record struct ByteRate(ByteSize PerSecond)
{
    public const string Allowed = "a rate such as 10 MB/s";

    public static bool TryParse(string text, out ByteRate rate)
    {
        rate = default;
        var trimmed = text.TrimEnd();
        if (!trimmed.EndsWith("/s", StringComparison.Ordinal) || !ByteSize.TryParse(trimmed[..^2], out var size))
            return false;
        rate = new ByteRate(size);
        return true;
    }

    public override string ToString() => PerSecond + "/s";
}

public sealed class RequestRateJsonConverter : JsonConverter<RequestRate>
{
    public override RequestRate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDouble() is >= 0 and var perSecond ? new(perSecond) : throw new JsonException("expected a rate per second, 0 or more");

    public override void Write(Utf8JsonWriter writer, RequestRate value, JsonSerializerOptions options) => writer.WriteNumberValue(value.PerSecond);
}

public sealed class ByteRateJsonConverter : JsonConverter<ByteRate>
{
    public override ByteRate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetInt64() is >= 0 and <= ByteSize.MaxBytes and var bytes ? new(new ByteSize(bytes)) : throw new JsonException("expected bytes per second from 0 to 2^53−1");

    public override void Write(Utf8JsonWriter writer, ByteRate value, JsonSerializerOptions options) => writer.WriteNumberValue(value.PerSecond.Bytes);
}
