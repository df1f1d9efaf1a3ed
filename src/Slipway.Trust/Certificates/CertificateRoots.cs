using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Trust.Certificates;

/// <summary>Certificate authorities whose word is believed: roots, and intermediates that lead to them. Immutable and thread-safe.</summary>
/// <remarks>Chains are built by RFC 5280 from these roots alone; the machine's own are not looked at, and nothing is fetched.</remarks>
public sealed class CertificateRoots
{
    /// <summary>What certificates for signing code, and for timestamps (RFC 3161, section 2.3), must say that they are for.</summary>
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3", TimeStamping = "1.3.6.1.5.5.7.3.8";

    /// <summary>Of one authority, with all of its generations.</summary>
    public const int MaxCertificates = 32;

    private readonly ImmutableArray<X509Certificate2> roots, intermediates;

    private CertificateRoots(IReadOnlyCollection<X509Certificate2> all)
    {
        roots = [.. all.Where(IsSelfIssued)];
        intermediates = [.. all.Where(certificate => !IsSelfIssued(certificate))];
        Digests = [.. all.Select(certificate => Digest.Of(certificate.RawData)).Order()];
    }

    /// <summary>Of the certificates' DER, in order.</summary>
    public ImmutableArray<Digest> Digests { get; }

    /// <summary>Whom a message calls it.</summary>
    public string Name => roots[0].GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>Certificates that may be missing where something was signed.</summary>
    internal X509Certificate2Collection All => [.. roots, .. intermediates];

    /// <param name="pem">One or more certificates; at least one of them issued by itself.</param>
    /// <param name="file">What a message calls the text.</param>
    /// <exception cref="SlipwayException">No such certificates (exit 2).</exception>
    public static CertificateRoots Parse(string pem, string file)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw Unusable($"{file} holds a certificate that cannot be read: {e.Message}", file);
        }

        if (all.Count is 0 or > MaxCertificates)
            throw Unusable($"{file} holds {all.Count} certificates in PEM, expected 1 to {MaxCertificates}", file);
        return all.Any(IsSelfIssued) ? new CertificateRoots([.. all]) : throw Unusable($"{file} holds no root: none of its {all.Count} certificates is issued by itself", file);
    }

    /// <summary>Whether a certificate led to one of these roots at a moment, and was good for a purpose.</summary>
    /// <param name="others">Certificates that came along; they may be in the chain, and end none.</param>
    /// <param name="chain">What revocations may name of the whole chain, leaf first: of each certificate the digest of its DER, and the id of its key; empty unless trusted.</param>
    internal ChainVerdict Judge(X509Certificate2 leaf, X509Certificate2Collection others, DateTimeOffset at, string usage, out ImmutableArray<Digest> chain)
    {
        using var built = new X509Chain();
        var policy = built.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(roots.ToArray());
        policy.ExtraStore.AddRange(intermediates.ToArray());
        policy.ExtraStore.AddRange(others);
        policy.RevocationMode = X509RevocationMode.NoCheck;     // whom not to believe since when is the trust policy's to say
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = at.UtcDateTime;
        policy.VerificationTimeIgnored = false;
        policy.ApplicationPolicy.Add(new Oid(usage));
        chain = [];
        if (built.Build(leaf))
        {
            chain = [.. built.ChainElements.SelectMany(element => (Digest[])[Digest.Of(element.Certificate.RawData), Digest.Of(element.Certificate.PublicKey.ExportSubjectPublicKeyInfo())])];
            return ChainVerdict.Trusted;
        }

        var found = built.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        const X509ChainStatusFlags foreign = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid;
        return (found & foreign) != 0 ? ChainVerdict.Untrusted
            : (found & X509ChainStatusFlags.NotTimeValid) != 0 ? ChainVerdict.Expired
            : (found & X509ChainStatusFlags.NotValidForUsage) != 0 ? ChainVerdict.WrongUsage
            : ChainVerdict.Untrusted;
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static SlipwayException Unusable(string message, string file) =>
        new(ExitCode.UnusableInput, new Fault("not-certificates", message, file, Help: "give the authority's root certificate in PEM, and its intermediates after it"));
}

/// <summary>Zero is a failure, so an unset verdict is not trust.</summary>
internal enum ChainVerdict
{
    Untrusted,
    Expired,
    WrongUsage,
    Trusted,
}
