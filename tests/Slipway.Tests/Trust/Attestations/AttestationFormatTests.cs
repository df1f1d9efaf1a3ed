using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Trust.Attestations;

public sealed class AttestationFormatTests
{
    private static readonly Digest Subject = Digest.Of("a bundle"u8);

    public static JsonElement Predicate(string json) => JsonDocument.Parse(json).RootElement;

    [Fact]
    public void The_published_envelope_is_verified()
    {
        using var vector = JsonDocument.Parse(Vector("dsse.json"));
        var root = vector.RootElement;
        var key = VerificationKey.FromSpki(Spki(root.GetProperty("key")));
        var envelope = root.GetProperty("envelope");

        var raw = Convert.FromBase64String(envelope.GetProperty("signatures")[0].GetProperty("sig").GetString()!);
        var signed = new DsseEnvelope(
            envelope.GetProperty("payload").GetString()!,
            envelope.GetProperty("payloadType").GetString()!,
            [new DsseSignature(Convert.ToBase64String(Der(raw)))]);

        Assert.Equal(root.GetProperty("pae").GetString(), Encoding.UTF8.GetString(Dsse.Pae(signed.PayloadType, signed.PayloadBytes())));
        Assert.True(Dsse.Verify(signed, key));
        Assert.False(Dsse.Verify(signed with { PayloadType = "http://example.com/HelloWorle" }, key));
        Assert.False(Dsse.Verify(signed with { Payload = Convert.ToBase64String("hello worle"u8) }, key));
    }

    [Fact]
    public void Lengths_of_the_encoding_are_in_bytes() =>
        Assert.Equal("DSSEv1 2 ä 3 ö!", Encoding.UTF8.GetString(Dsse.Pae("ä", "ö!"u8)));

    [Fact]
    public void A_bundle_of_cosign_is_read()
    {
        var bundle = SigstoreBundle.Parse(Vector("cosign-attestation.sigstore.json"));

        Assert.NotNull(bundle.VerificationMaterial.Certificate);
        Assert.Null(bundle.VerificationMaterial.PublicKey);
        Assert.Equal(Dsse.InToto, bundle.DsseEnvelope!.PayloadType);
        Assert.StartsWith("{\"_type\":\"https://in-toto.io/Statement/v0.1\"", Encoding.UTF8.GetString(bundle.DsseEnvelope.PayloadBytes()));
    }

    [Fact]
    public void A_bundle_that_signs_a_message_is_named_as_such()
    {
        var refused = Assert.Throws<JsonException>(() => SigstoreBundle.Parse(Vector("managed-key.sigstore.json")));
        Assert.Contains("signs a message", refused.Message);
    }

    [Fact]
    public void What_is_written_is_read_back_and_is_canonical()
    {
        using var key = SigningKey.Create();
        var bundle = SigstoreBundle.Of(Dsse.Sign(Dsse.InToto, "{}"u8, key), key.PublicKey);
        var bytes = bundle.ToBytes();
        var read = SigstoreBundle.Parse(bytes);

        Assert.True(CanonicalJson.IsCanonical(bytes));
        Assert.Equal(key.PublicKey.Hint, read.VerificationMaterial.PublicKey?.Hint);
        Assert.True(Dsse.Verify(read.DsseEnvelope!, key.PublicKey));
    }

