using Slipway.Primitives.Bytes;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Verification;

/// <summary>A statement about the bundle, and the trusted key that signed its exact bytes.</summary>
/// <param name="Signer">Of a certificate, the key in it.</param>
/// <param name="Manifest">Of the attestation.</param>
public sealed record VerifiedStatement(Statement Statement, VerificationKey Signer, Digest Manifest)
{
    /// <summary>How the policy calls the signer.</summary>
    public string Name { get; init; } = Signer.KeyId[..12];

    /// <summary>Whom the certificate names; null where a key alone is trusted.</summary>
    public CertificateIdentity? Identity { get; init; }

    /// <summary>When it existed at the latest; null where nobody but the signer says so.</summary>
    public TrustedTime? Time { get; init; }
}

/// <summary>A moment that the signer could not have chosen.</summary>
/// <param name="By">The authority or ledger that vouches for it.</param>
public sealed record TrustedTime(DateTimeOffset At, string By);
