using Slipway.Cli;
using Slipway.Cli.Verbs;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Tests.Trust.Verification;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Cli;

public sealed class BundleAccessTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Sealed bundle = new();

    private TrustPolicy Policy => KeyRing.Of(bundle.Key.PublicKey);

    public void Dispose() => bundle.Dispose();

    [Fact]
    public void A_summary_is_about_what_was_verified_wherever_the_tag_points_since()
    {
        bundle.Signed();
        var reference = $"oci:{bundle.Layout.Folder}:latest";
        var opened = Open(reference);
        var other = bundle.Layout.PutManifest(bundle.Manifest with { Annotations = Sealed.At("other") }, cancellation: Sealed.Stop).Digest;
        bundle.Layout.Tag(other, "latest", replace: true, Sealed.Stop);
        Assert.Equal(other, BundleReference.Parse(reference).Resolve("").Manifest);

        VerifyVerb.Attest(opened, reference, Policy, bundle.Key, Now, Sealed.Stop);
        Assert.Empty(bundle.Layout.Referrers(other));
        var said = Assert.Single(BundleVerifier.ReadStatements(bundle.Layout, bundle.Digest, Policy, Sealed.Stop), signed => signed.Statement.PredicateType == VerificationSummary.PredicateType);
        Assert.Equal($"oci:bundle@{bundle.Digest}", said.Statement.Predicate!.Value.GetProperty("resourceUri").GetString());
    }

    [Fact]
    public void A_summary_says_passed_with_what_was_believed_or_failed()
    {
        bundle.Signed();
        var believed = BundleVerifier.Verify(bundle.Layout, bundle.Digest, Policy, Sealed.Stop).Require().Statements;
        var passed = VerificationSummary.Of(bundle.Digest, believed, Policy.Digest, bundle.Key.PublicKey, "1.0", Now);
        Assert.Equal((VerificationSummary.Passed, VerificationSummary.HasProvenance), (passed.VerificationResult, Assert.Single(passed.VerifiedLevels)));
        Assert.Equal(SlsaProvenance.PredicateType, Assert.Single(passed.InputAttestations!.Value).Name);
        Assert.Equal(VerificationSummary.Unevaluated, Assert.Single(VerificationSummary.Of(bundle.Digest, [], Policy.Digest, bundle.Key.PublicKey, "1.0", Now).VerifiedLevels));
        var failed = VerificationSummary.Of(bundle.Digest, null, Policy.Digest, bundle.Key.PublicKey, "1.0", Now);
        Assert.Equal((VerificationSummary.Failed, VerificationSummary.Failed), (failed.VerificationResult, Assert.Single(failed.VerifiedLevels)));
    }

    [Fact]
    public void A_digest_that_was_never_here_is_bad_input_and_one_that_is_gone_is_damage()
    {
        bundle.Signed();
        var never = Assert.Throws<SlipwayException>(() => Open($"oci:{bundle.Layout.Folder}@{Digest.Of("never"u8)}"));
        Assert.Equal((ExitCode.UnusableInput, "manifest-missing"), (never.Exit, Assert.Single(never.Faults).Code));

        File.Delete(Path.Combine(bundle.Layout.Folder, "blobs/sha256", bundle.Digest.Hex));
        var gone = Open($"oci:{bundle.Layout.Folder}@{bundle.Digest}");
        Assert.Equal("manifest-missing", Assert.Single(gone.Problems).Code);
        Assert.Null(gone.Bundle);
    }

    private BundleAccess Open(string reference) =>
        BundleAccess.Open(new Shell(bundle.Layout.Folder, "slipway.yaml", Json: false, Quiet: true, Verbose: false), reference, new BundleTrust(Policy, null, []), Sealed.Stop);
}
