using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Trust.Certificates;
using Slipway.Trust.Signing;
using Slipway.Trust.Timestamps;

namespace Slipway.Trust.Attestations;

/// <summary>A statement with its signature, ready to be attached; a timestamp of the signature may be added before.</summary>
public sealed class SignedStatement
{
    private SignedStatement(Statement statement, SigstoreBundle bundle) => (Statement, Bundle) = (statement, bundle);

    public Statement Statement { get; }

    /// <summary>What a timestamp authority is asked to stamp.</summary>
    public ReadOnlyMemory<byte> Signature => Dsse.StrictBase64(Bundle.DsseEnvelope!.Signatures[0].Sig);

    internal SigstoreBundle Bundle { get; }

    /// <param name="certificate">Of the signer's key: it travels with the signature instead of the key's hint.</param>
    /// <exception cref="ArgumentException">The certificate is of another key.</exception>
    public static SignedStatement Sign(Statement statement, ISigner signer, SigningCertificate? certificate = null)
    {
        if (certificate is not null && certificate.Key.KeyId != signer.PublicKey.KeyId)
            throw new ArgumentException("the certificate is of another key", nameof(certificate));
        var bundle = SigstoreBundle.Of(Dsse.Sign(Dsse.InToto, statement.ToBytes(), signer), signer.PublicKey);
        return new SignedStatement(statement, certificate is null ? bundle : bundle with { VerificationMaterial = new VerificationMaterial(Certificate: new CertificateBytes(Convert.ToBase64String(certificate.Der.Span))) });
    }

    /// <returns>Null when what was signed is no statement.</returns>
    internal static SignedStatement? Of(SigstoreBundle bundle)
    {
        try
        {
            return new SignedStatement(Statement.Parse(bundle.DsseEnvelope!.PayloadBytes()), bundle);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The same with an authority's answer to a query for <see cref="Signature"/>.</summary>
    /// <exception cref="FormatException">It is no response with a timestamp.</exception>
    public SignedStatement WithTimestamp(ReadOnlySpan<byte> response)
    {
        _ = TimestampToken.Parse(response);
        var material = Bundle.VerificationMaterial;
        ImmutableArray<SignedTimestamp> known = material.TimestampVerificationData?.Rfc3161Timestamps ?? [];
        var stamped = new TimestampVerificationData([.. known, new SignedTimestamp(Convert.ToBase64String(response))]);
        return new SignedStatement(Statement, Bundle with { VerificationMaterial = material with { TimestampVerificationData = stamped } });
    }

    /// <summary>The sigstore bundle's canonical bytes.</summary>
    public byte[] ToBytes() => Bundle.ToBytes();
}
