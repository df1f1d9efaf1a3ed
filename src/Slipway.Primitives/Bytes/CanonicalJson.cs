using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Slipway.Primitives.Bytes;

/// <summary>
/// The JSON Canonicalization Scheme: keys sorted by UTF-16 code unit, ECMAScript number format, no white space, no
/// normalisation. Every document of ours that has a digest is stored in this form, and this is its only writer.
/// </summary>
/// <remarks>
/// Source: RFC 8785; numbers as ECMA-262 Number::toString. Refused: duplicate keys, lone surrogates, NaN and infinities,
/// numbers that overflow a double, integers that a double does not hold digit for digit (beyond ±(2^53−1) they travel as
/// strings), comments, trailing commas, nesting deeper than 64. Thread-safe; memory is proportional to the document.
/// </remarks>
public static class CanonicalJson
{
    private static readonly JsonDocumentOptions Strict = new()
    {
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        AllowDuplicateProperties = false,
        MaxDepth = 64,
    };

    /// <summary>The canonical bytes of a document of ours.</summary>
    public static byte[] Serialize<T>(T document, JsonTypeInfo<T> type)
    {
        using var element = JsonSerializer.SerializeToDocument(document, type);
        return Write(element.RootElement);
    }

    /// <summary>The canonical form of any JSON text.</summary>
    /// <exception cref="JsonException">The text is not JSON, or is JSON that this form refuses.</exception>
    public static byte[] Canonicalize(ReadOnlyMemory<byte> json)
    {
        using var document = Parse(json);
        return Write(document.RootElement);
    }

    /// <summary>Whether the bytes are already in this form, byte for byte.</summary>
    public static bool IsCanonical(ReadOnlyMemory<byte> json)
    {
        try
        {
            return Canonicalize(json).AsSpan().SequenceEqual(json.Span);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public static byte[] Write(JsonElement element)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(element, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A number as ECMAScript prints it: <c>1e+21</c>, <c>1e-7</c>, <c>-0</c> as <c>0</c>.</summary>
    /// <exception cref="JsonException">NaN or infinite.</exception>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
            throw new JsonException("NaN and infinities have no JSON form");
        if (value == 0)
            return "0";

        // .NET's "E16" is not shortest; "R" gives the shortest round-trip digits, only laid out differently.
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E');
        var exponent = mark < 0 ? 0 : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = mark < 0 ? text : text[..mark];
        var dot = mantissa.IndexOf('.');
        var digits = mantissa.Replace(".", "");
        var point = (dot < 0 ? mantissa.Length : dot) + exponent;        // value = 0.digits × 10^point
        var leading = digits.Length - digits.TrimStart('0').Length;
        digits = digits[leading..].TrimEnd('0');
        point -= leading;

        var sign = value < 0 ? "-" : "";
        return sign + (point, digits.Length) switch
        {
            var (n, k) when k <= n && n <= 21 => digits + new string('0', n - k),
            var (n, _) when 0 < n && n <= 21 => digits[..n] + "." + digits[n..],
            var (n, _) when -6 < n && n <= 0 => "0." + new string('0', -n) + digits,
            var (n, k) => (k == 1 ? digits : digits[..1] + "." + digits[1..]) + "e" + (n - 1 < 0 ? "-" : "+")
                + Math.Abs(n - 1).ToString(CultureInfo.InvariantCulture),
        };
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, Strict);
        }
        catch (InvalidOperationException e)
        {
            // Looking for duplicates, the framework unescapes the keys.
            throw new JsonException("a key holds a lone surrogate or bytes that are not UTF-8", e);
        }
    }

    private static void Write(JsonElement element, ArrayBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(element, output);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                var first = true;
                foreach (var item in element.EnumerateArray())
                {
                    if (!first)
                        output.Write(","u8);
                    first = false;
                    Write(item, output);
                }

                output.Write("]"u8);
                break;
            case JsonValueKind.String:
                WriteString(Text(element), output);
                break;
            case JsonValueKind.Number:
                WriteNumber(element, output);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new JsonException($"a value of kind {element.ValueKind} has no canonical form");
        }
    }

    private static void WriteObject(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var property in element.EnumerateObject())
            members.Add((Name(property), property.Value));
        members.Sort(static (x, y) => string.CompareOrdinal(x.Name, y.Name));

        output.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
            {
                if (members[i].Name == members[i - 1].Name)
                    throw new JsonException($"the key '{members[i].Name}' stands twice in one object");
                output.Write(","u8);
            }

            WriteString(members[i].Name, output);
            output.Write(":"u8);
            Write(members[i].Value, output);
        }

        output.Write("}"u8);
    }

    private static void WriteNumber(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var raw = element.GetRawText();
        var number = Number(element.GetDouble());
        // A double from 2^53 to 10^21 is itself written without exponent, so the size of an integer alone refuses nothing.
        var isInteger = raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0;
        if (isInteger && raw != number && raw != "-0")
            throw new JsonException($"the integer {raw} is beyond ±(2^53−1) and would change to {number}; write it as a string");
        Write(number, output);
    }

    private static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a key holds a lone surrogate or bytes that are not UTF-8", e);
        }
    }

    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a string holds a lone surrogate or bytes that are not UTF-8", e);
        }
    }

    /// <summary>One text in its canonical form, for who writes a long document piece by piece.</summary>
    /// <exception cref="JsonException">It holds a lone surrogate.</exception>
    public static void WriteString(string text, ArrayBufferWriter<byte> output)
    {
        if (text.AsSpan().IndexOfAnyInRange('\0', '\u001F') < 0 && text.AsSpan().IndexOfAny('"', '\\') < 0)
        {
            output.Write("\""u8);
            Write(text, output);
            output.Write("\""u8);
            return;
        }

        var escaped = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => escaped.Append("\\\""),
                '\\' => escaped.Append("\\\\"),
                '\b' => escaped.Append("\\b"),
                '\t' => escaped.Append("\\t"),
                '\n' => escaped.Append("\\n"),
                '\f' => escaped.Append("\\f"),
                '\r' => escaped.Append("\\r"),
                < ' ' => escaped.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => escaped.Append(c),
            };
        }

        Write(escaped.Append('"').ToString(), output);
    }

    private static void Write(string text, ArrayBufferWriter<byte> output)
    {
        var span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            output.Advance(StrictUtf8.GetBytes(text, span));
        }
        catch (EncoderFallbackException e)
        {
            throw new JsonException("a string holds a lone surrogate", e);
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
}