    [Theory]
    [InlineData("\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"", "\"mediaType\":\"application/vnd.dev.sigstore.bundle+json;version=0.1\"")]
    [InlineData("\"dsseEnvelope\":{", "\"dsseEnvelope\":{\"extra\":1,")]
    [InlineData("\"dsseEnvelope\":{", "\"dsseEnvelope\":null,\"dsseEnvelope\":{")]
    [InlineData("\"payload\":\"e30=\"", "\"payload\":\"e31=\"")]
    [InlineData("\"payload\":\"e30=\"", "\"payload\":\"e30\"")]
    [InlineData("\"payload\":\"e30=\"", "\"payload\":\"e3 0=\"")]
    [InlineData("\"signatures\":[", "\"signatures\":[{\"sig\":\"AA==\"},")]
    [InlineData("\"signatures\":[", "\"signatures\":[null,")]
    [InlineData("\"publicKey\":{", "\"publicKez\":{")]
    [InlineData("\"verificationMaterial\":{", "\"verificationMaterial\":{},\"x\":{")]
    public void A_malformed_bundle_is_refused(string find, string replace)
    {
        using var key = SigningKey.Create();
        var good = Encoding.UTF8.GetString(SigstoreBundle.Of(Dsse.Sign(Dsse.InToto, "{}"u8, key), key.PublicKey).ToBytes());
        Assert.Contains(find, good);

        Assert.Throws<JsonException>(() => SigstoreBundle.Parse(Encoding.UTF8.GetBytes(good.Replace(find, replace, StringComparison.Ordinal))));
    }

    [Fact]
    public void A_statement_is_read_back_with_its_predicate()
    {
        var statement = Statement.About(Subject, "flight-delay", "https://slsa.dev/provenance/v1", Predicate("""{"b":[1,2],"a":{"x":null}}"""));
        var bytes = statement.ToBytes();
        var read = Statement.Parse(bytes);

        Assert.Equal(
            $$$"""{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":{"x":null},"b":[1,2]},"predicateType":"https://slsa.dev/provenance/v1","subject":[{"digest":{"sha256":"{{{Subject.Hex}}}"},"name":"flight-delay"}]}""",
            Encoding.UTF8.GetString(bytes));
        Assert.Equal("2", read.Predicate!.Value.GetProperty("b")[1].GetRawText());
        Assert.True(read.Covers(Subject));
        Assert.False(read.Covers(Digest.Of("another"u8)));
    }

    [Fact]
    public void A_subject_is_matched_by_its_digest_and_never_by_its_name()
    {
        var named = new Statement(Statement.V1, [new StatementSubject(ImmutableSortedDictionary<string, string>.Empty.Add("sha512", Subject.Hex), Subject.ToString())], "t");

        Assert.False(named.Covers(Subject));
    }

    [Theory]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"gitCommit":"d20ace7968ba43c0219f62d71334c1095bab1602"}}],"predicateType":"https://in-toto.io/attestation/test-result/v0.1","predicate":{}}""", true)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"sha256":"a"}}],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[null],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x"}],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a"}}],"predicateType":""}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a","sha256":"b"}}],"predicateType":"t"}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a"}}],"predicateType":"t","subjects":[]}""", false)]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a"}}],"predicateType":"t","predicate":{"a":1,"a":2}}""", false)]
    [InlineData("null", false)]
    public void Statements_are_read_strictly(string json, bool allowed)
    {
        if (allowed)
            Statement.Parse(Encoding.UTF8.GetBytes(json));
        else
            Assert.Throws<JsonException>(() => Statement.Parse(Encoding.UTF8.GetBytes(json)));
    }

    private static byte[] Vector(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Trust/Attestations/vectors", name));

    private static byte[] Spki(JsonElement key)
    {
        static byte[] Coordinate(JsonElement text) =>
            System.Numerics.BigInteger.Parse(text.GetString()!).ToByteArray(isUnsigned: true, isBigEndian: true) is var bytes ? [.. new byte[32 - bytes.Length], .. bytes] : [];
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Coordinate(key.GetProperty("x_dec")), Y = Coordinate(key.GetProperty("y_dec")) },
        });
        return ecdsa.ExportSubjectPublicKeyInfo();
    }

    /// <summary>r and s side by side as a DER sequence: the vector has the other of ECDSA's two encodings.</summary>
    private static byte[] Der(byte[] raw)
    {
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(raw.AsSpan(0, 32).TrimStart((byte)0));
            writer.WriteIntegerUnsigned(raw.AsSpan(32).TrimStart((byte)0));
        }

        return writer.Encode();
    }
}
