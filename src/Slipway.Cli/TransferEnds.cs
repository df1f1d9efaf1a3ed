using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Cli;

/// <summary>Where a bundle is copied from, as a reference names it.</summary>
/// <param name="Root">Digest of its manifest, or of the index of its variants.</param>
/// <param name="Tag">That it has there, or what stands for one; null for none.</param>
/// <param name="Text">For messages.</param>
internal sealed record TransferSource(IBundleSource Place, Digest Root, string? Tag, string Text, IDisposable? Connection) : IDisposable
{
    public void Dispose() => Connection?.Dispose();

    /// <summary>Finds it: in a layout, a registry, or by <c>MODEL@N</c> at the team's server.</summary>
    /// <param name="server">The server's address; null for the usual one.</param>
    /// <exception cref="SlipwayException">There is no such bundle (exit 2); no answer, or denied (exit 3).</exception>
    public static async Task<TransferSource> FindAsync(Shell shell, string text, RegistryAccess access, string? server, CancellationToken cancellation)
    {
        if (RegisteredBundle.IsVersion(text))
        {
            var version = VersionName.Parse(shell, text);
            var client = ServerClient.Open(server);
            var place = await ServerPlace.OpenAsync(client, version, cancellation);
            return new TransferSource(place, place.Bundle, $"{version.Model}-{version.Number}", text, client);
        }

        var reference = BundleReference.Parse(text);
        if (reference.Registry is { } repository)
        {
            var client = await access.OpenAsync(repository, cancellation);
            var found = await client.ResolveAsync(reference, cancellation);
            return new TransferSource(new RegistryPlace(client), found.Descriptor.Digest, reference.Tag, text, client);
        }

        var (layout, entry) = (reference with { Folder = shell.PathOf(reference.Folder) }).Find(shell.Project.Bundles);
        return new TransferSource(new LayoutPlace(layout), entry.Digest, reference.Tag, text, null);
    }
}

/// <summary>Where a bundle is copied to, as a reference names it.</summary>
/// <param name="Tag">Null for none.</param>
/// <param name="Variant">The variant that it becomes under the tag; null to have the tag itself.</param>
internal sealed record TransferDestination(IBundleTarget Place, string? Tag, string? Variant, RegistryClient? Registry, string Text) : IDisposable
{
    public void Dispose() => Registry?.Dispose();

    /// <summary>Opens it; a layout's folder is made where there is none.</summary>
    /// <param name="tag">For a reference that has none; null where it must have one, or none is wanted.</param>
    /// <param name="keepsTags">Whether a layout's tag that names something else is refused.</param>
    /// <exception cref="SlipwayException">No reference, or one by digest (exit 2); docker's configuration is unusable (exit 2, 3).</exception>
    public static async Task<TransferDestination> OpenAsync(Shell shell, string text, string? tag, RegistryAccess access, CancellationToken cancellation, bool keepsTags = false)
    {
        var reference = BundleReference.Parse(text);
        if (reference.Digest is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-destination", $"{text} names a digest, which follows from the content", Help: "name a tag: HOST/REPOSITORY:TAG or oci:DIR:TAG"));
        if (reference.Variant is not null && reference.Tag is null && tag is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-destination", $"{text} names a variant of no tag",
                Help: "name the tag as well: HOST/REPOSITORY:TAG#VARIANT or oci:DIR:TAG#VARIANT"));
        var named = reference.Tag ?? tag;
        if (reference.Registry is { } repository)
        {
            if (named is null)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                    "bad-destination", $"{text} names no tag, and the bundle brings none along", Help: $"write {repository.Name}:TAG"));
            var client = await access.OpenAsync(repository, cancellation);
            return new TransferDestination(new RegistryPlace(client), named, reference.Variant, client, $"{repository.Name}:{named}{Suffix(reference)}");
        }

        var layout = OciLayout.Create(shell.PathOf(reference.Folder) ?? shell.Project.Bundles);
        layout.RemoveLeftovers();
        var folder = reference.Folder ?? Path.GetRelativePath(Environment.CurrentDirectory, layout.Folder);
        return new TransferDestination(new LayoutPlace(layout) { KeepsTags = keepsTags }, named, reference.Variant, null, $"oci:{folder}{(named is null ? "" : ":" + named)}{Suffix(reference)}");
    }

    /// <summary>Makes a bundle that is there a variant under the tag.</summary>
    public async Task TagVariantAsync(PlannedManifest bundle, bool replace, CancellationToken cancellation)
    {
        if (bundle.Manifest is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-destination", $"{Text} would be a variant, and what is copied has variants itself",
                Help: "name one of them with #VARIANT, or copy all to a tag without '#'"));
        if (Registry is not null)
            await Registry.TagVariantAsync(RegistryManifest.Of(bundle), Tag!, Variant!, replace, cancellation);
        else
            ((LayoutPlace)Place).Layout.TagVariant(bundle.Digest, Tag!, Variant!, replace, cancellation);
    }

    private static string Suffix(BundleReference reference) => reference.Variant is null ? "" : "#" + reference.Variant;
}
