using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using Slipway.Trust.Certificates;

namespace Slipway.Tests.Trust.Timestamps;

/// <summary>A certificate authority that stamps and certifies, at any moment that a test wants.</summary>
public sealed class TestAuthority : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private const string SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47", TstInfo = "1.2.840.113549.1.9.16.1.4", Sha256 = "2.16.840.1.101.3.4.2.1";

    private readonly ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    public TestAuthority(string name = "Test authority")
    {
        var request = new CertificateRequest($"CN={name}", rootKey, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Root = request.CreateSelfSigned(Noon.AddYears(-5), Noon.AddYears(20));
        (StampKey, StampCertificate) = Issue($"{name}'s stamp", CertificateRoots.TimeStamping, Noon.AddYears(-1), Noon.AddYears(10));
    }

    public X509Certificate2 Root { get; }

    public ECDsa StampKey { get; }

    public X509Certificate2 StampCertificate { get; }

    public CertificateRoots Roots => CertificateRoots.Parse(Root.ExportCertificatePem(), "the root");

    public (ECDsa Key, X509Certificate2 Certificate) Issue(string name, string? usage, DateTimeOffset from, DateTimeOffset to, Action<CertificateRequest>? more = null, ECCurve? curve = null)
    {
        var key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        if (usage is not null)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], usage == CertificateRoots.TimeStamping));
        more?.Invoke(request);
        return (key, request.Create(Root, from, to, Serial()));
    }

    /// <summary>Eight random bytes that are a positive integer in DER as they stand: one whose first nine bits are alike is refused.</summary>
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }

    /// <summary>A granted response, as an authority would give at that moment.</summary>
    public byte[] Stamp(ReadOnlySpan<byte> data, DateTimeOffset at) => Stamp(data, at, StampKey, StampCertificate);

    public byte[] Stamp(ReadOnlySpan<byte> data, DateTimeOffset at, ECDsa key, X509Certificate2 certificate, long? accuracyMicroseconds = null)
    {
        var info = new Rfc3161TimestampTokenInfo(new Oid("1.2.3.4"), new Oid(Sha256), SHA256.HashData(data), Serial(), at, accuracyMicroseconds);
        using var with = certificate.CopyWithPrivateKey(key);
        var signer = new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, with) { DigestAlgorithm = new Oid(Sha256), IncludeOption = X509IncludeOption.EndCertOnly };
        signer.SignedAttributes.Add(new AsnEncodedData(new Oid(SigningCertificateV2), SigningCertificate(certificate)));
        var cms = new SignedCms(new ContentInfo(new Oid(TstInfo), info.Encode()));
        cms.ComputeSignature(signer);
        return Response(0, cms.Encode());
    }

    public static byte[] Response(int status, byte[]? token)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
                writer.WriteInteger(status);
            if (token is not null)
                writer.WriteEncodedValue(token);
        }

        return writer.Encode();
    }

    public void Dispose()
    {
        rootKey.Dispose();
        StampKey.Dispose();
    }

    private static byte[] SigningCertificate(X509Certificate2 certificate)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
            writer.WriteOctetString(SHA256.HashData(certificate.RawData));
        return writer.Encode();
    }
}
