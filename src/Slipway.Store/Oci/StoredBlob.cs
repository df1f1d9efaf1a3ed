using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Oci;

/// <summary>Content that a layout holds.</summary>
/// <param name="Size">Bytes.</param>
public readonly record struct StoredBlob(Digest Digest, long Size)
{
    /// <summary>The same as a manifest refers to it.</summary>
    public OciDescriptor As(string mediaType, ImmutableSortedDictionary<string, string>? annotations = null) =>
        new(mediaType, Digest, Size, null, annotations);
}
