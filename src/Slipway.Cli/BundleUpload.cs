using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Cli;

/// <summary>A bundle and what is attached to it, as they are uploaded: the server verifies, so nothing is believed here.</summary>
/// <param name="Model">As the bundle's config calls it.</param>
/// <param name="Attestations">Manifests.</param>
/// <param name="Blobs">Each once, the manifests too.</param>
internal sealed record BundleUpload(OciLayout Layout, Digest Bundle, string Model, ImmutableArray<Digest> Attestations, ImmutableArray<OciDescriptor> Blobs)
{
    /// <summary>Of a request that carries bytes: the slowest line that is still worth waiting for, at 100 kB/s, and something for a start.</summary>
    private const double LeastBytesPerSecond = 100_000;

    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);

    /// <exception cref="SlipwayException">No such bundle, or one that is damaged (exit 2).</exception>
    public static BundleUpload Of(Shell shell, string reference)
    {
        var (layout, digest) = BundleReference.Parse(reference).Resolve(shell.Project.Bundles);
        var (manifest, entry) = Manifest(layout, digest);
        var attached = layout.Referrers(digest).Where(referrer => referrer.Manifest is not null).Select(referrer => referrer.Entry.Digest).ToImmutableArray();
        var blobs = attached.Select(each => Manifest(layout, each)).Prepend((manifest, entry)).SelectMany(each => each.Item1.Blobs.Prepend(each.Item2));
        return new BundleUpload(layout, digest, ModelOf(layout, manifest), attached, [.. blobs.DistinctBy(blob => blob.Digest)]);
    }

    /// <summary>Uploads what the server does not have, the largest last.</summary>
    /// <param name="observe">Told of each that is sent.</param>
    /// <exception cref="SlipwayException">The server does not answer or refuses (exit 3, 2); a blob is missing or damaged here (exit 2).</exception>
    public async Task SendAsync(ServerClient server, Action<OciDescriptor> observe, CancellationToken cancellation)
    {
        foreach (var blob in Blobs.OrderBy(blob => blob.Size))
        {
            var path = $"/api/v1/blobs/{blob.Digest}";
            if (await IsThereAsync(server, path, cancellation))
                continue;
            observe(blob);
            await using var file = Layout.OpenBlob(blob.Digest) ?? throw Damaged(Layout, blob.Digest, "is missing");
            using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StreamContent(file) };
            using var response = await server.SendAsync(request, Patience(blob.Size), cancellation);
        }
    }

    /// <summary>How long a server may take over this many bytes.</summary>
    public static TimeSpan Patience(long bytes) => Start + TimeSpan.FromSeconds(bytes / LeastBytesPerSecond);

    private static async Task<bool> IsThereAsync(ServerClient server, string path, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using var response = await server.SendAsync(request, cancellation);
            return true;
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput)
        {
            return false;     // an answer to HEAD says no more than that it is not there
        }
    }

    private static (OciManifest Manifest, OciDescriptor Itself) Manifest(OciLayout layout, Digest digest)
    {
        var read = layout.ReadBlob(digest, OciManifest.MaxBytes);
        try
        {
            return read.State == BlobState.Intact
                ? (OciManifest.Parse(read.Bytes), new OciDescriptor(OciManifest.ManifestMediaType, digest, read.Bytes.Length))
                : throw Damaged(layout, digest, read.State == BlobState.Missing ? "is missing" : "is damaged");
        }
        catch (JsonException e)
        {
            throw Damaged(layout, digest, $"is no manifest: {e.Message}");
        }
    }

    private static string ModelOf(OciLayout layout, OciManifest manifest)
    {
        var config = layout.ReadBlob(manifest.Config.Digest, OciManifest.MaxBytes);
        try
        {
            return config.State == BlobState.Intact && ModelPackConfig.Parse(config.Bytes).Descriptor.Name is { } name
                ? name
                : throw Damaged(layout, manifest.Config.Digest, "is missing, damaged, or names no model");
        }
        catch (JsonException e)
        {
            throw Damaged(layout, manifest.Config.Digest, $"is no config of a bundle: {e.Message}");
        }
    }

    private static SlipwayException Damaged(OciLayout layout, Digest blob, string how) =>
        new(ExitCode.UnusableInput, new Fault("bundle-damaged", $"blob {blob} {how}", layout.Folder, Help: "`slipway run` seals the bundle again; `slipway verify` tells what else is wrong"));
}
