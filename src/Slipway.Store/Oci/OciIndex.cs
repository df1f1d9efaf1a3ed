using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Oci;

/// <summary>A list of manifests: a layout's <c>index.json</c>, a bundle's variants by hardware under one tag, a registry's list of what is attached.</summary>
/// <remarks>Source: image-spec, image-index.md.</remarks>
/// <param name="SchemaVersion">Always 2.</param>
/// <param name="Subject">The manifest that this list is attached to; null for most.</param>
public sealed record OciIndex(
    int SchemaVersion,
    ImmutableArray<OciDescriptor> Manifests,
    string? MediaType = null,
    string? ArtifactType = null,
    OciDescriptor? Subject = null,
    ImmutableSortedDictionary<string, string>? Annotations = null)
{
    public const string IndexMediaType = "application/vnd.oci.image.index.v1+json";

    /// <summary>Of an entry: which variant of the bundle it is, a name as specs have them.</summary>
    public const string VariantAnnotation = "dev.slipway.variant";

    /// <summary>Most bytes of a layout's index that are read: some 50,000 manifests, one layout's lifetime.</summary>
    /// <remarks>One inside a layout or registry has <see cref="OciManifest.MaxBytes"/>.</remarks>
    internal const int MaxBytes = 32 * 1024 * 1024;

    private const int LongestVariant = 63;

    /// <summary>Members that the specification does not name: kept, and written again.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>The canonical bytes, whose digest is the index's name.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, OciJson.Default.OciIndex);

    /// <exception cref="JsonException">No index: what is wrong, in one sentence.</exception>
    public static OciIndex Parse(ReadOnlySpan<byte> json)
    {
        var index = OciJson.Read(json, OciJson.Default.OciIndex);
        if (index.SchemaVersion != 2)
            throw new JsonException($"schemaVersion is {index.SchemaVersion}, expected 2");
        if (index.MediaType is not (null or IndexMediaType))
            throw new JsonException($"mediaType is '{index.MediaType}', expected {IndexMediaType}");
        if (index.Manifests.IsDefault)
            throw new JsonException("manifests is missing");
        OciDescriptor.Check(index.Subject is { } subject ? [.. index.Manifests, subject] : index.Manifests);
        return index;
    }

    /// <summary>Whether a text may name a variant: a lower-case letter, then up to 62 lower-case letters, digits, '-' and '_', as names in specs.</summary>
    public static bool IsVariant(string text) =>
        text.Length is > 0 and <= LongestVariant && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    /// <summary>The variants' names, in order.</summary>
    [JsonIgnore]
    public ImmutableArray<string> Variants =>
        [.. Manifests.Select(entry => entry.Annotation(VariantAnnotation)).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>This index with a manifest as that variant, in place of the one that was; the others stay.</summary>
    internal OciIndex With(string variant, OciDescriptor manifest)
    {
        var annotations = (manifest.Annotations ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)).SetItem(VariantAnnotation, variant);
        return this with
        {
            Manifests =
            [
                .. Manifests.Where(entry => entry.Annotation(VariantAnnotation) != variant)
                    .Append(new OciDescriptor(manifest.MediaType, manifest.Digest, manifest.Size, manifest.ArtifactType, annotations))
                    .OrderBy(entry => entry.Annotation(VariantAnnotation), StringComparer.Ordinal).ThenBy(entry => entry.Digest),
            ],
        };
    }

    /// <summary>Whether it gives that variant to a manifest.</summary>
    public bool Has(string variant, Digest manifest) =>
        Manifests.Any(entry => entry.Digest == manifest && entry.Annotation(VariantAnnotation) == variant);

    /// <summary>The one manifest that is meant.</summary>
    /// <param name="variant">Null for the only one.</param>
    /// <param name="name">What names this index, for the fault.</param>
    /// <exception cref="SlipwayException">No such variant, or several and none named (exit 2).</exception>
    internal OciDescriptor Choose(string? variant, string name)
    {
        var fitting = Manifests.Where(entry => variant is null || entry.Annotation(VariantAnnotation) == variant).DistinctBy(entry => entry.Digest).ToList();
        if (fitting is [var only])
            return only;
        var known = Variants.IsEmpty
            ? "none of them is named as a variant: name one by its digest"
            : "its variants are " + string.Join(", ", Variants.Take(10).Select(each => "#" + each));
        if (variant is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "variant-missing", $"{name} names {Manifests.Length} manifests, and no variant is said",
                Help: $"add #VARIANT to the reference; {known}"));
        var nearest = NearestName.Of(variant, Variants);
        throw new SlipwayException(ExitCode.UnusableInput, fitting.Count > 1
            ? new Fault("variant-ambiguous", $"{name} gives the variant '{variant}' to {fitting.Count} manifests", Help: "name the bundle by its digest")
            : new Fault("variant-not-found", $"{name} has no variant '{variant}'", Help: nearest is null ? known : $"did you mean '#{nearest}'?"));
    }
}
