using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Certificates;

namespace Slipway.Trust.Timestamps;

/// <summary>An authority's word that some bytes existed at a moment. Checked offline; nothing of it is believed before <see cref="Judge"/>.</summary>
/// <remarks>Source: RFC 3161, with the certificate's digest of RFC 5816. A token of a stranger is an ordinary <see cref="Verdict"/>.</remarks>
public sealed class TimestampToken
{
    /// <summary>Bytes of a response: a token with its whole chain has some 6,000.</summary>
    public const int MaxBytes = 64 * 1024;

    private const string Sha256 = "2.16.840.1.101.3.4.2.1";

    private const string TstInfo = "1.2.840.113549.1.9.16.1.4";

    private readonly Rfc3161TimestampTokenInfo info;
    private readonly Rfc3161TimestampToken? token;
    private readonly Verdict flaw;

    private TimestampToken(Rfc3161TimestampToken token) => (this.token, info) = (token, token.TokenInfo);

    private TimestampToken(Rfc3161TimestampTokenInfo info, Verdict flaw) => (this.info, this.flaw) = (info, flaw);

    /// <summary>When, as the token says, with the authority's own inaccuracy added: the bytes existed at the latest then.</summary>
    public DateTimeOffset Time => info.AccuracyInMicroseconds is { } accuracy ? info.Timestamp.AddMicroseconds(accuracy) : info.Timestamp;

    /// <param name="response">A TimeStampResp in DER, as authorities answer and sigstore bundles keep it.</param>
    /// <exception cref="FormatException">No granted response with a token: what is wrong, in one sentence.</exception>
    public static TimestampToken Parse(ReadOnlySpan<byte> response)
    {
        if (response.Length > MaxBytes)
            throw new FormatException($"the timestamp has {response.Length} bytes, allowed {MaxBytes}");
        try
        {
            var reader = new AsnReader(response.ToArray(), AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            if (!sequence.ReadSequence().TryReadInt32(out var status) || status is not (0 or 1))
                throw new FormatException("the authority did not grant the timestamp");
            var encoded = sequence.ReadEncodedValue();
            sequence.ThrowIfNotEmpty();
            return Rfc3161TimestampToken.TryDecode(encoded, out var token, out var length) && length == encoded.Length
                ? new TimestampToken(token)
                : ReadFlawed(encoded) ?? throw new FormatException("it holds no timestamp token");
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException or ArgumentException or OverflowException)
        {
            throw new FormatException($"it is no response of a timestamp authority: {e.Message}", e);
        }
    }

    /// <summary>Whether an authority vouches that these bytes existed at <see cref="Time"/>.</summary>
    /// <param name="chain">Digests of the certificates that it vouches by, and ids of their keys; empty unless trusted. Whether one of them is revoked is the caller's to ask.</param>
    public Verdict Judge(ReadOnlySpan<byte> stamped, CertificateRoots authority, out ImmutableArray<Digest> chain)
    {
        chain = [];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(stamped, hash);
        if (info.HashAlgorithmId.Value != Sha256 || !info.GetMessageHash().Span.SequenceEqual(hash))
            return Verdict.OtherBytes;
        if (token is null)
            return flaw;
        try
        {
            var carried = token.AsSignedCms().Certificates;
            if (!token.VerifySignatureForHash(hash, HashAlgorithmName.SHA256, out var signer, authority.All))
                return Diagnose(token.AsSignedCms(), info, [.. carried, .. authority.All]);
            return authority.Judge(signer, carried, info.Timestamp, CertificateRoots.TimeStamping, out chain) switch
            {
                ChainVerdict.Trusted => Verdict.Trusted,
                ChainVerdict.Expired => Verdict.Expired,
                ChainVerdict.WrongUsage => Verdict.WrongUsage,
                _ => Verdict.Untrusted,
            };
        }
        catch (CryptographicException)
        {
            return Verdict.WrongSignature;
        }
    }

    /// <summary>A token that carries a certificate which could not have signed it: the decoder refuses that without a word, and people want to know why.</summary>
    private static TimestampToken? ReadFlawed(ReadOnlyMemory<byte> encoded)
    {
        var cms = new SignedCms();
        cms.Decode(encoded.Span);
        return cms.ContentInfo.ContentType.Value == TstInfo && cms.SignerInfos.Count == 1
            && Rfc3161TimestampTokenInfo.TryDecode(cms.ContentInfo.Content, out var info, out var length) && length == cms.ContentInfo.Content.Length
            ? new TimestampToken(info, Diagnose(cms, info, cms.Certificates))
            : null;
    }

    /// <summary>Why its signature does not count, for a message: the check itself says no more than no.</summary>
    private static Verdict Diagnose(SignedCms cms, Rfc3161TimestampTokenInfo info, X509Certificate2Collection candidates)
    {
        var identifier = cms.SignerInfos[0].SignerIdentifier;
        var signer = candidates.FirstOrDefault(identifier.MatchesCertificate);
        if (signer is null)
            return Verdict.Untrusted;
        var at = info.Timestamp.UtcDateTime;
        if (at < signer.NotBefore.ToUniversalTime() || at > signer.NotAfter.ToUniversalTime())
            return Verdict.Expired;
        return signer.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(usage => usage.Critical && usage.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == CertificateRoots.TimeStamping))
            ? Verdict.WrongSignature
            : Verdict.WrongUsage;
    }

    /// <summary>Outcome of <see cref="Judge"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        /// <summary>Its certificate leads to none of the authority's roots, or is not there.</summary>
        Untrusted,
        WrongSignature,

        /// <summary>It is a timestamp of something else, or by another hash than SHA-256.</summary>
        OtherBytes,

        /// <summary>The authority's certificate was not valid at the time that it says.</summary>
        Expired,

        /// <summary>The certificate is not one for timestamps.</summary>
        WrongUsage,
        Trusted,
    }
}
