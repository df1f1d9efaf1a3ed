using System.Globalization;
using Slipway.Documents.Registry;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Cli;

/// <summary>From a version as the registry names it, such as <c>flight-delay@3</c>, to the bundle in the project's own layout.</summary>
internal static class RegisteredBundle
{
    /// <summary>Whether a reference names a registered version rather than a tag, a digest or a layout.</summary>
    public static bool IsVersion(string reference) => reference.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && Spec.IsName(reference[..at]);

    /// <summary>What a bundle's reference is once the registry has been asked, where it is to be asked at all.</summary>
    /// <exception cref="SlipwayException">No such version, or its bundle is not in the project's layout (exit 2); the server does not answer (exit 3).</exception>
    public static async Task<string> ReferenceAsync(Shell shell, string reference, string? where, CancellationToken cancellation)
    {
        if (!IsVersion(reference))
            return reference;
        var version = VersionName.Parse(shell, reference);
        using var server = ServerClient.Open(where);
        var detail = await server.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/api/v1/models/{version.Model}/versions/{version.Number}"), RegistryJson.Default.ModelVersionDetail, cancellation);
        return Here(shell.Project.Bundles, version, detail.Version.Bundle);
    }

    /// <param name="folder">Of the project's layout, which there may not be.</param>
    public static string Here(string folder, VersionName version, Digest bundle)
    {
        var isLayout = File.Exists(Path.Combine(folder, "oci-layout"));
        return isLayout && OciLayout.Open(folder).Find(bundle) is not null ? bundle.ToString()
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bundle-not-here", $"{version} is the bundle {bundle}, and this project's layout {(isLayout ? "does not have it" : "is not there yet")}", folder,
                Help: $"`slipway pull {version}` fetches and verifies it; or run in the project that sealed it (-C DIR), or name a layout that has it: oci:DIR@{bundle}; on the server's machine DIR is 'bundles' in the server's folder"));
    }
}
