using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Verification;

public sealed class VerifiedBundleTests
{
    [Fact]
    public void It_gives_manifest_config_documents_and_statements()
    {
        using var bundle = new Sealed().Signed();
        bundle.Sign(bundle.Key, """{"second":true}""");

        var verified = bundle.Verify().Require();

        Assert.Equal(bundle.Digest, verified.Digest);
        Assert.Equal(["spec.json", "data/flights.json"], verified.Documents.Keys.OrderDescending(StringComparer.Ordinal));
        Assert.Equal("{}", Encoding.ASCII.GetString(verified.Documents["spec.json"].Span));
        Assert.StartsWith("{\"config\"", Encoding.ASCII.GetString(verified.Config.Span));
        Assert.Equal(["model/model.onnx", "code", "slipway"], verified.Layers.Select(layer => layer.Path));
        Assert.Equal(2, verified.Statements.Length);
        Assert.All(verified.Statements, statement => Assert.Equal(bundle.Key.PublicKey.KeyId, statement.Signer.KeyId));
        Assert.Contains(verified.Statements, statement => statement.Statement.Predicate!.Value.TryGetProperty("second", out _));
    }

    [Fact]
    public void Attestations_of_unknown_keys_and_of_other_kinds_are_named_and_ignored()
    {
        using var bundle = new Sealed().Signed();
        using var stranger = SigningKey.Create();
        var theirs = bundle.Sign(stranger, """{"auc":1}""");
        var note = bundle.Attach("hello"u8.ToArray(), "application/vnd.example.note");

        var result = bundle.Verify();

        Assert.Single(result.Require().Statements);
        Assert.Equal(2, result.Notes.Length);
        Assert.Contains(result.Notes, text => text.Contains(theirs.Digest.ToString(), StringComparison.Ordinal) && text.Contains(stranger.PublicKey.KeyId, StringComparison.Ordinal));
        Assert.Contains(result.Notes, text => text.Contains(note.Digest.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void What_trusted_keys_have_said_is_read_without_touching_manifest_or_layers()
    {
        using var bundle = new Sealed().Signed();
        using var stranger = SigningKey.Create();
        bundle.Sign(stranger);
        bundle.Attach("no bundle"u8.ToArray());
        bundle.Sign(bundle.Key, """{"second":true}""");
        File.Delete(bundle.Path(bundle.Weight.Digest));
        File.Delete(bundle.Path(bundle.Digest));

        var read = BundleVerifier.ReadStatements(bundle.Layout, bundle.Digest, KeyRing.Of(bundle.Key.PublicKey), Sealed.Stop);
        Assert.Equal(["{}", """{"second":true}"""], read.Select(said => said.Statement.Predicate!.Value.GetRawText()));
        Assert.Empty(BundleVerifier.ReadStatements(bundle.Layout, bundle.Digest, KeyRing.Of(), Sealed.Stop));
    }

    [Fact]
    public void Blobs_that_nothing_references_are_named_and_ignored()
    {
        using var bundle = new Sealed().Signed();
        var stray = bundle.Layout.AddBlob("stray"u8);

        var result = bundle.Verify();

        Assert.True(result.Succeeded);
        Assert.Contains(stray.Digest.ToString(), Assert.Single(result.Notes));
    }

    [Fact]
    public void With_a_list_of_attestations_nothing_else_in_the_layout_counts()
    {
        using var bundle = new Sealed();
        var mine = bundle.Sign(bundle.Key);
        var damaged = bundle.Attach("{}"u8.ToArray());
        Assert.False(bundle.Verify().Succeeded);

        VerificationResult Verify(params Digest[] attestations) => BundleVerifier.Verify(bundle.Layout, bundle.Digest, attestations, KeyRing.Of(bundle.Key.PublicKey), Sealed.Stop);
        Assert.Equal(mine.Digest, Assert.Single(Verify(mine.Digest).Require().Statements).Manifest);
        Assert.Equal("signature-missing", Assert.Single(Verify().Problems).Code);
        Assert.Equal("attestation-malformed", Assert.Single(Verify(mine.Digest, damaged.Digest).Problems).Code);
        Assert.Equal("attestation-damaged", Assert.Single(Verify(mine.Digest, bundle.Weight.Digest).Problems).Code);
    }

    [Fact]
    public void A_key_is_found_without_the_hint_since_hints_are_not_authenticated()
    {
        using var bundle = new Sealed();
        using var other = SigningKey.Create();
        var envelope = Dsse.Sign(Dsse.InToto, Sealed.About(bundle.Digest).ToBytes(), bundle.Key);
        bundle.Attach(SigstoreBundle.Of(envelope, other.PublicKey).ToBytes());

        Assert.True(bundle.Verify().Succeeded);
    }

    [Fact]
    public void Attaching_again_changes_nothing_and_never_touches_the_bundle()
    {
        using var bundle = new Sealed();
        var manifest = File.ReadAllBytes(bundle.Path(bundle.Digest));
        var first = bundle.Sign(bundle.Key);
        var index = File.ReadAllBytes(Path.Combine(bundle.Layout.Folder, "index.json"));

        Assert.Equal(first.Digest, bundle.Sign(bundle.Key).Digest);

        Assert.Equal(index, File.ReadAllBytes(Path.Combine(bundle.Layout.Folder, "index.json")));
        Assert.Equal(manifest, File.ReadAllBytes(bundle.Path(bundle.Digest)));
        using var other = SigningKey.Create();
        Assert.NotEqual(first.Digest, bundle.Sign(other).Digest);
        Assert.NotEqual(first.Digest, bundle.Sign(bundle.Key, """{"more":1}""").Digest);
    }

    [Fact]
    public void An_attestation_has_the_shape_that_cosign_attaches()
    {
        using var bundle = new Sealed();
        var entry = bundle.Sign(bundle.Key);
        var manifest = OciManifest.Parse(File.ReadAllBytes(bundle.Path(entry.Digest)));

        Assert.Equal(("application/vnd.dev.sigstore.bundle.v0.3+json", bundle.Digest), (manifest.ArtifactType, manifest.Subject!.Digest));
        Assert.Equal(("application/vnd.oci.empty.v1+json", Digest.Of("{}"u8)), (manifest.Config.MediaType, manifest.Config.Digest));
        Assert.Equal("application/vnd.dev.sigstore.bundle.v0.3+json", Assert.Single(manifest.Layers).MediaType);
        Assert.Equal("dsse-envelope", manifest.Annotations!["dev.sigstore.bundle.content"]);
        Assert.Equal(Sealed.PredicateType, manifest.Annotations["dev.sigstore.bundle.predicateType"]);
        Assert.Equal(manifest.ArtifactType, bundle.Layout.Find(entry.Digest)!.ArtifactType);
    }

    [Fact]
    public void Openssl_checks_the_signature_of_an_attestation()
    {
        Assert.SkipUnless(Tool.IsThere("openssl"), "openssl is not installed");
        using var bundle = new Sealed();
        var manifest = OciManifest.Parse(File.ReadAllBytes(bundle.Path(bundle.Sign(bundle.Key).Digest)));
        var envelope = SigstoreBundle.Parse(File.ReadAllBytes(bundle.Path(manifest.Layers[0].Digest))).DsseEnvelope!;
        var payload = envelope.PayloadBytes();
        File.WriteAllText(bundle.Scratch("key.pub"), bundle.Key.PublicKey.ToPem());
        File.WriteAllBytes(bundle.Scratch("sig"), Convert.FromBase64String(envelope.Signatures[0].Sig));
        File.WriteAllBytes(bundle.Scratch("pae"), [.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} "), .. payload]);
        File.WriteAllBytes(bundle.Scratch("other"), [.. File.ReadAllBytes(bundle.Scratch("pae")), (byte)' ']);

        Assert.Equal(0, Tool.Run("openssl", "dgst", "-sha256", "-verify", bundle.Scratch("key.pub"), "-signature", bundle.Scratch("sig"), bundle.Scratch("pae")).Code);
        Assert.NotEqual(0, Tool.Run("openssl", "dgst", "-sha256", "-verify", bundle.Scratch("key.pub"), "-signature", bundle.Scratch("sig"), bundle.Scratch("other")).Code);
    }

    [Fact]
    public void Skopeo_reads_the_bundle_and_a_copy_keeps_its_digest()
    {
        Assert.SkipUnless(Tool.IsThere("skopeo"), "skopeo is not installed");
        using var bundle = new Sealed().Signed();

        var (code, output) = Tool.Run("skopeo", "inspect", "--raw", $"oci:{bundle.Layout.Folder}:latest");

        Assert.True(code == 0, output);
        Assert.Equal(bundle.Digest, Digest.Of(Encoding.UTF8.GetBytes(output)));
    }

    [Fact]
    public void Unpacking_puts_every_layer_at_its_place()
    {
        using var bundle = new Sealed().Signed();
        var target = bundle.Scratch("deep/out");

        bundle.Verify().Require().Unpack(target, Sealed.Stop);

        Assert.Equal("weights", File.ReadAllText(Path.Combine(target, "model/model.onnx")));
        Assert.Equal("print()", File.ReadAllText(Path.Combine(target, "code/serve.py")));
        Assert.True(File.GetUnixFileMode(Path.Combine(target, "code/serve.py")).HasFlag(UnixFileMode.OtherExecute));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(target, "slipway/spec.json")));
        Assert.Equal([target], Directory.EnumerateFileSystemEntries(bundle.Scratch("deep")));
    }

    [Fact]
    public void A_blob_that_changes_after_verification_is_found_when_it_is_used()
    {
        using var bundle = new Sealed().Signed();
        var verified = bundle.Verify().Require();
        foreach (var blob in (Digest[])[bundle.Weight.Digest, bundle.Code.Digest])
        {
            var good = File.ReadAllBytes(bundle.Path(blob));
            var last = blob == bundle.Code.Digest ? 512 : 0;      // content, which no archive check guards
            bundle.Flip(blob, last);
            var refused = Assert.Throws<SlipwayException>(() => verified.Unpack(bundle.Scratch("out"), Sealed.Stop));
            Assert.Equal((ExitCode.BadVerdict, "blob-edited"), (refused.Exit, Assert.Single(refused.Faults).Code));
            Assert.Contains(blob.ToString(), refused.Message);
            Assert.False(Directory.Exists(bundle.Scratch("out")));
            File.WriteAllBytes(bundle.Path(blob), good);
        }

        Assert.Equal([bundle.Layout.Folder], Directory.EnumerateFileSystemEntries(bundle.Scratch("")));
        verified.Unpack(bundle.Scratch("out"), Sealed.Stop);
    }

    [Fact]
    public void An_archive_swapped_after_verification_is_refused_and_leaves_nothing()
    {
        using var bundle = new Sealed().Signed();
        var verified = bundle.Verify().Require();
        File.WriteAllBytes(bundle.Path(bundle.Code.Digest), Forge.Archive(Forge.File("../outside", "x")));

        var refused = Assert.Throws<SlipwayException>(() => verified.Unpack(bundle.Scratch("out"), Sealed.Stop));
        Assert.Equal((ExitCode.BadVerdict, "blob-edited"), (refused.Exit, Assert.Single(refused.Faults).Code));

        Assert.Equal([bundle.Layout.Folder], Directory.EnumerateFileSystemEntries(bundle.Scratch("")));
    }

    [Fact]
    public void A_folder_that_holds_something_is_never_unpacked_into()
    {
        using var bundle = new Sealed().Signed();
        var verified = bundle.Verify().Require();
        Directory.CreateDirectory(bundle.Scratch("out"));
        verified.Unpack(bundle.Scratch("out"), Sealed.Stop);

        var refused = Assert.Throws<SlipwayException>(() => verified.Unpack(bundle.Scratch("out"), Sealed.Stop));

        Assert.Equal("folder-taken", Assert.Single(refused.Faults).Code);
    }

    public static TheoryData<string, Func<OciManifest, OciManifest>> Shapes() => new()
    {
        { "artifactType", manifest => manifest with { ArtifactType = null } },
        { "mediaType is missing", manifest => manifest with { MediaType = null } },
        { "has a subject", manifest => manifest with { Subject = manifest.Config } },
        { "has annotations", manifest => manifest with { Annotations = Sealed.At("x") } },
        { "config has mediaType", manifest => manifest with { Config = manifest.Config with { MediaType = "application/json" } } },
        { "config has annotations", manifest => manifest with { Config = manifest.Config with { Annotations = Sealed.At("x") } } },
        { "unknown member 'later'", manifest => manifest with { Other = Member("later") } },
        { "layers[1] has the unknown member 'urls'", manifest => Layer(manifest, 1, layer => layer with { Other = Member("urls") }) },
        { "layers[0] has an artifactType", manifest => Layer(manifest, 0, layer => layer with { ArtifactType = "a/b" }) },
        { "layers[1] has no annotation", manifest => Layer(manifest, 1, layer => layer with { Annotations = null }) },
        { "layers[1] has the annotation 'more'", manifest => Layer(manifest, 1, layer => layer with { Annotations = layer.Annotations!.Add("more", "x") }) },
        { "layers[1] has mediaType", manifest => Layer(manifest, 1, layer => layer with { MediaType = ModelPack.LayerType(LayerKind.Code, true) + "+gzip" }) },
        { "layers[1] has mediaType", manifest => Layer(manifest, 1, layer => layer with { MediaType = ModelPack.LayerType(LayerKind.Code, false) }) },
        { "is absolute", manifest => Layer(manifest, 1, layer => layer with { Annotations = Sealed.At("/code") }) },
        { "leads through '..'", manifest => Layer(manifest, 1, layer => layer with { Annotations = Sealed.At("../code") }) },
        { "lies in the layer at 'model/model.onnx'", manifest => Layer(manifest, 1, layer => layer with { Annotations = Sealed.At("model/model.onnx/x") }) },
        { "lies in the layer at 'slipway'", manifest => Layer(manifest, 1, layer => layer with { Annotations = Sealed.At("slipway") }) },
        { "no weight layer", manifest => manifest with { Layers = manifest.Layers[1..] } },
        { "no doc layer at 'slipway'", manifest => manifest with { Layers = manifest.Layers[..2] } },
    };

    [Theory]
    [MemberData(nameof(Shapes), DisableDiscoveryEnumeration = true)]
    public void A_manifest_with_anything_more_or_less_is_refused_though_it_is_signed(string says, Func<OciManifest, OciManifest> shape)
    {
        using var bundle = new Sealed(shape).Signed();

        var result = bundle.Verify();

        Assert.False(result.Succeeded);
        Assert.All(result.Problems, problem => Assert.Equal("manifest-shape", problem.Code));
        Assert.Contains(result.Problems, problem => problem.Message.Contains(says, StringComparison.Ordinal));
    }

    [Fact]
    public void A_manifest_that_is_not_canonical_is_refused()
    {
        var problems = new List<Fault>();
        using var bundle = new Sealed();
        var bytes = bundle.Manifest.ToBytes();

        Assert.NotNull(StrictManifest.Read(bytes, bundle.Digest, problems));
        Assert.Null(StrictManifest.Read([.. bytes, (byte)'\n'], bundle.Digest, problems));
        Assert.Contains("canonical", Assert.Single(problems).Message);
    }

    [Fact]
    public void Documents_outside_their_folder_are_refused()
    {
        using var bundle = new Sealed(shape: null);
        var stray = bundle.Tar(LayerKind.Doc, "slipway", ArchiveEntry.OfBytes("slipway", "x"u8.ToArray()));
        var put = bundle.Layout.PutManifest(bundle.Manifest with { Layers = [bundle.Weight, stray] }, "two", Sealed.Stop);
        Attestation.Attach(bundle.Layout, put.Digest, Sealed.About(put.Digest), bundle.Key, Sealed.Stop);

        var result = BundleVerifier.Verify(bundle.Layout, put.Digest, KeyRing.Of(bundle.Key.PublicKey), Sealed.Stop);

        Assert.Equal("layer-refused", Assert.Single(result.Problems).Code);
    }

    private static OciManifest Layer(OciManifest manifest, int at, Func<OciDescriptor, OciDescriptor> change) =>
        manifest with { Layers = manifest.Layers.SetItem(at, change(manifest.Layers[at])) };

    private static Dictionary<string, System.Text.Json.JsonElement> Member(string name) =>
        new() { [name] = System.Text.Json.JsonDocument.Parse("[]").RootElement };
}
