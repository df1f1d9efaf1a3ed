using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Oci;

/// <summary>What content is, by type, digest and size. Source: OCI image-spec, descriptor.md.</summary>
/// <param name="MediaType">As RFC 6838 §4.2 allows.</param>
/// <param name="Size">Bytes, at least 0.</param>
/// <param name="ArtifactType">Of a manifest that is no container image; null otherwise.</param>
public sealed record OciDescriptor(
    string MediaType,
    Digest Digest,
    long Size,
    string? ArtifactType = null,
    ImmutableSortedDictionary<string, string>? Annotations = null)
{
    /// <summary>Members that Slipway has no use for (platform, urls, data): kept when an index is written again, refused in a bundle.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }

    /// <summary>The annotation of this name, or null.</summary>
    public string? Annotation(string name) => Annotations?.GetValueOrDefault(name);

    /// <summary>Checks what the types alone do not; the serializer lets null through as an element of a list.</summary>
    /// <exception cref="JsonException">One of them is no descriptor.</exception>
    internal static void Check(IEnumerable<OciDescriptor?> descriptors)
    {
        foreach (var descriptor in descriptors)
        {
            if (descriptor is null)
                throw new JsonException("found null where a descriptor stands");
            if (descriptor.Size < 0)
                throw new JsonException($"size {descriptor.Size} is negative");
            foreach (var type in (string?[])[descriptor.MediaType, descriptor.ArtifactType])
            {
                if (type is not null && !IsMediaType(type))
                    throw new JsonException("a mediaType or artifactType is not of the form type/subtype");
            }
        }
    }

    /// <summary>RFC 6838 §4.2: type/subtype, each a letter or digit and up to 126 more of a small set.</summary>
    internal static bool IsMediaType(string text) =>
        text.Split('/') is [var type, var subtype] && IsRestrictedName(type) && IsRestrictedName(subtype);

    private static bool IsRestrictedName(string name) =>
        name.Length is > 0 and <= 127
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$&-^_.+".Contains(c));
}
