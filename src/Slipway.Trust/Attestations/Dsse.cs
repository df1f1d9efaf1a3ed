using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Attestations;

/// <summary>Dead Simple Signing Envelope: the signature covers the payload's type and exact bytes. Source: DSSE v1, protocol.md.</summary>
internal static class Dsse
{
    /// <summary>The payload type of in-toto statements.</summary>
    public const string InToto = "application/vnd.in-toto+json";

    /// <summary>Pre-authentication encoding: <c>DSSEv1 SP len(type) SP type SP len(body) SP body</c>, lengths in bytes.</summary>
    public static byte[] Pae(string payloadType, ReadOnlySpan<byte> payload)
    {
        var length = Encoding.UTF8.GetByteCount(payloadType);
        var head = string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {length} {payloadType} {payload.Length} ");
        return [.. Encoding.UTF8.GetBytes(head), .. payload];
    }

    public static DsseEnvelope Sign(string payloadType, ReadOnlySpan<byte> payload, ISigner key) =>
        new(Convert.ToBase64String(payload), payloadType, [new DsseSignature(Convert.ToBase64String(key.Sign(Pae(payloadType, payload))))]);

    /// <summary>Whether this key signed the envelope. Key hints play no part.</summary>
    /// <exception cref="JsonException">Payload or signature is not strict base64.</exception>
    public static bool Verify(DsseEnvelope envelope, VerificationKey key)
    {
        var signed = Pae(envelope.PayloadType, envelope.PayloadBytes());
        return envelope.Signatures.Any(signature => key.Verify(signed, StrictBase64(signature.Sig)));
    }

    /// <summary>Standard alphabet with padding, no white space, no spare bits: one text per content.</summary>
    /// <exception cref="JsonException">Anything else.</exception>
    internal static byte[] StrictBase64(string text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == text
            ? bytes[..length]
            : throw new JsonException("a payload or signature is not strict base64");
    }
}

/// <param name="Payload">Base64.</param>
/// <param name="Signatures">In a sigstore bundle exactly one.</param>
internal sealed record DsseEnvelope(string Payload, string PayloadType, ImmutableArray<DsseSignature> Signatures)
{
    /// <exception cref="JsonException">Not strict base64.</exception>
    public byte[] PayloadBytes() => Dsse.StrictBase64(Payload);
}

/// <param name="Sig">Base64 of the DER signature.</param>
/// <param name="Keyid">Not authenticated; ignored.</param>
internal sealed record DsseSignature(string Sig, string? Keyid = null);
