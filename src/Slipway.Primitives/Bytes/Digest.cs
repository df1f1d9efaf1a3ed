using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Primitives.Bytes;

/// <summary>A SHA-256 digest: the only name that Slipway trusts. Text form: <c>sha256:</c> and 64 lowercase hex digits.</summary>
/// <remarks>Immutable, 32 bytes, compares by value; <c>default</c> is 32 zero bytes and is the digest of nothing known.</remarks>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 32;

    private const string Prefix = "sha256:";

    private readonly ulong a, b, c, d;

    /// <param name="bytes">Exactly 32 bytes.</param>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"a SHA-256 digest has {Length} bytes, found {bytes.Length}", nameof(bytes));
        a = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        b = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        c = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        d = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The 64 lowercase hex digits, without the algorithm.</summary>
    public string Hex
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Length];
            CopyTo(bytes);
            return Convert.ToHexStringLower(bytes);
        }
    }

    /// <summary>The first 12 hex digits: for people, never for look-ups.</summary>
    public string Short => Hex[..12];

    public static Digest Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Length];
        SHA256.HashData(data, hash);
        return new Digest(hash);
    }

    /// <summary>Hashes a stream to its end; memory is bounded by the framework's own buffer.</summary>
    public static Digest Of(Stream stream)
    {
        Span<byte> hash = stackalloc byte[Length];
        SHA256.HashData(stream, hash);
        return new Digest(hash);
    }

    /// <exception cref="FormatException">The text is not <c>sha256:</c> and 64 lowercase hex digits.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest)
            ? digest
            : throw new FormatException($"'{text}' is not a digest; expected {Prefix} and 64 lowercase hex digits");

    /// <summary>Strict: upper case, other algorithms, white space and other lengths are refused.</summary>
    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.Length != Prefix.Length + 2 * Length || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;

        Span<byte> bytes = stackalloc byte[Length];
        for (var i = 0; i < Length; i++)
        {
            var (high, low) = (Nibble(text[Prefix.Length + 2 * i]), Nibble(text[Prefix.Length + 2 * i + 1]));
            if ((high | low) < 0)
                return false;
            bytes[i] = (byte)(high << 4 | low);
        }

        digest = new Digest(bytes);
        return true;
    }

    /// <param name="destination">At least 32 bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination, a);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[8..], b);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[16..], c);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[24..], d);
    }

    public bool Equals(Digest other) => a == other.a && b == other.b && c == other.c && d == other.d;

    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    public override int GetHashCode() => a.GetHashCode();

    /// <summary>Byte order, which is also the order of the hex text.</summary>
    public int CompareTo(Digest other) => (a, b, c, d).CompareTo((other.a, other.b, other.c, other.d));

    public override string ToString() => Prefix + Hex;

    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    private static int Nibble(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        _ => -1,
    };
}

/// <summary>A digest in JSON is its text; anything else is refused. Works as a property name as well.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out var digest)
            ? digest
            : throw new JsonException("expected a digest: sha256: and 64 lowercase hex digits");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    public override Digest ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());
}
