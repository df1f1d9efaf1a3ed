using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Oci;

public sealed class BundleReferenceTests : IDisposable
{
    private const string Hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("oci:dir:tag", "dir", "tag", null)]
    [InlineData("oci:/a/b.c/dir:v1.0", "/a/b.c/dir", "v1.0", null)]
    [InlineData("oci:/a:b/dir", "/a:b/dir", null, null)]
    [InlineData("oci:/a:b/dir:t", "/a:b/dir", "t", null)]
    [InlineData("oci:dir", "dir", null, null)]
    [InlineData("oci:a@b/dir", "a@b/dir", null, null)]
    [InlineData("oci:dir@" + Hash, "dir", null, Hash)]
    [InlineData(Hash, null, null, Hash)]
    [InlineData("latest", null, "latest", null)]
    public void Every_form_is_understood(string text, string? folder, string? tag, string? digest) =>
        Assert.Equal(new BundleReference(text, folder, tag, digest is null ? null : Digest.Parse(digest)), BundleReference.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("oci:")]
    [InlineData("oci::tag")]
    [InlineData("oci:dir:")]
    [InlineData("oci:dir:bad tag")]
    [InlineData("oci:dir@sha256:abc")]
    [InlineData("oci:@" + Hash)]
    [InlineData("sha256:abc")]
    [InlineData("team/model:1")]
    [InlineData("oci:dir:tag#")]
    [InlineData("oci:dir:tag#Cuda")]
    [InlineData("tag#1a")]
    [InlineData("#cuda")]
    public void Anything_else_is_refused_with_the_forms_that_are_allowed(string text)
    {
        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse(text));

        var fault = Assert.Single(refused.Faults);
        Assert.Equal(("bad-reference", ExitCode.UnusableInput), (fault.Code, refused.Exit));
        Assert.Contains("oci:DIR:TAG", fault.Help);
    }

    [Theory]
    [InlineData("registry.example.org/team/model:1", "registry.example.org", "team/model", "1", false)]
    [InlineData("registry.example.org/model", "registry.example.org", "model", null, false)]
    [InlineData("localhost/model:v1.0_a-b", "localhost", "model", "v1.0_a-b", false)]
    [InlineData("localhost:5000/a/b/c/d", "localhost:5000", "a/b/c/d", null, false)]
    [InlineData("127.0.0.1:5000/a__b/c.d/e---f:1@" + Hash, "127.0.0.1:5000", "a__b/c.d/e---f", "1", true)]
    [InlineData("[::1]:5000/model@" + Hash, "[::1]:5000", "model", null, true)]
    [InlineData("UPPER.example.org/model:Tag", "UPPER.example.org", "model", "Tag", false)]
    public void A_place_in_a_registry_is_understood(string text, string host, string repository, string? tag, bool hasDigest)
    {
        var digest = hasDigest ? Digest.Parse(Hash) : (Digest?)null;
        Assert.Equal(new BundleReference(text, null, tag, digest, new RegistryReference(host, repository, tag, digest)), BundleReference.Parse(text));
        Assert.Equal(text, BundleReference.Parse(text).Registry!.ToString());
        Assert.Equal("cuda", BundleReference.Parse(text + "#cuda").Variant);
    }

    [Theory]
    [InlineData("registry.example.org/")]
    [InlineData("registry.example.org/Team/model")]
    [InlineData("registry.example.org/team//model")]
    [InlineData("registry.example.org/team/model/")]
    [InlineData("registry.example.org/a___b")]
    [InlineData("registry.example.org/a..b")]
    [InlineData("registry.example.org/a._b")]
    [InlineData("registry.example.org/-a")]
    [InlineData("registry.example.org/model:")]
    [InlineData("registry.example.org/model:-1")]
    [InlineData("registry.example.org/model@sha256:abc")]
    [InlineData("registry.example.org/model@sha512:" + "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("registry.example.org:0/model")]
    [InlineData("registry.example.org:65536/model")]
    [InlineData("registry.example.org:/model")]
    [InlineData("-registry.example.org/model")]
    [InlineData("registry..example.org/model")]
    [InlineData("user@registry.example.org/model")]
    [InlineData("https://registry.example.org/model")]
    [InlineData("[::1/model")]
    [InlineData("[127.0.0.1]:1/model")]
    [InlineData("registry.example.org/model?x=1")]
    [InlineData("registry.example.org/model/../../x")]
    public void What_is_no_place_in_a_registry_is_refused(string text)
    {
        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse(text));
        Assert.Equal(("bad-reference", ExitCode.UnusableInput), (Assert.Single(refused.Faults).Code, refused.Exit));
    }

    [Fact]
    public void Any_text_is_a_reference_that_reads_back_or_a_fault()
    {
        // Made of the pieces that mean something, so that most of it is nearly right.
        string[] pieces = ["oci:", "localhost", "a.b", ":", "/", "@", "#", "sha256:", Hash, "5000", "team", "Model", "..", "_", "-", "[::1]", " ", "é", "\0", "tag", "v1"];
        for (var (i, state) = (0, 7u); i < 20_000; i++)
        {
            var text = "";
            for (var length = i % 9; length >= 0; length--)
                text += pieces[(int)((state = state * 1664525 + 1013904223) >> 8) % pieces.Length];
            try
            {
                var reference = BundleReference.Parse(text);
                Assert.Equal(text, reference.Text);
                if (reference.Registry is { } place)
                    Assert.Equal(text, place + (reference.Variant is null ? "" : "#" + reference.Variant));
            }
            catch (SlipwayException e)
            {
                Assert.Equal("bad-reference", e.Faults[0].Code);
            }
        }
    }

    [Fact]
    public void What_is_in_a_registry_is_fetched_first()
    {
        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse("registry.example.org/model:1").Resolve(scratch["own"]));
        Assert.Equal(("bundle-not-here", "fetch and verify it first: slipway pull registry.example.org/model:1"), (refused.Faults[0].Code, refused.Faults[0].Help));
    }

    [Fact]
    public void A_tag_is_looked_up_in_the_named_layout_or_the_projects_own()
    {
        var own = Put("own", "v1");
        var other = Put("other", "v1", content: "2");

        Assert.Equal(own, BundleReference.Parse("v1").Resolve(scratch["own"]).Manifest);
        Assert.Equal(own, BundleReference.Parse(own.ToString()).Resolve(scratch["own"]).Manifest);
        Assert.Equal(other, BundleReference.Parse($"oci:{scratch["other"]}:v1").Resolve(scratch["own"]).Manifest);
        Attach("other", other);
        Assert.Equal(other, BundleReference.Parse($"oci:{scratch["other"]}").Resolve(scratch["own"]).Manifest);
    }

    [Theory]
    [InlineData(".slipway/bundles", "did you mean oci:.slipway/bundles?")]
    [InlineData("./bundles:v1", "did you mean oci:./bundles:v1?")]
    [InlineData("/srv/bundles", "did you mean oci:/srv/bundles?")]
    [InlineData("sha256:8149847e", "`slipway tags` lists tags with their whole digests")]
    public void What_is_nearly_a_reference_is_told_how_to_write_it(string text, string help) =>
        Assert.Contains(help, Assert.Throws<SlipwayException>(() => BundleReference.Parse(text)).Faults[0].Help);

    [Fact]
    public void A_layout_of_two_bundles_needs_a_tag()
    {
        Put("own", "v1");
        Put("own", "v2", content: "2");

        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse($"oci:{scratch["own"]}").Resolve(scratch["own"]));

        Assert.Equal("reference-ambiguous", Assert.Single(refused.Faults).Code);
        Assert.Contains("v1, v2", Assert.Single(refused.Faults).Help);
    }

    [Fact]
    public void A_misspelt_tag_is_answered_with_the_nearest()
    {
        Put("own", "latest");

        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse("lates").Resolve(scratch["own"]));

        Assert.Equal(("bundle-not-found", "did you mean 'latest'?"), (Assert.Single(refused.Faults).Code, refused.Faults[0].Help));
        // The folder is told once, before the message.
        Assert.Equal(("there is no tag 'lates'", true), (refused.Faults[0].Message, Path.GetFullPath(scratch["own"]) == refused.Faults[0].File));
    }

    private void Attach(string folder, Digest subject)
    {
        var layout = OciLayout.Open(scratch[folder]);
        var blob = layout.AddBlob("note"u8).As("text/plain");
        layout.PutManifest(new OciManifest(2, blob, [blob], OciManifest.ManifestMediaType, "a/note", layout.Find(subject)), cancellation: TestContext.Current.CancellationToken);
    }

    private Digest Put(string folder, string tag, string content = "1")
    {
        var layout = OciLayout.Create(scratch[folder]);
        var blob = layout.AddBlob(System.Text.Encoding.ASCII.GetBytes(content)).As("text/plain");
        return layout.PutManifest(new OciManifest(2, blob, [blob], OciManifest.ManifestMediaType), tag, TestContext.Current.CancellationToken).Digest;
    }
}
