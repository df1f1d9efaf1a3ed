using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Tests.Trust.Timestamps;
using Slipway.Tests.Trust.Verification;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Policies;

/// <summary>Who may say what, and what becomes of a key that was revoked.</summary>
public sealed class TrustPolicyTests : IDisposable
{
    private const string Review = "https://example.org/review/v1", Origin = "slipway/ledger/0011223344556677";

    private static readonly DateTimeOffset Noon = TestAuthority.Noon;

    private readonly Sealed bundle = new();
    private readonly SigningKey reviewer = SigningKey.Create(), ledger = SigningKey.Create();
    private readonly TestAuthority authority = new();

    public void Dispose()
    {
        bundle.Dispose();
        reviewer.Dispose();
        ledger.Dispose();
        authority.Dispose();
    }

    private TrustPolicy Policy => new()
    {
        Signers = [new TrustedSigner("build", KeyRing.Of(bundle.Key.PublicKey), []), new TrustedSigner("risk", KeyRing.Of(reviewer.PublicKey), [])],
        Required = [new RequiredStatement(TrustPolicy.Provenance, ["build"]), new RequiredStatement(Review, ["risk"])],
        TimestampAuthorities = [authority.Roots],
        Ledgers = [new NoteKey(Origin, ledger.PublicKey)],
    };

    private TrustPolicy Revoked => Policy with { Revoked = [new Revocation(Digest.Parse("sha256:" + reviewer.PublicKey.KeyId), Noon, "laptop stolen")] };

    [Fact]
    public void A_policy_is_met_when_each_statement_is_there_by_who_must_say_it()
    {
        bundle.Signed();
        AssertRefused(Policy, "statement-missing");
        Say(Review, reviewer);
        var verified = Verify(Policy).Require();
        Assert.Equal([("build", TrustPolicy.Provenance), ("risk", Review)], verified.Statements.Select(said => (said.Name, said.Statement.PredicateType)).Order());
        Assert.All(verified.Statements, said => Assert.Null(said.Time));
    }

    [Fact]
    public void What_another_trusted_signer_says_in_their_place_does_not_count()
    {
        bundle.Signed();
        Say(Review, bundle.Key);
        AssertRefused(Policy, "statement-missing", "signer-not-entitled");

        // Who is not named for a type is believed on it where nobody is.
        Say("https://example.org/other/v1", reviewer);
        Assert.Single(Verify(Policy with { Required = [] }).Require().Statements, said => said is { Name: "risk", Statement.PredicateType: "https://example.org/other/v1" });
    }

    [Fact]
    public void Without_a_policy_provenance_is_wanted_by_any_of_the_keys()
    {
        Say(Review, bundle.Key);
        TrustPolicy standing = KeyRing.Of(bundle.Key.PublicKey);
        AssertRefused(standing, "statement-missing");
        Verify(TrustPolicy.AnySignature(KeyRing.Of(bundle.Key.PublicKey))).Require();
        bundle.Signed();
        Verify(standing).Require();
    }

    [Fact]
    public void A_stolen_key_cannot_backdate_whatever_its_statement_claims()
    {
        bundle.Signed();
        Say(Review, reviewer, """{"finishedOn":"2020-01-01T00:00:00Z","timeCreated":"2020-01-01T00:00:00Z"}""");
        Verify(Policy).Require();
        var refused = AssertRefused(Revoked, "statement-missing", "signer-revoked");
        Assert.Contains("2026-06-01T12:00:00Z", refused.Problems[1].Message);
        Assert.Contains("laptop stolen", refused.Problems[1].Message);
    }

    [Fact]
    public void A_timestamp_from_before_the_revocation_keeps_a_signature_and_one_from_then_or_after_does_not()
    {
        bundle.Signed();
        Stamp(Noon);
        AssertRefused(Revoked, "statement-missing", "signer-revoked");
        Stamp(Noon.AddHours(1));
        AssertRefused(Revoked, "statement-missing", "signer-revoked");
        Stamp(Noon.AddSeconds(-1));
        var kept = Verify(Revoked).Require().Statements.Single(said => said.Name == "risk");
        Assert.Equal(new TrustedTime(Noon.AddSeconds(-1), "the timestamp authority Test authority"), kept.Time);
    }

