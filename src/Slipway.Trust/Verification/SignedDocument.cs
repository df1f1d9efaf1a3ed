using System.Text.Json;
using Slipway.Primitives.Faults;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Verification;

/// <summary>A document that is attached to no bundle, in a DSSE envelope with a payload type of its own, so that no signature made for one purpose serves another.</summary>
public static class SignedDocument
{
    /// <summary>Of the bytes that <see cref="Sign"/> makes: a sigstore bundle.</summary>
    public const string MediaType = SigstoreBundle.V03;

    /// <exception cref="SlipwayException">Whatever reaches the key failed (exit 3).</exception>
    public static byte[] Sign(string payloadType, ReadOnlySpan<byte> payload, ISigner signer) =>
        SigstoreBundle.Of(Dsse.Sign(payloadType, payload, signer), signer.PublicKey).ToBytes();

    /// <summary>The payload, when a signer signed it who is trusted and may say what it says.</summary>
    /// <param name="role">The predicate type whose signers are believed: where the policy names some for it, nobody else is.</param>
    /// <param name="own">A key that is believed whatever the policy says, but for its revocations; null for none.</param>
    /// <exception cref="SlipwayException">Malformed, of another type, by a stranger, refused, or edited (exit 1).</exception>
    public static OpenedDocument Open(ReadOnlySpan<byte> bytes, string payloadType, TrustPolicy trusted, string role, VerificationKey? own = null)
    {
        SigstoreBundle signed;
        try
        {
            signed = SigstoreBundle.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw Refused("signature-malformed", $"its signature cannot be read: {ForeignText.Shown(e.Message)}");
        }

        var envelope = signed.DsseEnvelope!;
        if (envelope.PayloadType != payloadType)
            throw Refused("signature-type", $"what was signed is '{ForeignText.Shown(envelope.PayloadType)}', expected {payloadType}");
        if (own is not null && trusted.Keys.Find(own.KeyId) is null)
            trusted = trusted with { Signers = [.. trusted.Signers, new TrustedSigner(own.KeyId[..12], KeyRing.Of(own), [])] };
        switch (new SignatureJudge(trusted, []).Judge(signed, []))
        {
            case SignatureVerdict.Trusted by when by.Key.KeyId == own?.KeyId || trusted.MaySay(by.Name, role):
                return new OpenedDocument(envelope.PayloadBytes(), by.Key, by.Name);
            case SignatureVerdict.Trusted by:
                throw Refused("signer-role", $"{by.Name} signed it, who is trusted for other things", $"the trust policy names who may say {role}");
            case SignatureVerdict.Refused refused:
                throw new SlipwayException(ExitCode.BadVerdict, [.. refused.Faults]);
            case SignatureVerdict.Edited edited:
                throw Refused("signature-wrong", edited.Message);
            case SignatureVerdict.Stranger stranger:
                throw Refused("signer-unknown", $"it is signed by {ForeignText.Shown(stranger.Name)}, which is no trusted key", "trust its public key, if it is one of your builders': a file in your key folder, or a signer in trust.yaml");
            default:
                throw new System.Diagnostics.UnreachableException("a signature has no verdict");
        }
    }

    private static SlipwayException Refused(string code, string message, string? help = null) => new(ExitCode.BadVerdict, new Fault(code, message, Help: help));
}

/// <param name="Payload">The exact bytes that were signed.</param>
/// <param name="Signer">As the policy calls the key's owner.</param>
public sealed record OpenedDocument(ReadOnlyMemory<byte> Payload, VerificationKey Key, string Signer);
