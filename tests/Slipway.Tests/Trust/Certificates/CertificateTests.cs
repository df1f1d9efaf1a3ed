using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Tests.Store.Archives;
using Slipway.Tests.Trust.Timestamps;
using Slipway.Tests.Trust.Verification;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Certificates;

/// <summary>Signatures by certificates of short life, as sigstore's.</summary>
public sealed class CertificateTests : IDisposable
{
    private const string Workflow = "https://git.example/acme/model/.ci/build.yml@refs/heads/main", Issuer = "https://token.git.example";

    private static readonly DateTimeOffset Noon = TestAuthority.Noon;

    private readonly ScratchFolder scratch = new();
    private readonly Sealed bundle = new();
    private readonly TestAuthority authority = new("Test root"), clock = new("Test clock");

    public void Dispose()
    {
        bundle.Dispose();
        authority.Dispose();
        clock.Dispose();
        scratch.Dispose();
    }

    private TrustPolicy Policy => Of(new CertificateIdentity(authority.Roots, Workflow, Issuer));

    private TrustPolicy Of(CertificateIdentity identity) => new() { Signers = [new TrustedSigner("ci", KeyRing.Of(), [identity])], Required = [new RequiredStatement(TrustPolicy.Provenance, ["ci"])], TimestampAuthorities = [clock.Roots] };

    [Fact]
    public void A_certificate_of_the_right_identity_counts_with_a_timestamp_of_its_lifetime()
    {
        Sign(Leaf(), Noon);
        var said = Assert.Single(Verify(Policy).Require().Statements);
        Assert.Equal(("ci", Workflow, Noon), (said.Name, said.Identity!.Subject, said.Time!.At));
        Verify(Of(new CertificateIdentity(authority.Roots, Workflow, null))).Require();
    }

    [Fact]
    public void Another_identity_issuer_authority_purpose_or_time_does_not_count()
    {
        Sign(Leaf(), Noon);
        AssertRefused("certificate-identity", Of(new CertificateIdentity(authority.Roots, Workflow + "/", Issuer)));
        AssertRefused("certificate-identity", Of(new CertificateIdentity(authority.Roots, Workflow.ToUpperInvariant(), Issuer)));
        AssertRefused("certificate-identity", Of(new CertificateIdentity(authority.Roots, Workflow, "https://other.example")));
        AssertRefused("certificate-untrusted", Of(new CertificateIdentity(clock.Roots, Workflow, Issuer)));
        AssertRefused("time-missing", Policy with { TimestampAuthorities = [] });
        AssertRefused("time-missing", Policy with { TimestampAuthorities = [authority.Roots] });
    }

    [Theory]
    [InlineData(-11, "certificate-expired")]
    [InlineData(11, "certificate-expired")]
    [InlineData(9, null)]
    public void The_moment_of_the_signature_is_what_the_certificate_must_be_valid_at(int minutes, string? code)
    {
        Sign(Leaf(), Noon.AddMinutes(minutes));
        if (code is null)
            Verify(Policy).Require();
        else
            AssertRefused(code, Policy);
    }

    [Fact]
    public void Without_a_timestamp_it_never_counts()
    {
        Sign(Leaf(), null);
        AssertRefused("time-missing", Policy);
    }

    [Fact]
    public void A_certificate_for_something_else_is_refused()
    {
        Sign(Leaf(usage: CertificateRoots.TimeStamping), Noon);
        AssertRefused("certificate-usage", Policy);
    }

    [Fact]
    public void A_certificate_without_any_purpose_is_refused()
    {
        Sign(Leaf(usage: null), Noon);
        AssertRefused("certificate-usage", Policy);
    }

    [Fact]
    public void A_certificate_on_another_curve_is_refused()
    {
        var (key, certificate) = authority.Issue("leaf", CertificateRoots.CodeSigning, Noon.AddMinutes(-10), Noon.AddMinutes(10), Named, ECCurve.NamedCurves.nistP384);
        using (key)
            Assert.Throws<FormatException>(() => SigningCertificate.Parse(certificate.RawData));
        Assert.Throws<FormatException>(() => SigningCertificate.Parse("no certificate"u8));
        Assert.Throws<FormatException>(() => SigningCertificate.Parse([.. Leaf().Certificate.RawData, 0]));
    }

    [Fact]
    public void A_certificate_of_another_key_than_the_one_that_signed_is_refused()
    {
        var (mine, theirs) = (Leaf(), Leaf());
        var signed = SignedStatement.Sign(Sealed.About(bundle.Digest), Key(mine.Key), SigningCertificate.Parse(mine.Certificate.RawData));
        var swapped = signed.Bundle with { VerificationMaterial = new VerificationMaterial(Certificate: new CertificateBytes(Convert.ToBase64String(theirs.Certificate.RawData))) };
        bundle.Attach(swapped.ToBytes());
        AssertRefused("attestation-edited", Policy);
        Assert.Throws<ArgumentException>(() => SignedStatement.Sign(Sealed.About(bundle.Digest), Key(mine.Key), SigningCertificate.Parse(theirs.Certificate.RawData)));
    }

    [Fact]
    public void A_signature_that_rests_on_a_logs_entries_is_refused_and_not_passed_over()
    {
        var leaf = Leaf();
        var signed = SignedStatement.Sign(Sealed.About(bundle.Digest), Key(leaf.Key), SigningCertificate.Parse(leaf.Certificate.RawData));
        signed = signed.WithTimestamp(clock.Stamp(signed.Signature.Span, Noon));
        using var entries = JsonDocument.Parse("""[{"logIndex":"1"}]""");
        bundle.Attach((signed.Bundle with { VerificationMaterial = signed.Bundle.VerificationMaterial with { TlogEntries = entries.RootElement } }).ToBytes());
        AssertRefused("log-entries-unread", Policy);
    }

