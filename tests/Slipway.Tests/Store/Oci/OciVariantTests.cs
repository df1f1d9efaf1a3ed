using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Oci;

/// <summary>Several variants of a bundle stand under one tag, and references choose among them.</summary>
public sealed class OciVariantTests : IDisposable
{
    private readonly ScratchFolder scratch = new();
    private readonly OciLayout layout;

    public OciVariantTests() => layout = OciLayout.Create(scratch["layout"]);

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void The_only_variant_needs_no_name_and_several_do()
    {
        var (cpu, cuda) = (Put("1"), Put("2"));
        layout.TagVariant(cpu, "v1", "cpu", replace: false);
        Assert.Equal(cpu, Resolve("v1"));
        layout.TagVariant(cuda, "v1", "cuda", replace: false);
        Assert.Equal((cpu, cuda), (Resolve("v1#cpu"), Resolve("v1#cuda")));

        var missing = Assert.Throws<SlipwayException>(() => Resolve("v1")).Faults[0];
        Assert.Equal("variant-missing", missing.Code);
        Assert.Contains("#cpu, #cuda", missing.Help);
        Assert.Equal(("variant-not-found", "did you mean '#cuda'?"), Of(() => Resolve("v1#cude")));
        // By the index's digest they are chosen as well, and each by its own.
        Assert.Equal(cuda, Resolve($"{layout.Tags()["v1"].Digest}#cuda"));
        Assert.Equal(cuda, Resolve(cuda.ToString()));
    }

    [Fact]
    public void Replacing_one_keeps_the_others()
    {
        var (cpu, cuda, better) = (Put("1"), Put("2"), Put("3"));
        layout.TagVariant(cpu, "v1", "cpu", replace: false);
        layout.TagVariant(cuda, "v1", "cuda", replace: false);
        layout.TagVariant(better, "v1", "cuda", replace: false);
        Assert.Equal((cpu, better), (Resolve("v1#cpu"), Resolve("v1#cuda")));
        Assert.Equal(2, layout.ReadNested(layout.Tags()["v1"])!.Manifests.Length);
    }

    [Fact]
    public void A_bundles_tag_and_one_of_variants_do_not_become_each_other_unless_told()
    {
        var (one, other) = (Put("1", "plain"), Put("2"));
        Assert.Equal("tag-is-bundle", Of(() => layout.TagVariant(other, "plain", "cuda", replace: false)).Code);
        layout.TagVariant(other, "v1", "cuda", replace: false);
        Assert.Equal("tag-has-variants", Of(() => layout.Tag(one, "v1", replace: false)).Code);
        Assert.Equal("variant-not-found", Of(() => Resolve("plain#cuda")).Code);
        Assert.Equal((one, other), (Resolve("plain"), Resolve("v1")));

        layout.Tag(one, "v1", replace: true);
        layout.TagVariant(other, "plain", "cuda", replace: true);
        Assert.Equal((other, one), (Resolve("plain"), Resolve("v1")));
    }

    [Fact]
    public void A_further_tag_leaves_the_others()
    {
        var one = Put("1", "a");
        layout.Tag(one, "b", replace: false);
        Assert.Equal(["a", "b"], layout.Tags().Keys);
        layout.Tag(one, "b", replace: false);
        Assert.Equal("tag-taken", Of(() => layout.Tag(Put("2"), "b", replace: false)).Code);
        Assert.Equal((one, one), (Resolve("a"), Resolve("b")));
        layout.Tag(Put("2"), "b", replace: true);
        Assert.Equal((one, Put("2")), (Resolve("a"), Resolve("b")));
        Assert.Equal("manifest-missing", Of(() => layout.Tag(Digest.Of("x"u8), "c", replace: false)).Code);
        Assert.Equal("manifest-missing", Of(() => layout.TagVariant(layout.AddBlob("{}"u8).Digest, "c", "cuda", replace: false)).Code);
    }

    [Fact]
    public void Variants_are_one_bundle_where_no_tag_is_named_and_none_of_them_is_lost()
    {
        var (cpu, cuda) = (Put("1"), Put("2"));
        layout.TagVariant(cpu, "v1", "cpu", replace: false);
        layout.TagVariant(cuda, "v1", "cuda", replace: false);
        // The index of before is still listed, without a tag.
        Assert.Equal("reference-ambiguous", Of(() => Resolve($"oci:{layout.Folder}")).Code);

        var fresh = OciLayout.Create(scratch["fresh"]);
        foreach (var file in Directory.EnumerateFiles(scratch["layout/blobs/sha256"]))
            File.Copy(file, Path.Combine(scratch["fresh/blobs/sha256"], Path.GetFileName(file)));
        var index = layout.Tags()["v1"].Digest;
        fresh.PutAll([layout.ReadBlob(cpu, 10_000).Bytes, layout.ReadBlob(cuda, 10_000).Bytes, layout.ReadBlob(index, 10_000).Bytes], index, "v1", replace: false);
        Assert.Equal(cuda, BundleReference.Parse($"oci:{fresh.Folder}#cuda").Resolve("").Manifest);
        Assert.Equal(cuda, BundleReference.Parse($"oci:{fresh.Folder}:v1#cuda").Resolve("").Manifest);
        Assert.False(fresh.IsAttached(fresh.Tags()["v1"]));
        Assert.Single(fresh.UnreferencedBlobs());       // the index of before
    }

    [Fact]
    public void What_belongs_together_is_listed_together_or_not_at_all()
    {
        var (one, two) = (Put("1"), Put("2"));
        var fresh = OciLayout.Create(scratch["fresh"]);
        var refused = Assert.Throws<SlipwayException>(() => fresh.PutAll([layout.ReadBlob(one, 10_000).Bytes, layout.ReadBlob(two, 10_000).Bytes], one, "v1", replace: false));
        Assert.Equal("blob-missing", refused.Faults[0].Code);
        Assert.Empty(fresh.ReadIndex().Manifests);
    }

    [Theory]
    [InlineData("cuda", true)]
    [InlineData("cuda-12_x", true)]
    [InlineData("", false)]
    [InlineData("Cuda", false)]
    [InlineData("1a", false)]
    [InlineData("a.b", false)]
    public void A_variant_is_named_as_names_in_specs_are(string name, bool isOne) => Assert.Equal(isOne, OciIndex.IsVariant(name));

    [Theory]
    [InlineData("index/07-valid", true)]
    [InlineData("manifest/04-valid", false)]
    public void An_index_is_told_from_a_manifest(string vector, bool isIndex) =>
        Assert.Equal(isIndex, OciVariants.IsIndex(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Store/Oci/vectors", vector + ".json"))));

    private Digest Resolve(string reference) => BundleReference.Parse(reference).Resolve(layout.Folder).Manifest;

    private static (string Code, string? Help) Of(Action act)
    {
        var fault = Assert.Throws<SlipwayException>(act).Faults[0];
        return (fault.Code, fault.Help);
    }

    private Digest Put(string content, string? tag = null)
    {
        var blob = layout.AddBlob(System.Text.Encoding.UTF8.GetBytes(content)).As("a/b");
        return layout.PutManifest(new OciManifest(2, blob, [blob], OciManifest.ManifestMediaType, "application/vnd.cncf.model.manifest.v1+json"), tag).Digest;
    }
}
