using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Primitives.Bytes;

public sealed partial class DigestTests
{
    /// <summary>FIPS 180-4's example: SHA-256("abc").</summary>
    private const string Abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Fact]
    public void The_published_example_has_its_published_digest()
    {
        Assert.Equal(Abc, Digest.Of("abc"u8).ToString());
        Assert.Equal(Abc, Digest.Of(new MemoryStream("abc"u8.ToArray())).ToString());
        Assert.Equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Digest.Of([]).ToString());
        Assert.NotEqual(Digest.Of("abc"u8), Digest.Of("abd"u8));
    }

    [Fact]
    public void Text_goes_there_and_back()
    {
        var digest = Digest.Parse(Abc);
        Assert.Equal(Abc, digest.ToString());
        Assert.Equal(Abc[7..], digest.Hex);
        Assert.Equal("ba7816bf8f01", digest.Short);
        Assert.Equal(Digest.Of("abc"u8), digest);
        Assert.True(digest == Digest.Of("abc"u8) && digest != default && digest.Equals((object)digest) && !digest.Equals("text"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a")]
    [InlineData("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add")]
    [InlineData("sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ")]
    [InlineData(" sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void Anything_else_is_no_digest(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.Equal(default, digest);
        Assert.Throws<FormatException>(() => Digest.Parse(text!));
    }

    [Fact]
    public void Order_equality_and_hash_follow_the_bytes() =>
        Prop.ForAll<int, int>((x, y) =>
        {
            var (a, b) = (Digest.Of(BitConverter.GetBytes(x)), Digest.Of(BitConverter.GetBytes(y)));
            return Math.Sign(a.CompareTo(b)) == Math.Sign(string.CompareOrdinal(a.Hex, b.Hex))
                && a.Equals(b) == (a.Hex == b.Hex)
                && (a != b || a.GetHashCode() == b.GetHashCode())
                && Digest.Parse(a.ToString()) == a;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_last_of_the_32_bytes_counts()
    {
        var bytes = new byte[Digest.Length];
        var zero = new Digest(bytes);
        bytes[^1] = 1;
        Assert.NotEqual(zero, new Digest(bytes));
        Assert.Equal(default, zero);
        Assert.Throws<ArgumentException>(() => new Digest(new byte[31]));
    }

    [Fact]
    public void Json_takes_its_text_as_value_and_key_and_nothing_else()
    {
        var map = new Dictionary<Digest, Digest> { [Digest.Parse(Abc)] = Digest.Parse(Abc) };
        var json = JsonSerializer.Serialize(map, DigestShapes.Default.DictionaryDigestDigest);
        Assert.Equal($$"""{"{{Abc}}":"{{Abc}}"}""", json);
        Assert.Equal(map, JsonSerializer.Deserialize(json, DigestShapes.Default.DictionaryDigestDigest));

        foreach (var bad in (string[])["1", "null", "\"\"", $"\"{Abc.ToUpperInvariant()}\"", "{}"])
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(Encoding.UTF8.GetBytes(bad), DigestShapes.Default.Digest));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize($$"""{"x":"{{Abc}}"}""", DigestShapes.Default.DictionaryDigestDigest));
    }

    [JsonSerializable(typeof(Digest))]
    [JsonSerializable(typeof(Dictionary<Digest, Digest>))]
    private sealed partial class DigestShapes : JsonSerializerContext;
}