    [Fact]
    public void A_revoked_certificate_or_authority_counts_for_what_is_surely_older()
    {
        var leaf = Leaf();
        Sign(leaf, Noon);
        foreach (var subject in new[] { Digest.Of(leaf.Certificate.RawData), Digest.Of(authority.Root.RawData), Digest.Parse("sha256:" + SigningCertificate.Parse(leaf.Certificate.RawData).Key.KeyId) })
        {
            AssertRefused("signer-revoked", Policy with { Revoked = [new Revocation(subject, Noon, null)] });
            Verify(Policy with { Revoked = [new Revocation(subject, Noon.AddSeconds(1), null)] }).Require();
        }
    }

    [Fact]
    public void Who_trusts_no_certificates_passes_them_over_with_their_kind()
    {
        Sign(Leaf(), Noon);
        var result = Verify(TrustPolicy.Of(KeyRing.Of(bundle.Key.PublicKey)));
        Assert.Equal("signer-untrusted", Assert.Single(result.Problems).Code);
        Assert.Contains("a certificate", result.Problems[0].Message);
    }

    [Fact]
    public void Roots_are_certificates_that_end_a_chain()
    {
        var leaf = Leaf().Certificate.ExportCertificatePem();
        foreach (var text in new[] { "", "hello", leaf, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" })
            Assert.Equal("not-certificates", Assert.Throws<SlipwayException>(() => CertificateRoots.Parse(text, "roots.pem")).Faults[0].Code);
        Assert.Equal(2, CertificateRoots.Parse(authority.Root.ExportCertificatePem() + "\n" + leaf, "roots.pem").Digests.Length);
    }

    /// <summary>Published: none of the bundles that must fail passes, whoever is trusted; those that need a log's entries are refused, never passed.</summary>
    [Fact]
    public void No_published_bundle_that_must_fail_passes()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Trust/Attestations/vectors/sigstore-conformance");
        var files = Directory.GetFiles(folder, "*.json").Where(file => !file.EndsWith(".root.json", StringComparison.Ordinal)).ToList();
        Assert.Equal(70, files.Count);
        var (read, refused) = (0, 0);
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            try
            {
                var parsed = SigstoreBundle.Parse(bytes);
                read++;
                // Everybody whom the certificate names is believed, by every root that is published with it: what is left is what cannot be judged.
                var leaf = SigningCertificate.Parse(Dsse.StrictBase64(parsed.VerificationMaterial.Certificate!.RawBytes));
                var identities = Roots(file).SelectMany(roots => leaf.Subjects.Select(subject => new CertificateIdentity(roots, subject, null)));
                var policy = new TrustPolicy { Signers = [new TrustedSigner("anybody", KeyRing.Of(), [.. identities])], TimestampAuthorities = [.. Roots(file)] };
                Assert.IsNotType<SignatureVerdict.Trusted>(new SignatureJudge(policy, []).Judge(parsed, []));
            }
            catch (JsonException)
            {
                refused++;
            }
        }

        // Envelopes in the format's last version are read; messages and older versions are named and refused.
        Assert.Equal((8, 62), (read, refused));
    }

    private IEnumerable<CertificateRoots> Roots(string file)
    {
        var root = Path.ChangeExtension(file, ".root.json");
        if (!File.Exists(root))
            return [authority.Roots];
        using var published = JsonDocument.Parse(File.ReadAllBytes(root));
        return
        [
            .. published.RootElement.GetProperty("certificateAuthorities").EnumerateArray().Concat(published.RootElement.GetProperty("timestampAuthorities").EnumerateArray())
                .Select(each => string.Concat(each.GetProperty("certChain").GetProperty("certificates").EnumerateArray().Select(one => PemEncoding.WriteString("CERTIFICATE", one.GetProperty("rawBytes").GetBytesFromBase64()) + "\n")))
                .Select(pem => CertificateRoots.Parse(pem, root)),
        ];
    }

    private static void Named(CertificateRequest request)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(Workflow));
        request.CertificateExtensions.Add(names.Build(critical: true));
        var issuer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        issuer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.UTF8String, Issuer);
        request.CertificateExtensions.Add(new X509Extension(new Oid("1.3.6.1.4.1.57264.1.8"), issuer.Encode(), critical: false));
    }

    private (ECDsa Key, X509Certificate2 Certificate) Leaf(string? usage = CertificateRoots.CodeSigning) => authority.Issue("leaf", usage, Noon.AddMinutes(-10), Noon.AddMinutes(10), Named);

    private static SigningKey Key(ECDsa key) => SigningKey.Parse(key.ExportPkcs8PrivateKeyPem(), null, "the key");

    private void Sign((ECDsa Key, X509Certificate2 Certificate) leaf, DateTimeOffset? at)
    {
        var signed = SignedStatement.Sign(Sealed.About(bundle.Digest), Key(leaf.Key), SigningCertificate.Parse(leaf.Certificate.RawData));
        Attestation.Attach(bundle.Layout, bundle.Digest, at is { } time ? signed.WithTimestamp(clock.Stamp(signed.Signature.Span, time)) : signed, Sealed.Stop);
    }

    private VerificationResult Verify(TrustPolicy policy) => BundleVerifier.Verify(bundle.Layout, bundle.Digest, policy, Sealed.Stop);

    private void AssertRefused(string code, TrustPolicy policy)
    {
        var result = Verify(policy);
        Assert.Null(result.Bundle);
        Assert.Contains(result.Problems, problem => problem.Code == code);
    }
}
