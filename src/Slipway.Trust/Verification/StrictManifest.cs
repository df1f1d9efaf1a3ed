using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;

namespace Slipway.Trust.Verification;

/// <summary>A manifest that is a bundle's: canonical, of the exact media types, with no member more than needed.</summary>
internal sealed record StrictManifest(OciManifest Manifest, ImmutableArray<BundleLayer> Layers)
{
    /// <summary>A config holds names, not weights; registries refuse larger ones as well.</summary>
    public const long MaxConfigBytes = 4 * 1024 * 1024;

    /// <summary>All of Slipway's own documents together are held in memory: a few thousand data files' digests and a few metrics' replicates.</summary>
    public const long MaxDocumentBytes = 128 * 1024 * 1024;

    /// <summary>1 TiB: above any model known.</summary>
    public const long MaxLayerBytes = 1L << 40;

    /// <summary>Above the shards of any model known.</summary>
    public const int MaxLayers = 1_000;

    /// <summary>Reads the manifest's verified bytes; every violation is added to <paramref name="problems"/>.</summary>
    /// <returns>Null when there is a problem.</returns>
    public static StrictManifest? Read(byte[] bytes, Digest digest, ICollection<Fault> problems)
    {
        void Violation(string finding) =>
            problems.Add(new Fault("manifest-shape", $"manifest {digest}: {finding}", Help: "only bundles that `slipway` sealed can be verified"));

        OciManifest manifest;
        try
        {
            manifest = OciManifest.Parse(bytes);
        }
        catch (JsonException e)
        {
            Violation(e.Message);
            return null;
        }

        var before = problems.Count;
        if (!CanonicalJson.IsCanonical(bytes))
            Violation("it is not in canonical JSON form");
        if (manifest.MediaType is null)
            Violation($"mediaType is missing, expected {OciManifest.ManifestMediaType}");
        if (manifest.ArtifactType != ModelPack.ManifestType)
            Violation($"artifactType is '{manifest.ArtifactType}', expected {ModelPack.ManifestType}");
        if (manifest.Subject is not null)
            Violation("it has a subject; a bundle is attached to nothing");
        if (manifest.Annotations is not null)
            Violation("it has annotations; what is not content stands in attestations");
        foreach (var name in manifest.Other?.Keys ?? Enumerable.Empty<string>())
            Violation($"unknown member '{ForeignText.Shown(name)}'");

        CheckDescriptor(manifest.Config, "config", MaxConfigBytes, Violation);
        if (manifest.Config.MediaType != ModelPack.ConfigType)
            Violation($"config has mediaType '{manifest.Config.MediaType}', expected {ModelPack.ConfigType}");
        if (manifest.Config.Annotations is not null)
            Violation("config has annotations, expected none");

        var layers = CheckLayers(manifest, Violation);
        return problems.Count == before ? new StrictManifest(manifest, layers) : null;
    }

    private static ImmutableArray<BundleLayer> CheckLayers(OciManifest manifest, Action<string> violation)
    {
        if (manifest.Layers.Length > MaxLayers)
        {
            violation($"it has {manifest.Layers.Length} layers, allowed {MaxLayers}");
            return [];
        }

        var layers = ImmutableArray.CreateBuilder<BundleLayer>();
        for (var i = 0; i < manifest.Layers.Length; i++)
        {
            var blob = manifest.Layers[i];
            CheckDescriptor(blob, $"layers[{i}]", MaxLayerBytes, violation);
            foreach (var name in blob.Annotations?.Keys.Where(name => name != ModelPack.PathAnnotation) ?? [])
                violation($"layers[{i}] has the annotation '{ForeignText.Shown(name)}'; allowed is {ModelPack.PathAnnotation} alone");
            if (ModelPack.Layer(blob) is { } layer)
                layers.Add(layer);
            else
                violation(blob.Annotation(ModelPack.PathAnnotation) is null
                    ? $"layers[{i}] has no annotation {ModelPack.PathAnnotation}"
                    : $"layers[{i}] has mediaType '{blob.MediaType}', expected application/vnd.cncf.model.{{weight|weight.config|code|doc|dataset}}.v1.tar or a raw weight");
        }

        CheckPaths(layers, violation);
        if (layers.Count == manifest.Layers.Length && layers.All(layer => layer.Kind != LayerKind.Weight))
            violation("it has no weight layer");
        var documents = layers.Where(layer => layer.Kind == LayerKind.Doc && layer.Path == ModelPack.DocumentsPath).ToList();
        if (layers.Count == manifest.Layers.Length && documents.Count == 0)
            violation($"it has no doc layer at '{ModelPack.DocumentsPath}'");
        foreach (var layer in documents.Where(layer => layer.Blob.Size > MaxDocumentBytes))
            violation($"the doc layer {layer.Blob.Digest} has {layer.Blob.Size} bytes, allowed {MaxDocumentBytes}");
        return layers.ToImmutable();
    }

    private static void CheckPaths(IReadOnlyCollection<BundleLayer> layers, Action<string> violation)
    {
        foreach (var layer in layers)
        {
            try
            {
                DeterministicTar.CheckPath(layer.Path);
            }
            catch (SlipwayException e)
            {
                violation($"layer {layer.Blob.Digest}: {e.Message}");
            }
        }

        // Sorted by "path/" everything below a path follows it directly.
        var sorted = layers.Select(layer => layer.Path + "/").Order(StringComparer.Ordinal).ToList();
        for (var i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].StartsWith(sorted[i - 1], StringComparison.Ordinal))
                violation($"the layer at '{ForeignText.Shown(sorted[i].TrimEnd('/'))}' lies in the layer at '{ForeignText.Shown(sorted[i - 1].TrimEnd('/'))}'");
        }
    }

    private static void CheckDescriptor(OciDescriptor blob, string name, long maxBytes, Action<string> violation)
    {
        if (blob.Size > maxBytes)
            violation($"{name} has {blob.Size} bytes, allowed {maxBytes}");
        if (blob.ArtifactType is not null)
            violation($"{name} has an artifactType, expected none");
        foreach (var other in blob.Other?.Keys ?? Enumerable.Empty<string>())
            violation($"{name} has the unknown member '{ForeignText.Shown(other)}'");
    }
}
