using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Primitives.Bytes;

public sealed partial class CanonicalJsonTests
{
    private static readonly string Vectors = Path.Combine(AppContext.BaseDirectory, "Primitives", "vectors", "jcs");

    public static TheoryData<string> Documents =>
        [.. Directory.GetFiles(Path.Combine(Vectors, "testdata", "input")).Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    public static TheoryData<string, string> Numbers()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Vectors, "rfc8785-appB-numbers.json")));
        var data = new TheoryData<string, string>();
        foreach (var pair in vectors.RootElement.GetProperty("cases").EnumerateArray())
            data.Add(pair[0].GetString()!, pair[1].GetString()!);
        return data;
    }

    [Fact]
    public void All_published_vectors_are_there()
    {
        Assert.Equal(3, Documents.Count);
        Assert.Equal(24, Numbers().Count);
    }

    [Theory, MemberData(nameof(Documents))]
    public void A_published_document_gets_its_published_bytes(string name)
    {
        var canonical = CanonicalJson.Canonicalize(File.ReadAllBytes(Path.Combine(Vectors, "testdata", "input", name + ".json")));

        Assert.Equal(File.ReadAllBytes(Path.Combine(Vectors, "testdata", "output", name + ".json")), canonical);
        var hex = File.ReadAllText(Path.Combine(Vectors, "testdata", "outhex", name + ".txt"));
        Assert.Equal(Convert.FromHexString(string.Concat(hex.Where(char.IsAsciiHexDigit))), canonical);
        Assert.True(CanonicalJson.IsCanonical(canonical));
    }

    [Theory, MemberData(nameof(Numbers))]
    public void A_published_number_gets_its_published_text(string bits, string text)
    {
        var value = BitConverter.UInt64BitsToDouble(ulong.Parse(bits, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(text, CanonicalJson.Number(value));
        Assert.Equal(text, Encoding.UTF8.GetString(CanonicalJson.Serialize(value, CanonicalShapes.Default.Double)));
    }

    [Theory]
    [InlineData(0x7fffffffffffffffUL)]
    [InlineData(0x7ff0000000000000UL)]
    [InlineData(0xfff0000000000000UL)]
    public void A_number_that_is_none_is_refused(ulong bits) =>
        Assert.Throws<JsonException>(() => CanonicalJson.Number(BitConverter.UInt64BitsToDouble(bits)));

    [Theory]
    [InlineData("""{"a":1,"a":2}""", "a duplicate key")]
    [InlineData("""{"a":1,"\u0061":2}""", "a duplicate key in disguise")]
    [InlineData("""["\ud800"]""", "a lone surrogate")]
    [InlineData("""{"\udc00":1}""", "a lone surrogate in a key")]
    [InlineData("[1e400]", "a number beyond a double")]
    [InlineData("[9007199254740993]", "an integer that a double does not hold")]
    [InlineData("[-9007199254740993]", "a negative integer that a double does not hold")]
    [InlineData("[1,]", "a trailing comma")]
    [InlineData("[1] // one", "a comment")]
    [InlineData("[1] [2]", "two documents")]
    [InlineData("", "nothing")]
    [InlineData("[01]", "a leading zero")]
    [InlineData("[NaN]", "not a number")]
    public void What_has_no_canonical_form_is_refused(string json, string why)
    {
        Assert.False(CanonicalJson.IsCanonical(Encoding.UTF8.GetBytes(json)), why);
        Assert.ThrowsAny<JsonException>(() => CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused() =>
        Assert.ThrowsAny<JsonException>(() => CanonicalJson.Canonicalize(new byte[] { (byte)'"', 0xff, (byte)'"' }));

    [Fact]
    public void Nesting_stops_at_64()
    {
        Assert.True(CanonicalJson.IsCanonical(Nested(64)));
        Assert.False(CanonicalJson.IsCanonical(Nested(65)));

        static byte[] Nested(int depth) => Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth));
    }

    [Theory]
    [InlineData("""{ "a":1}""")]
    [InlineData("""{"b":1,"a":2}""")]
    [InlineData("[1.0]")]
    [InlineData("[-0]")]
    [InlineData("[1E3]")]
    [InlineData("""["\u0061"]""")]
    [InlineData("""["\/"]""")]
    [InlineData("[1]\n")]
    public void Json_in_another_form_is_not_canonical_and_becomes_so(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        Assert.False(CanonicalJson.IsCanonical(bytes));
        Assert.True(CanonicalJson.IsCanonical(CanonicalJson.Canonicalize(bytes)));
    }

    [Fact]
    public void Keys_are_sorted_by_utf16_code_unit_which_is_not_code_point_order() =>
        Assert.Equal("""{"𝄞":1,"ﬀ":2}""", Canonical("""{"ﬀ":2,"𝄞":1}"""));

    [Fact]
    public void Emoji_and_control_characters_are_written_as_the_rfc_says() =>
        Assert.Equal("[\"😀</>\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\\u007f\u2028\"]", Canonical("""["\ud83d\ude00<\/>\u0000\u001F\b\t\n\f\r\"\\\u007f\u2028"]"""));

    [Fact]
    public void Every_finite_double_reads_back_as_itself_and_its_document_is_canonical() =>
        Prop.ForAll(ArbMap.Default.ArbFor<long>().Generator.Select(BitConverter.Int64BitsToDouble).ToArbitrary(), value =>
        {
            if (!double.IsFinite(value))
                return true;
            var written = CanonicalJson.Serialize(value, CanonicalShapes.Default.Double);
            return CanonicalJson.IsCanonical(written) && double.Parse(written, CultureInfo.InvariantCulture) == value;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(9007199254740992d, "9007199254740992")]
    [InlineData(999999999999999900000d, "999999999999999900000")]
    public void A_large_double_written_without_exponent_is_still_canonical(double value, string text)
    {
        var written = CanonicalJson.Serialize(value, CanonicalShapes.Default.Double);
        Assert.Equal(text, Encoding.UTF8.GetString(written));
        Assert.True(CanonicalJson.IsCanonical(written));
    }

    [Fact]
    public void A_long_that_would_change_its_value_on_the_way_is_refused()
    {
        Assert.Equal("9007199254740991", Encoding.UTF8.GetString(CanonicalJson.Serialize((1L << 53) - 1, CanonicalShapes.Default.Int64)));
        Assert.Throws<JsonException>(() => CanonicalJson.Serialize((1L << 53) + 1, CanonicalShapes.Default.Int64));
        Assert.Throws<JsonException>(() => CanonicalJson.Serialize(long.MaxValue, CanonicalShapes.Default.Int64));
    }

    [Fact]
    public void A_lone_surrogate_in_a_record_is_refused_not_replaced() =>
        Assert.Throws<JsonException>(() => CanonicalJson.Canonicalize("[\"\\ud83d\"]"u8.ToArray()));

    [Fact]
    public void Canonical_bytes_are_a_fixed_point_for_any_strings() =>
        Prop.ForAll<string[]>(texts =>
        {
            var json = "{" + string.Join(',', texts.Where(text => text is not null).Distinct().Select(text => $"{Quoted(text)}:{Quoted(text)}")) + "}";
            var canonical = CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json));
            return CanonicalJson.IsCanonical(canonical) && canonical.AsSpan().SequenceEqual(CanonicalJson.Canonicalize(canonical));

            static string Quoted(string text) => JsonSerializer.Serialize(text, CanonicalShapes.Default.String);
        }).QuickCheckThrowOnFailure();

    private static string Canonical(string json) => Encoding.UTF8.GetString(CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json)));

    [JsonSerializable(typeof(double))]
    [JsonSerializable(typeof(long))]
    [JsonSerializable(typeof(string))]
    private sealed partial class CanonicalShapes : JsonSerializerContext;
}
