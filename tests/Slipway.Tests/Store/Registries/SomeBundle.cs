using System.Collections.Immutable;
using System.Security.Cryptography;
using Slipway.Store.Oci;

namespace Slipway.Tests.Store.Registries;

/// <summary>A manifest with layers, and manifests that are attached to it, in a layout.</summary>
internal static class SomeBundle
{
    /// <summary>Bytes that are different for every seed, and the same for the same.</summary>
    public static byte[] Bytes(int count, int seed = 0)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i += 32)
            SHA256.HashData(BitConverter.GetBytes((long)seed << 32 | (uint)i)).AsSpan(0, Math.Min(32, count - i)).CopyTo(bytes.AsSpan(i));
        return bytes;
    }

    public static OciDescriptor Put(OciLayout layout, string? tag, int seed = 0, int layerBytes = 100_000)
    {
        var config = layout.AddBlob(Bytes(200, seed + 1000)).As("application/vnd.cncf.model.config.v1+json");
        var layers = new[] { layerBytes, 1000, 0 }.Select((size, i) => layout.AddBlob(Bytes(size, seed * 10 + i)).As("application/vnd.cncf.model.weight.v1.tar")).ToImmutableArray();
        return layout.PutManifest(new OciManifest(2, config, layers, OciManifest.ManifestMediaType, "application/vnd.cncf.model.manifest.v1+json"), tag);
    }

    public static OciDescriptor Attach(OciLayout layout, OciDescriptor subject, int seed)
    {
        var config = layout.AddBlob("{}"u8).As(OciManifest.EmptyMediaType);
        var annotations = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("dev.sigstore.bundle.content", "dsse-envelope");
        return layout.PutManifest(new OciManifest(
            2, config, [layout.AddBlob(Bytes(500, seed + 5000)).As("application/vnd.dev.sigstore.bundle.v0.3+json")], OciManifest.ManifestMediaType, "application/vnd.dev.sigstore.bundle.v0.3+json",
            new OciDescriptor(subject.MediaType, subject.Digest, subject.Size), annotations));
    }
}
