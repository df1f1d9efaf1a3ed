using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>A registry's repository as either end.</summary>
public sealed class RegistryPlace(RegistryClient client) : IBundleSource, IBundleTarget
{
    public string Name => client.Place.Name;

    public RegistryReference? Repository => client.Place;

    public async Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation) =>
        (await client.GetManifestAsync(manifest.ToString(), cancellation))?.Bytes;

    public async Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
        [.. (await client.ReferrersAsync(subject, cancellation)).Select(entry => entry.Digest)];

    public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation) => Task.FromResult(client.OpenBlob(blob, offset));

    /// <remarks>A registry keeps what is not needed for hours at least.</remarks>
    public IDisposable? BeginWriting(CancellationToken cancellation) => null;

    public async Task<Digest?> CheckTagAsync(PlannedManifest root, string tag, bool replace, CancellationToken cancellation)
    {
        var before = await client.FindManifestAsync(tag, cancellation);
        if (before is not null && !replace)
            OciVariants.RequireKind(before.MediaType, root.MediaType, tag, Name);
        return before?.Digest;
    }

    public Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation) => client.HasBlobAsync(blob, cancellation);

    public Task<bool> TakeBlobAsync(OciDescriptor blob, IBundleSource from, Action<long> progress, CancellationToken cancellation) =>
        client.UploadAsync(blob, (offset, stop) => from.OpenBlobAsync(blob, offset, stop), from.Repository, progress, cancellation);

    public async Task PublishAsync(IReadOnlyList<PlannedManifest> manifests, PlannedManifest root, string? tag, bool replace, CancellationToken cancellation)
    {
        if (tag is not null)
            await CheckTagAsync(root, tag, replace, cancellation);
        foreach (var manifest in manifests.Where(manifest => manifest.Subject is null))
            await PutAsync(manifest, cancellation);
        foreach (var attached in manifests.Where(manifest => manifest.Subject is not null).GroupBy(manifest => manifest.Subject!.Value))
        {
            // Listed is what counts: a manifest may be there from a push that was ended before it was listed.
            var listed = (await client.ReferrersAsync(attached.Key, cancellation)).Select(entry => entry.Digest).ToHashSet();
            var unlisted = new List<OciDescriptor>();
            foreach (var manifest in attached.Where(manifest => !listed.Contains(manifest.Digest)))
            {
                var (_, subject) = await client.PutManifestAsync(manifest.Digest.ToString(), manifest.MediaType, manifest.Bytes, cancellation);
                if (subject != attached.Key)
                    unlisted.Add(manifest.AsReferrer());
            }

            if (unlisted.Count > 0)
                await client.ListReferrersAsync(attached.Key, unlisted, cancellation);
        }

        if (tag is not null && (await client.FindManifestAsync(tag, cancellation))?.Digest != root.Digest)
            await client.PutManifestAsync(tag, root.MediaType, root.Bytes, cancellation);
    }

    private async Task PutAsync(PlannedManifest manifest, CancellationToken cancellation)
    {
        if (await client.FindManifestAsync(manifest.Digest.ToString(), cancellation) is null)
            await client.PutManifestAsync(manifest.Digest.ToString(), manifest.MediaType, manifest.Bytes, cancellation);
    }
}
