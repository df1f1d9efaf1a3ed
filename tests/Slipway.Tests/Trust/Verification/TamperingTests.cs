using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Verification;

/// <summary>Each kind of tampering has its own code and names what was touched; without it, the same bundle verifies.</summary>
public sealed class TamperingTests
{
    [Fact]
    public void An_untouched_bundle_verifies()
    {
        using var bundle = new Sealed().Signed();
        var result = bundle.Verify();

        Assert.True(result.Succeeded);
        Assert.Empty(result.Problems);
        Assert.Empty(result.Notes);
    }

    [Fact]
    public void A_byte_flipped_in_any_blob_is_found()
    {
        using var sound = new Sealed().Signed();
        var blobs = Directory.EnumerateFiles(Path.GetDirectoryName(sound.Path(sound.Digest))!).Select(Path.GetFileName).ToList();
        Assert.Equal(8, blobs.Count);       // manifest, config, three layers; the attestation with its manifest and config
        foreach (var name in blobs)
        {
            var blob = Digest.Parse("sha256:" + name);
            sound.Flip(blob);
            var result = sound.Verify();
            Assert.False(result.Succeeded);
            Assert.Contains(result.Problems, problem => problem.Message.Contains(blob.ToString(), StringComparison.Ordinal));
            sound.Flip(blob);
            Assert.True(sound.Verify().Succeeded);
        }
    }

    [Fact]
    public void A_missing_manifest_is_told()
    {
        using var bundle = new Sealed().Signed();
        File.Delete(bundle.Path(bundle.Digest));
        AssertProblem("manifest-missing", bundle.Digest, bundle.Verify());
    }

    [Fact]
    public void An_edited_manifest_is_told()
    {
        using var bundle = new Sealed().Signed();
        File.WriteAllBytes(bundle.Path(bundle.Digest), (bundle.Manifest with { Layers = bundle.Manifest.Layers[..2] }).ToBytes());
        AssertProblem("manifest-edited", bundle.Digest, bundle.Verify());
    }

    [Fact]
    public void A_bundle_that_nobody_signed_is_told()
    {
        using var bundle = new Sealed();
        AssertProblem("signature-missing", bundle.Digest, bundle.Verify());
    }

    [Fact]
    public void A_manifest_that_was_swapped_together_with_its_digest_has_no_signature()
    {
        using var bundle = new Sealed().Signed();
        var swapped = bundle.Layout.PutManifest(bundle.Manifest with { Layers = [bundle.Weight, bundle.Documents] }, "latest", Sealed.Stop);
        var result = BundleVerifier.Verify(bundle.Layout, swapped.Digest, KeyRing.Of(bundle.Key.PublicKey), Sealed.Stop);
        AssertProblem("signature-missing", swapped.Digest, result);
    }

    [Fact]
    public void A_bundle_signed_by_an_unknown_key_alone_is_told_with_the_key()
    {
        using var bundle = new Sealed().Signed();
        using var mine = SigningKey.Create();
        var result = bundle.Verify(mine);
        AssertProblem("signer-untrusted", bundle.Digest, result);
        Assert.Contains(bundle.Key.PublicKey.KeyId, result.Problems[0].Message);
        Assert.Contains("--key", result.Problems[0].Help);
    }

    [Fact]
    public void Without_any_trusted_key_nothing_is_verified()
    {
        using var bundle = new Sealed().Signed();
        var refused = Assert.Throws<SlipwayException>(() => BundleVerifier.Verify(bundle.Layout, bundle.Digest, KeyRing.Of(), Sealed.Stop));
        Assert.Equal((ExitCode.NotThere, "no-trusted-key"), (refused.Exit, Assert.Single(refused.Faults).Code));
        Assert.Contains("--key FILE.pub", refused.Faults[0].Help);
    }

    [Fact]
    public void An_attestation_blob_that_was_edited_is_told()
    {
        using var bundle = new Sealed();
        var attestation = bundle.Sign(bundle.Key);
        var blob = OciManifest.Parse(File.ReadAllBytes(bundle.Path(attestation.Digest))).Layers[0].Digest;
        bundle.Flip(blob, at: 20);
        var result = bundle.Verify();
        AssertProblem("attestation-damaged", attestation.Digest, result);
        Assert.Contains(blob.ToString(), result.Problems[0].Message);
    }

    [Fact]
    public void An_attestation_blob_that_is_missing_is_told()
    {
        using var bundle = new Sealed();
        var attestation = bundle.Sign(bundle.Key);
        File.Delete(bundle.Path(OciManifest.Parse(File.ReadAllBytes(bundle.Path(attestation.Digest))).Layers[0].Digest));
        AssertProblem("attestation-damaged", attestation.Digest, bundle.Verify(), "is missing");
    }

    [Fact]
    public void An_attestation_manifest_that_was_edited_or_removed_is_told()
    {
        using var bundle = new Sealed().Signed();
        var attestation = bundle.Sign(bundle.Key, """{"second":true}""");
        bundle.Flip(attestation.Digest, at: 5);
        AssertProblem("attestation-damaged", attestation.Digest, bundle.Verify(), "differs from its digest");
        File.Delete(bundle.Path(attestation.Digest));
        AssertProblem("attestation-damaged", attestation.Digest, bundle.Verify(), "is missing");
    }

