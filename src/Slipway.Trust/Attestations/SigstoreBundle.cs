using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Attestations;

/// <summary>A DSSE envelope with the hint by which its key is found. Source: sigstore protobuf-specs, sigstore_bundle.proto, v0.3.</summary>
/// <param name="MediaType">Always <see cref="V03"/>.</param>
/// <param name="MessageSignature">A signature over a file instead of an envelope; recognised, and then refused with its name.</param>
internal sealed record SigstoreBundle(
    string MediaType,
    VerificationMaterial VerificationMaterial,
    DsseEnvelope? DsseEnvelope = null,
    JsonElement? MessageSignature = null)
{
    public const string V03 = "application/vnd.dev.sigstore.bundle.v0.3+json";

    /// <summary>Most bytes that are read: an SBOM of some ten thousand components.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>Authorities that have stamped one signature, at most.</summary>
    public const int MaxTimestamps = 8;

    public static SigstoreBundle Of(DsseEnvelope envelope, VerificationKey key) =>
        new(V03, new VerificationMaterial(new PublicKeyHint(key.Hint)), envelope);

    public byte[] ToBytes() => CanonicalJson.Serialize(this, AttestationJson.Default.SigstoreBundle);

    /// <returns>A bundle whose envelope is there, with exactly one signature, all of it strict base64.</returns>
    /// <exception cref="JsonException">Anything else: what is wrong, in one sentence.</exception>
    public static SigstoreBundle Parse(ReadOnlySpan<byte> json)
    {
        var bundle = AttestationJson.Read(json, AttestationJson.Default.SigstoreBundle);
        if (bundle.MediaType != V03)
            throw new JsonException($"mediaType is '{bundle.MediaType}', expected {V03}");
        if (bundle.DsseEnvelope is not { } envelope)
            throw new JsonException(bundle.MessageSignature is null ? "dsseEnvelope is missing" : "it signs a message; expected a dsseEnvelope");
        if (bundle.MessageSignature is not null)
            throw new JsonException("it has both a dsseEnvelope and a messageSignature");
        if (envelope.Signatures is not [var signature])
            throw new JsonException("the envelope has not exactly one signature");
        _ = Dsse.StrictBase64(signature.Sig);
        _ = envelope.PayloadBytes();
        Check(bundle.VerificationMaterial);
        return bundle;
    }

    private static void Check(VerificationMaterial material)
    {
        if (material is { PublicKey: null, Certificate: null, X509CertificateChain: null })
            throw new JsonException("verificationMaterial names no key and no certificate");
        if (material is { PublicKey: not null, Certificate: not null })
            throw new JsonException("verificationMaterial names both a key and a certificate");
        if (material.Certificate is { } certificate)
            _ = Dsse.StrictBase64(certificate.RawBytes);
        if (material.TimestampVerificationData?.Rfc3161Timestamps is not { IsDefault: false } timestamps)
            return;
        if (timestamps.Length > MaxTimestamps)
            throw new JsonException($"it has {timestamps.Length} timestamps, allowed {MaxTimestamps}");
        foreach (var timestamp in timestamps)
            _ = Dsse.StrictBase64(timestamp?.Timestamp ?? throw new JsonException("a timestamp is null"));
    }
}

/// <summary>What says who signed, and when. Entries of transparency logs are carried, not judged.</summary>
internal sealed record VerificationMaterial(
    PublicKeyHint? PublicKey = null,
    CertificateBytes? Certificate = null,
    JsonElement? X509CertificateChain = null,
    JsonElement? TlogEntries = null,
    TimestampVerificationData? TimestampVerificationData = null)
{
    /// <summary>Whether what signed it rests on a log's entries; an empty list is none.</summary>
    [JsonIgnore]
    public bool HasLogEntries => TlogEntries is { } entries && !(entries.ValueKind == JsonValueKind.Array && entries.GetArrayLength() == 0);
}

/// <param name="Hint">See <see cref="VerificationKey.Hint"/>; not authenticated.</param>
internal sealed record PublicKeyHint(string? Hint = null);

/// <param name="RawBytes">Base64 of the leaf's DER; v0.3 carries no other.</param>
internal sealed record CertificateBytes(string RawBytes);

internal sealed record TimestampVerificationData(ImmutableArray<SignedTimestamp> Rfc3161Timestamps = default);

/// <param name="Timestamp">Base64 of a TimeStampResp's DER, whose imprint is of the signature's bytes.</param>
internal sealed record SignedTimestamp([property: JsonPropertyName("signedTimestamp")] string Timestamp);
