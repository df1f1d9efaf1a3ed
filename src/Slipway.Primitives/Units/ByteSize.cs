using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Primitives.Units;

/// <summary>A number of bytes, 0 to 2^53−1. Written <c>512 MiB</c>, <c>4Gi</c>, <c>10 MB</c>; a bare number is refused.</summary>
/// <remarks>KiB, Ki = 1024; kB, KB = 1000. In JSON: the number of bytes.</remarks>
[JsonConverter(typeof(ByteSizeJsonConverter))]
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    public const string Allowed = "a size with its unit, such as 512 MiB, 4Gi or 10 MB";

    /// <summary>The largest size: what a JSON number holds exactly.</summary>
    public const long MaxBytes = (1L << 53) - 1;

    private static readonly (string Unit, long Factor)[] Units =
    [
        ("B", 1),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40),
        ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    public static bool TryParse(string text, out ByteSize size)
    {
        size = default;
        if (!Amount.TrySplit(text, out var number, out var unit) || number < 0)
            return false;
        foreach (var (name, factor) in Units)
        {
            if (name != unit)
                continue;
            if (number > MaxBytes / (decimal)factor)
                return false;
            size = new ByteSize((long)(number * factor));
            return true;
        }

        return false;
    }

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>For people: three significant digits at most, binary units.</summary>
    public override string ToString()
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var (value, i) = ((double)Bytes, 0);
        while (value >= 1024 && i < units.Length - 1)
            (value, i) = (value / 1024, i + 1);
        return value.ToString(i == 0 || value >= 100 ? "0" : value >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture) + " " + units[i];
    }
}

public sealed class ByteSizeJsonConverter : JsonConverter<ByteSize>
{
    public override ByteSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetInt64() is >= 0 and <= ByteSize.MaxBytes and var bytes ? new(bytes) : throw new JsonException("expected a number of bytes from 0 to 2^53−1");

    public override void Write(Utf8JsonWriter writer, ByteSize value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Bytes);
}
