using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Server.Registry;

/// <summary>
/// The bytes of all bundles: blobs by digest in one layout, where each lies once however many bundles have it. Which blobs belong to which
/// bundle, and what is attached to it, is in the database; the layout's own index stays empty.
/// </summary>
internal sealed class BundleStore
{
    /// <summary>1 TiB: the largest layer that a bundle may have.</summary>
    public const long MaxBlobBytes = 1L << 40;

    private BundleStore(OciLayout layout) => Layout = layout;

    public OciLayout Layout { get; }

    /// <param name="isShared">Whether other servers use the folder too; what a dead upload left behind is then nobody's to delete.</param>
    public static BundleStore Open(string folder, bool isShared)
    {
        var layout = OciLayout.Create(folder);
        if (!isShared)
            layout.RemoveLeftovers();
        return new BundleStore(layout);
    }

    /// <returns>Bytes; null where there is no such blob.</returns>
    public long? SizeOf(Digest blob)
    {
        using var file = Layout.OpenBlob(blob);
        return file?.Length;
    }

    /// <summary>Every blob that a bundle and its attestations consist of, once each. Manifests are read here and not yet believed.</summary>
    /// <exception cref="SlipwayException">A blob is missing, or is no manifest (exit 2), with all that are.</exception>
    public ImmutableArray<OciDescriptor> Closure(Digest bundle, IEnumerable<Digest> attestations)
    {
        var faults = new List<Fault>();
        var found = new Dictionary<Digest, OciDescriptor>();
        AddManifest(bundle, isAttestation: false);
        foreach (var attestation in attestations.Distinct())
            AddManifest(attestation, isAttestation: true);
        return faults.Count == 0 ? [.. found.Values.OrderBy(blob => blob.Size).ThenBy(blob => blob.Digest)] : throw new SlipwayException(ExitCode.UnusableInput, faults);

        void AddManifest(Digest digest, bool isAttestation)
        {
            var read = Layout.ReadBlob(digest, OciManifest.MaxBytes);
            if (read.State != BlobState.Intact)
            {
                faults.Add(Missing(digest, read.State == BlobState.Missing ? "is not uploaded" : "is damaged here, or too large for a manifest"));
                return;
            }

            try
            {
                var manifest = OciManifest.Parse(read.Bytes);
                if (isAttestation && manifest.Layers.Length > 1)
                    faults.Add(new Fault("attestation-malformed", $"{digest} has {manifest.Layers.Length} layers, an attestation has one"));
                else
                    Add(manifest, new OciDescriptor(OciManifest.ManifestMediaType, digest, read.Bytes.Length, manifest.ArtifactType));
            }
            catch (JsonException e)
            {
                faults.Add(new Fault("manifest-shape", $"{digest} is no manifest: {e.Message}"));
            }
        }

        void Add(OciManifest manifest, OciDescriptor itself)
        {
            found[itself.Digest] = itself;
            foreach (var blob in manifest.Blobs)
            {
                if (SizeOf(blob.Digest) is not { } size)
                    faults.Add(Missing(blob.Digest, "is not uploaded"));
                else if (size != blob.Size)
                    faults.Add(Missing(blob.Digest, $"has {size} bytes here, and its manifest says {blob.Size}"));
                else
                    found.TryAdd(blob.Digest, new OciDescriptor(blob.MediaType, blob.Digest, size));
            }
        }
    }

    private static Fault Missing(Digest blob, string how) => new("blob-missing", $"blob {blob} {how}", Help: "`slipway push` uploads what is missing");
}