    [Fact]
    public void A_timestamp_that_proves_nothing_is_told_by_its_own_code()
    {
        using var foreign = new TestAuthority("Somebody");
        var before = Noon.AddDays(-1);
        var (oldKey, old) = authority.Issue("old", Slipway.Trust.Certificates.CertificateRoots.TimeStamping, Noon.AddYears(-3), Noon.AddYears(-2));
        var (otherKey, other) = authority.Issue("code", Slipway.Trust.Certificates.CertificateRoots.CodeSigning, Noon.AddYears(-3), Noon.AddYears(2));
        bundle.Signed();
        AssertCode("timestamp-untrusted", signed => foreign.Stamp(signed.Signature.Span, before));
        AssertCode("timestamp-imprint", _ => authority.Stamp("another signature"u8, before));
        AssertCode("timestamp-expired", signed => authority.Stamp(signed.Signature.Span, before, oldKey, old));
        AssertCode("timestamp-usage", signed => authority.Stamp(signed.Signature.Span, before, otherKey, other));

        void AssertCode(string code, Func<SignedStatement, byte[]> stamp)
        {
            var signed = SignedStatement.Sign(About(Review, $$"""{"code":"{{code}}"}"""), reviewer);
            Attestation.Attach(bundle.Layout, bundle.Digest, signed.WithTimestamp(stamp(signed)), Sealed.Stop);
            Assert.Contains(Verify(Revoked).Problems, problem => problem.Code == code);
            // Where no time is needed the same signature counts, and what is wrong with its timestamp is told.
            Assert.Contains(Verify(Policy).Notes, note => note.Contains("timestamp is not counted", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_timestamp_of_a_revoked_authority_counts_never_whichever_certificate_or_key_of_its_chain_is_named()
    {
        bundle.Signed();
        Stamp(Noon.AddDays(-1));
        Verify(Revoked).Require();
        Digest[] chain =
        [
            Digest.Of(authority.StampCertificate.RawData), Digest.Of(authority.Root.RawData),
            Digest.Of(authority.StampCertificate.PublicKey.ExportSubjectPublicKeyInfo()), Digest.Of(authority.Root.PublicKey.ExportSubjectPublicKeyInfo()),
        ];
        foreach (var subject in chain)
        {
            // Even where it says to have stamped before it was stolen: who has its key writes any time.
            var refused = AssertRefused(Revoked with { Revoked = [.. Revoked.Revoked, new Revocation(subject, Noon, null)] }, "statement-missing", "signer-revoked", "timestamp-revoked");
            Assert.DoesNotContain(refused.Notes, note => note.Contains("signed nothing here", StringComparison.Ordinal));
        }

        // Another source of time is not touched by that.
        var attached = bundle.Layout.Referrers(bundle.Digest)[^1].Entry.Digest;
        Verify(Revoked with { Revoked = [.. Revoked.Revoked, new Revocation(chain[0], Noon, null)] }, Proof(Noon.AddDays(-1), attached)).Require();
    }

    [Fact]
    public void Of_several_revocations_of_a_key_the_earliest_decides()
    {
        bundle.Signed();
        Stamp(Noon.AddDays(-1));
        var (late, early) = (Revoked.Revoked[0], Revoked.Revoked[0] with { Since = Noon.AddDays(-2) });
        Verify(Policy with { Revoked = [late] }).Require();
        AssertRefused(Policy with { Revoked = [late, early] }, "statement-missing", "signer-revoked");
        AssertRefused(Policy with { Revoked = [early, late] }, "statement-missing", "signer-revoked");
    }

    [Fact]
    public void A_revoked_key_that_is_nobodys_is_told()
    {
        bundle.Signed();
        Say(Review, reviewer);
        var unknown = new Revocation(Digest.Of("misspelt"u8), Noon, null);
        Assert.Contains(unknown.Subject.Hex, Assert.Single(Verify(Policy with { Revoked = [unknown] }).Notes));
        Assert.Empty(Verify(Policy with { Revoked = [unknown with { IsCertificate = true }] }).Notes);

        // One that is no signer's any more and has signed is no misspelt one.
        Say(Review, ledger);
        Assert.DoesNotContain(Verify(Policy with { Revoked = [unknown with { Subject = Digest.Parse("sha256:" + ledger.PublicKey.KeyId) }] }).Notes, note => note.Contains("signed nothing here", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_told_as_a_reason_is_not_told_again_as_a_note_and_the_help_fits_the_reason()
    {
        bundle.Signed();
        Assert.Contains("copy the bundle", AssertRefused(Policy, "statement-missing").Problems[0].Help);
        Say(Review, ledger);
        Assert.Contains("--key FILE.pub", AssertRefused(Policy, "statement-missing").Problems[0].Help);
        Say(Review, reviewer);
        var refused = AssertRefused(Revoked, "statement-missing", "signer-revoked");
        Assert.Contains("for the reasons below", refused.Problems[0].Help);
        Assert.DoesNotContain(refused.Notes, note => note.Contains("revoked", StringComparison.Ordinal));
        Assert.Contains(Verify(Revoked with { Required = [] }).Notes, note => note.Contains("is revoked since", StringComparison.Ordinal));
    }

    [Fact]
    public void A_timestamp_that_is_garbage_is_told_and_counts_for_nothing()
    {
        bundle.Signed();
        var signed = SignedStatement.Sign(About(Review, "{}"), reviewer);
        Assert.Throws<FormatException>(() => signed.WithTimestamp("garbage"u8));
        var material = signed.Bundle.VerificationMaterial with { TimestampVerificationData = new TimestampVerificationData([new SignedTimestamp(Convert.ToBase64String("garbage"u8))]) };
        bundle.Attach((signed.Bundle with { VerificationMaterial = material }).ToBytes());
        AssertRefused(Revoked, "statement-missing", "signer-revoked", "timestamp-malformed");
        Verify(Policy).Require();
    }

    [Fact]
    public void A_ledger_that_knew_of_the_attestation_before_the_revocation_keeps_it()
    {
        bundle.Signed();
        var attached = Say(Review, reviewer).Digest;
        Verify(Revoked, Proof(Noon.AddMinutes(-1), attached)).Require();
        AssertRefused(Verify(Revoked, Proof(Noon, attached)), "statement-missing", "signer-revoked");

        // That the bundle was known says nothing of what was signed about it since.
        AssertRefused(Verify(Revoked, Proof(Noon.AddMinutes(-1), bundle.Digest)), "statement-missing", "signer-revoked");
    }

    [Fact]
    public void A_ledgers_proof_counts_by_its_key_alone_and_byte_for_byte()
    {
        using var other = SigningKey.Create();
        var proof = ProofFile(Noon, bundle.Digest, ledger);
        IReadOnlyCollection<NoteKey> trusted = [new NoteKey(Origin, ledger.PublicKey)];
        Assert.Equal(Noon, LedgerEvidence.Open(proof, trusted, "proof").Time);
        Assert.Equal([bundle.Digest], LedgerEvidence.Open(proof, trusted, "proof").Subjects);
        AssertCode("ledger-proof-untrusted", ExitCode.BadVerdict, proof, []);
        AssertCode("ledger-proof-untrusted", ExitCode.BadVerdict, ProofFile(Noon, bundle.Digest, other), trusted);
        AssertCode("ledger-proof-malformed", ExitCode.UnusableInput, "no proof"u8.ToArray(), trusted);
        var accepted = 0;
        for (var at = 0; at < proof.Length; at++)
        {
            var changed = proof.ToArray();
            changed[at] ^= 1;
            try
            {
                // The payload and the index beside the entry are nothing that this rests on.
                var evidence = LedgerEvidence.Open(changed, trusted, "proof");
                Assert.Equal((Noon, bundle.Digest), (evidence.Time, Assert.Single(evidence.Subjects)));
                accepted++;
            }
            catch (SlipwayException)
            {
                // refused
            }
        }

        Assert.InRange(accepted, 0, 20);

        static void AssertCode(string code, ExitCode exit, byte[] proof, IReadOnlyCollection<NoteKey> trusted)
        {
            var refused = Assert.Throws<SlipwayException>(() => LedgerEvidence.Open(proof, trusted, "proof"));
            Assert.Equal((code, exit), (refused.Faults[0].Code, refused.Exit));
        }
    }

    [Fact]
    public void A_policys_digest_is_of_what_it_says()
    {
        Assert.Equal(Policy.Digest, Policy.Digest);
        Assert.NotEqual(Policy.Digest, Revoked.Digest);
        Assert.NotEqual(Policy.Digest, (Policy with { Required = [] }).Digest);
        Assert.NotEqual(Policy.Digest, (Policy with { TimestampAuthorities = [] }).Digest);
    }

    private LedgerEvidence Proof(DateTimeOffset at, Digest subject) => LedgerEvidence.Open(ProofFile(at, subject, ledger), Policy.Ledgers, "proof");

    /// <summary>Of a ledger with this one entry.</summary>
    private static byte[] ProofFile(DateTimeOffset at, Digest subject, SigningKey key)
    {
        var entry = CanonicalJson.Canonicalize(System.Text.Encoding.UTF8.GetBytes(
            $$"""{"action":"version.registered","actor":"user:1","intent":0,"payload":"{{Digest.Of("p"u8)}}","phase":"done","subjects":[{"digest":null,"name":"models/m"},{"digest":"{{subject}}","name":"models/m/versions/1/attestations"}],"time":{{at.ToUnixTimeMilliseconds()}}}"""));
        byte[] extra = [.. "{\"entry\":"u8, .. entry, .. ",\"index\":0,\"payload\":null}"u8];
        return new TlogProof(0, [], [.. new Checkpoint(Origin, 1, MerkleHash.OfLeaf(entry)).Sign(key)], [.. extra]).Write();
    }

    private Slipway.Store.Oci.OciDescriptor Say(string type, SigningKey key, string predicate = "{}") => Attestation.Attach(bundle.Layout, bundle.Digest, About(type, predicate), key, Sealed.Stop);

    private void Stamp(DateTimeOffset at)
    {
        var signed = SignedStatement.Sign(About(Review, "{}"), reviewer);
        Attestation.Attach(bundle.Layout, bundle.Digest, signed.WithTimestamp(authority.Stamp(signed.Signature.Span, at)), Sealed.Stop);
    }

    private Statement About(string type, string predicate) => Statement.About(bundle.Digest, "a model", type, JsonDocument.Parse(predicate).RootElement);

    private VerificationResult Verify(TrustPolicy policy, params LedgerEvidence[] evidence) => BundleVerifier.Verify(bundle.Layout, bundle.Digest, policy, evidence, Sealed.Stop);

    private VerificationResult AssertRefused(TrustPolicy policy, params string[] codes) => AssertRefused(Verify(policy), codes);

    private static VerificationResult AssertRefused(VerificationResult result, params string[] codes)
    {
        Assert.Null(result.Bundle);
        Assert.Equal(codes, result.Problems.Select(problem => problem.Code).Distinct());
        return result;
    }
}
