using Slipway.Cli;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Cli;

public sealed class RegisteredBundleTests : IDisposable
{
    private static readonly VersionName Version = new("flight-delay", 2);

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("flight-delay@2", true)]
    [InlineData("flight-delay@two", true)]
    [InlineData("flight-delay", false)]
    [InlineData("@2", false)]
    [InlineData("oci:some/folder@sha256:aa", false)]
    [InlineData("oci:some@2", false)]
    public void A_model_and_a_number_name_a_registered_version(string reference, bool isVersion) => Assert.Equal(isVersion, RegisteredBundle.IsVersion(reference));

    [Fact]
    public void A_bundle_that_the_project_has_is_named_by_its_digest()
    {
        var layout = OciLayout.Create(folder["own"]);
        var blob = layout.AddBlob("1"u8).As("text/plain");
        var bundle = layout.PutManifest(new OciManifest(2, blob, [blob], OciManifest.ManifestMediaType), "v1", TestContext.Current.CancellationToken).Digest;
        Assert.Equal(bundle.ToString(), RegisteredBundle.Here(folder["own"], Version, bundle));

        var missing = Assert.Throws<SlipwayException>(() => RegisteredBundle.Here(folder["own"], Version, Digest.Of([9])));
        Assert.Equal(("bundle-not-here", $"flight-delay@2 is the bundle {Digest.Of([9])}, and this project's layout does not have it"), (missing.Faults[0].Code, missing.Faults[0].Message));
        Assert.Contains($"oci:DIR@{Digest.Of([9])}", missing.Faults[0].Help);
    }

    [Fact]
    public void Without_a_layout_the_digest_is_told_as_well()
    {
        var missing = Assert.Throws<SlipwayException>(() => RegisteredBundle.Here(folder["none"], Version, Digest.Of([9])));
        Assert.Equal((ExitCode.UnusableInput, $"flight-delay@2 is the bundle {Digest.Of([9])}, and this project's layout is not there yet"), (missing.Exit, missing.Faults[0].Message));
    }
}
