using System.Text.Json;
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
        var material = bundle.VerificationMaterial;
        if (material.PublicKey is null && material.Certificate is null && material.X509CertificateChain is null)
            throw new JsonException("verificationMaterial names no key and no certificate");
        return bundle;
    }
}

/// <summary>What says who signed. Only public keys are believed here; certificates and log entries are carried, not judged.</summary>
internal sealed record VerificationMaterial(
    PublicKeyHint? PublicKey = null,
    JsonElement? Certificate = null,
    JsonElement? X509CertificateChain = null,
    JsonElement? TlogEntries = null,
    JsonElement? TimestampVerificationData = null);

/// <param name="Hint">See <see cref="VerificationKey.Hint"/>; not authenticated.</param>
internal sealed record PublicKeyHint(string? Hint = null);
