using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>Entries in a registry: manifests under the tag <c>step-HEX</c>.</summary>
internal sealed class SharedRepository(RegistryClient client) : IStepPlace
{
    public string Name => client.Place.Name;

    public async Task<ReadOnlyMemory<byte>?> FindAsync(Digest key, CancellationToken cancellation) => (await client.GetManifestAsync(TagOf(key), cancellation))?.Bytes;

    public Stream OpenBlob(OciDescriptor blob) => client.OpenBlob(blob);

    /// <remarks>A registry names blobs by what it computed itself: there is nothing to look at anew.</remarks>
    public async Task SendBlobAsync(OciDescriptor blob, Func<Stream> open, bool anew, CancellationToken cancellation)
    {
        if (!await client.HasBlobAsync(blob, cancellation))
            await client.UploadAsync(blob, OpenAt, from: null, _ => { }, cancellation);

        Task<Stream> OpenAt(long position, CancellationToken stop)
        {
            var content = open();
            content.Position = position;
            return Task.FromResult(content);
        }
    }

    public async Task PublishAsync(Digest key, ReadOnlyMemory<byte> manifest, CancellationToken cancellation) =>
        await client.PutManifestAsync(TagOf(key), OciManifest.ManifestMediaType, manifest, cancellation);

    public void Dispose() => client.Dispose();

    private static string TagOf(Digest key) => "step-" + key.Hex;
}
