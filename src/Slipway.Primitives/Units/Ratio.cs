using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Primitives.Units;

/// <summary>A share of a whole, 0 to 1. Written <c>5 %</c>, <c>0.02%</c> or <c>0.05</c>. In JSON: the number 0 to 1.</summary>
[JsonConverter(typeof(RatioJsonConverter))]
public readonly record struct Ratio(double Value) : IComparable<Ratio>
{
    public const string Allowed = "a share from 0 to 1, such as 5 % or 0.05";

    public static bool TryParse(string text, out Ratio ratio)
    {
        ratio = default;
        if (!Amount.TrySplit(text, out var number, out var unit) || unit is not ("" or "%"))
            return false;
        var value = unit == "%" ? number / 100 : number;
        if (value is < 0 or > 1)
            return false;
        ratio = new Ratio((double)value);
        return true;
    }

    public int CompareTo(Ratio other) => Value.CompareTo(other.Value);

    public override string ToString() => (Value * 100).ToString("0.####", CultureInfo.InvariantCulture) + " %";
}

public sealed class RatioJsonConverter : JsonConverter<Ratio>
{
    public override Ratio Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDouble() is >= 0 and <= 1 and var value ? new(value) : throw new JsonException("expected a share from 0 to 1");

    public override void Write(Utf8JsonWriter writer, Ratio value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
