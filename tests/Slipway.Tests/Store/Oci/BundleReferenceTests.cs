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
    [InlineData("registry.example.org/team/model:1")]
    public void Anything_else_is_refused_with_the_forms_that_are_allowed(string text)
    {
        var refused = Assert.Throws<SlipwayException>(() => BundleReference.Parse(text));

        var fault = Assert.Single(refused.Faults);
        Assert.Equal(("bad-reference", ExitCode.UnusableInput), (fault.Code, refused.Exit));
        Assert.Contains("oci:DIR:TAG", fault.Help);
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
