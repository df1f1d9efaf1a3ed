using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Certificates;

/// <summary>A certificate that came with a signature: the key, and whom it names. Nothing of it is believed before <see cref="Judge"/>.</summary>
/// <remarks>Source: RFC 5280; sigstore's certificate profile (Fulcio, docs/oid-info.md). Immutable.</remarks>
public sealed class SigningCertificate
{
    /// <summary>Bytes of its DER; real ones have one or two thousand.</summary>
    public const int MaxBytes = 32 * 1024;

    private const string SubjectAlternativeName = "2.5.29.17", IssuerExtension = "1.3.6.1.4.1.57264.1.8";

    private readonly X509Certificate2 certificate;

    private SigningCertificate(X509Certificate2 certificate)
    {
        this.certificate = certificate;
        Key = VerificationKey.FromSpki(certificate.PublicKey.ExportSubjectPublicKeyInfo(), "the certificate");
        Subjects = ReadSubjects();
        Issuer = Only(IssuerExtension) is { } extension ? ReadText(extension) : null;
    }

    /// <summary>On P-256.</summary>
    public VerificationKey Key { get; }

    /// <summary>E-mail addresses and URIs of its subject alternative name.</summary>
    public ImmutableArray<string> Subjects { get; }

    /// <summary>See <see cref="CertificateIdentity"/>.</summary>
    public string? Issuer { get; }

    public ReadOnlyMemory<byte> Der => certificate.RawData;

    public Digest Digest => Digest.Of(certificate.RawData);

    /// <exception cref="FormatException">No certificate in DER with a key on P-256: what is wrong, in one sentence.</exception>
    public static SigningCertificate Parse(ReadOnlySpan<byte> der)
    {
        try
        {
            if (der.Length > MaxBytes || der is not [0x30, ..])
                throw new FormatException($"it is no certificate in DER of at most {MaxBytes} bytes");
            var certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawData.AsSpan().SequenceEqual(der) ? new SigningCertificate(certificate) : throw new FormatException("bytes follow the certificate");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or SlipwayException)
        {
            throw new FormatException($"its certificate cannot be used: {e.Message}", e);
        }
    }

    /// <param name="file">A certificate in PEM; what follows the first is not read.</param>
    /// <exception cref="SlipwayException">No such certificate (exit 2, 3).</exception>
    public static SigningCertificate Load(string file)
    {
        var pem = KeyFile.Read(file, "name the signer's certificate in PEM, on P-256");
        try
        {
            return PemEncoding.TryFind(pem, out var found) && pem[found.Label] is "CERTIFICATE"
                ? Parse(Convert.FromBase64String(pem[found.Base64Data]))
                : throw new FormatException("it begins with no certificate in PEM");
        }
        catch (FormatException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("not-a-certificate", $"{file}: {e.Message}", file, Help: "name the signer's certificate in PEM, on P-256"), e);
        }
    }

    /// <summary>Whether it names that identity, and was good for signing at that moment.</summary>
    /// <param name="at">A trusted time of the signature: such certificates live for minutes.</param>
    /// <param name="chain">As <see cref="CertificateRoots.Judge"/> gives it; empty unless null is returned.</param>
    /// <returns>Null when it does; otherwise why not.</returns>
    internal Fault? Judge(CertificateIdentity identity, DateTimeOffset at, out ImmutableArray<Digest> chain)
    {
        chain = [];
        if (!Subjects.Contains(identity.Subject, StringComparer.Ordinal) || (identity.Issuer is { } issuer && Issuer != issuer))
            return new Fault("certificate-identity", $"its certificate names {(Subjects.IsEmpty ? "nobody" : string.Join(", ", Subjects.Select(Printable)))}{(Issuer is { } who ? $" (by {Printable(who)})" : "")}, and not {identity}");
        var said = certificate.Extensions;
        if (said.OfType<X509BasicConstraintsExtension>().Any(basic => basic.CertificateAuthority)
            || !said.OfType<X509KeyUsageExtension>().Any(usage => usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
            || !said.OfType<X509EnhancedKeyUsageExtension>().Any(usage => usage.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == CertificateRoots.CodeSigning)))
            return new Fault("certificate-usage", "its certificate is not one for signing code");
        return identity.Roots.Judge(certificate, [], at, CertificateRoots.CodeSigning, out chain) switch
        {
            ChainVerdict.Trusted => null,
            ChainVerdict.Expired => new Fault("certificate-expired", $"its certificate was valid from {Utc(certificate.NotBefore)} to {Utc(certificate.NotAfter)}, and not at {at.UtcDateTime:u}"),
            ChainVerdict.WrongUsage => new Fault("certificate-usage", "its certificate, or one above it, is not one for signing code"),
            _ => new Fault("certificate-untrusted", $"its certificate leads to none of the roots of {identity}"),
        };

        static string Utc(DateTime local) => local.ToUniversalTime().ToString("u", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Text of a stranger in a message: short, and without control characters.</summary>
    private static string Printable(string text) => ForeignText.Shown(text);

    /// <summary>An extension that stands there once; one that stands twice says nothing.</summary>
    private X509Extension? Only(string oid) => certificate.Extensions.Where(extension => extension.Oid?.Value == oid).ToList() is [var one] ? one : null;

    private ImmutableArray<string> ReadSubjects()
    {
        if (Only(SubjectAlternativeName) is not { } extension)
            return [];
        var names = ImmutableArray.CreateBuilder<string>();
        var reader = new AsnReader(extension.RawData, AsnEncodingRules.DER);
        var sequence = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        Asn1Tag email = new(TagClass.ContextSpecific, 1), uri = new(TagClass.ContextSpecific, 6);
        while (sequence.HasData)
        {
            var tag = sequence.PeekTag();
            if (tag == email || tag == uri)
                names.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else
                sequence.ReadEncodedValue();
        }

        return names.ToImmutable();
    }

    private static string ReadText(X509Extension extension)
    {
        var reader = new AsnReader(extension.RawData, AsnEncodingRules.DER);
        var text = reader.ReadCharacterString(UniversalTagNumber.UTF8String);
        reader.ThrowIfNotEmpty();
        return text;
    }
}