    [Fact]
    public void A_statement_that_was_edited_with_all_digests_redone_is_told_by_its_signature()
    {
        using var bundle = new Sealed().Signed();
        var signed = Dsse.Sign(Dsse.InToto, Sealed.About(bundle.Digest).ToBytes(), bundle.Key);
        var edited = signed with { Payload = Convert.ToBase64String(Sealed.About(bundle.Digest, """{"auc":1}""").ToBytes()) };
        var attestation = bundle.Attach(SigstoreBundle.Of(edited, bundle.Key.PublicKey).ToBytes());
        AssertProblem("attestation-edited", attestation.Digest, bundle.Verify());
    }

    [Fact]
    public void A_statement_about_another_bundle_is_told()
    {
        using var bundle = new Sealed();
        var about = Sealed.About(Digest.Of("another bundle"u8)).ToBytes();
        var attestation = bundle.Attach(SigstoreBundle.Of(Dsse.Sign(Dsse.InToto, about, bundle.Key), bundle.Key.PublicKey).ToBytes());
        AssertProblem("attestation-other-subject", attestation.Digest, bundle.Verify());
    }

    [Theory]
    [InlineData("no bundle at all")]
    [InlineData("{}")]
    public void An_attestation_that_is_no_bundle_is_told(string content)
    {
        using var bundle = new Sealed().Signed();
        var attestation = bundle.Attach(Encoding.ASCII.GetBytes(content));
        AssertProblem("attestation-malformed", attestation.Digest, bundle.Verify());
    }

    [Fact]
    public void A_signed_payload_that_is_no_statement_is_told()
    {
        using var bundle = new Sealed();
        var attestation = bundle.Attach(SigstoreBundle.Of(Dsse.Sign(Dsse.InToto, "{}"u8, bundle.Key), bundle.Key.PublicKey).ToBytes());
        AssertProblem("attestation-malformed", attestation.Digest, bundle.Verify());

        using var other = new Sealed();
        attestation = other.Attach(SigstoreBundle.Of(Dsse.Sign("text/plain", Sealed.About(other.Digest).ToBytes(), other.Key), other.Key.PublicKey).ToBytes());
        AssertProblem("attestation-malformed", attestation.Digest, other.Verify());
    }

    [Fact]
    public void A_missing_layer_is_told()
    {
        using var bundle = new Sealed().Signed();
        File.Delete(bundle.Path(bundle.Code.Digest));
        AssertProblem("blob-missing", bundle.Code.Digest, bundle.Verify(), "code layer 'code'");
    }

    [Fact]
    public void A_layer_of_another_size_is_told()
    {
        using var bundle = new Sealed().Signed();
        File.AppendAllText(bundle.Path(bundle.Weight.Digest), "!");
        AssertProblem("blob-size", bundle.Weight.Digest, bundle.Verify(), "weight layer 'model/model.onnx'");
    }

    [Fact]
    public void A_layer_that_was_swapped_for_another_is_told()
    {
        using var bundle = new Sealed().Signed();
        File.WriteAllText(bundle.Path(bundle.Weight.Digest), "WEIGHTS");
        AssertProblem("blob-edited", bundle.Weight.Digest, bundle.Verify());
    }

    [Fact]
    public void Every_damaged_blob_is_named_not_the_first_alone()
    {
        using var bundle = new Sealed().Signed();
        bundle.Flip(bundle.Manifest.Config.Digest);
        bundle.Flip(bundle.Documents.Digest);
        File.Delete(bundle.Path(bundle.Weight.Digest));
        Assert.Equal(["blob-edited", "blob-missing", "blob-edited"], bundle.Verify().Problems.Select(problem => problem.Code));
    }

    [Fact]
    public void A_hostile_archive_is_refused_even_when_a_trusted_key_signed_it()
    {
        using var bundle = new Sealed(code: layout => layout.AddBlob(Forge.Archive(Forge.File("../outside", "x"))).As(ModelPack.LayerType(LayerKind.Code, true), Sealed.At("code"))).Signed();
        AssertProblem("layer-refused", bundle.Code.Digest, bundle.Verify(), "archive-parent-path");
    }

    [Fact]
    public void A_layer_with_files_of_another_layers_place_is_refused()
    {
        using var bundle = new Sealed(code: layout => layout.AddBlob(Forge.Archive(Forge.File("slipway/spec.json", "x"))).As(ModelPack.LayerType(LayerKind.Code, true), Sealed.At("code"))).Signed();
        AssertProblem("layer-refused", bundle.Code.Digest, bundle.Verify(), "archive-path-outside");
    }

    [Fact]
    public void A_failed_step_ends_the_verification_before_what_it_vouches_for_is_opened()
    {
        // Unsigned, of the wrong shape, with a damaged blob and a hostile archive: only the signature is spoken of.
        using var bundle = new Sealed(manifest => manifest with { ArtifactType = "a/b" });
        bundle.Flip(bundle.Weight.Digest);
        AssertProblem("signature-missing", bundle.Digest, bundle.Verify());

        // Signed: only the shape, not the blob.
        AssertProblem("manifest-shape", bundle.Digest, bundle.Signed().Verify());
    }

    private static void AssertProblem(string code, Digest named, VerificationResult result, string? says = null)
    {
        Assert.Null(result.Bundle);
        var problem = Assert.Single(result.Problems);
        Assert.Equal(code, problem.Code);
        Assert.Contains(named.ToString(), problem.Message);
        if (says is not null)
            Assert.Contains(says, problem.Message);
        var refused = Assert.Throws<SlipwayException>(result.Require);
        Assert.Equal(ExitCode.BadVerdict, refused.Exit);
    }
}
