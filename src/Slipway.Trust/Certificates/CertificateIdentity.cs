namespace Slipway.Trust.Certificates;

/// <summary>Whom a certificate must name to count.</summary>
/// <param name="Roots">Who may have issued it.</param>
/// <param name="Subject">An e-mail address or a URI of its subject alternative name, character by character: no patterns, for they match more than is meant.</param>
/// <param name="Issuer">Who had made sure of that, as sigstore's extension 1.3.6.1.4.1.57264.1.8 says; null for anybody whom the authority believes.</param>
public sealed record CertificateIdentity(CertificateRoots Roots, string Subject, string? Issuer)
{
    public override string ToString() => Issuer is null ? Subject : $"{Subject} (by {Issuer})";
}
