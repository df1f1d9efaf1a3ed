using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Oci;

/// <summary>An OCI image manifest, the one envelope for bundles and for what is attached to them. Source: image-spec, manifest.md.</summary>
/// <param name="SchemaVersion">Always 2.</param>
/// <param name="Layers">At least one.</param>
/// <param name="Subject">The manifest that this one is attached to; null for a bundle.</param>
public sealed record OciManifest(
    int SchemaVersion,
    OciDescriptor Config,
    ImmutableArray<OciDescriptor> Layers,
    string? MediaType = null,
    string? ArtifactType = null,
    OciDescriptor? Subject = null,
    ImmutableSortedDictionary<string, string>? Annotations = null)
{
    public const string ManifestMediaType = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>Config of an artifact that has none; its content is <c>{}</c>.</summary>
    public const string EmptyMediaType = "application/vnd.oci.empty.v1+json";

    /// <summary>Most bytes of a manifest that are read: what registries accept, and 10,000 layers' worth.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Members that the specification does not name: kept for the reader, refused in a bundle.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>Everything that this manifest refers to below itself: config, then layers.</summary>
    [JsonIgnore]
    public IEnumerable<OciDescriptor> Blobs => [Config, .. Layers];

    /// <summary>The canonical bytes, whose digest is the manifest's name.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, OciJson.Default.OciManifest);

    /// <summary>Reads any conforming manifest; unknown members land in <see cref="Other"/>.</summary>
    /// <exception cref="JsonException">No manifest: what is wrong, in one sentence. Digests other than sha256 are refused.</exception>
    public static OciManifest Parse(ReadOnlySpan<byte> json)
    {
        var manifest = OciJson.Read(json, OciJson.Default.OciManifest);
        if (manifest.SchemaVersion != 2)
            throw new JsonException($"schemaVersion is {manifest.SchemaVersion}, expected 2");
        if (manifest.MediaType is not (null or ManifestMediaType))
            throw new JsonException($"mediaType is '{manifest.MediaType}', expected {ManifestMediaType}");
        if (manifest.Layers.IsDefaultOrEmpty)
            throw new JsonException("layers is empty, expected at least one");
        OciDescriptor.Check(manifest.Subject is { } subject ? [.. manifest.Blobs, subject] : manifest.Blobs);
        return manifest;
    }
}
