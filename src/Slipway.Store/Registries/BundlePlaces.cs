using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>Where a bundle is copied from: a layout, a registry, a server. What it gives is checked by who takes it.</summary>
public interface IBundleSource
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>The repository, where blobs may be taken over without sending them; null where there is none.</summary>
    RegistryReference? Repository { get; }

    /// <summary>The bytes of a manifest or index, of this digest.</summary>
    /// <exception cref="SlipwayException">Not there (exit 2), something else (exit 1), or no answer (exit 3).</exception>
    Task<ReadOnlyMemory<byte>> ReadManifestAsync(Digest manifest, CancellationToken cancellation);

    /// <summary>The manifests that are attached to one.</summary>
    Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation);

    /// <summary>A blob's bytes from a position on, not yet checked; may end after one byte too many.</summary>
    /// <exception cref="SlipwayException">Not there (exit 2), or no answer (exit 3).</exception>
    Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation);
}

/// <summary>Where a bundle is copied to: a layout or a registry. Blobs come first, in any order; then all manifests at once.</summary>
public interface IBundleTarget
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>Held from the first blob until all manifests are visible: keeps what is not needed by anything yet.</summary>
    /// <exception cref="SlipwayException">A layout stays locked (exit 3).</exception>
    IDisposable? BeginWriting(CancellationToken cancellation);

    /// <exception cref="SlipwayException">No answer (exit 3).</exception>
    Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation);

    /// <summary>Takes a blob whole and with the right digest, or not at all.</summary>
    /// <param name="progress">Told the bytes of each piece that came.</param>
    /// <returns>Whether it was taken over from another repository, and no byte sent.</returns>
    /// <exception cref="SlipwayException">It is something else than its digest says (exit 1); no room, no answer (exit 3).</exception>
    Task<bool> TakeBlobAsync(OciDescriptor blob, IBundleSource from, Action<long> progress, CancellationToken cancellation);

    /// <summary>Makes the manifests visible, whose blobs are all there, and last the tag.</summary>
    /// <param name="manifests">In an order in which each comes after what it refers to, but for its subject.</param>
    /// <param name="root">The one that gets the tag.</param>
    /// <param name="tag">Null for none.</param>
    /// <param name="replace">Whether the tag may have named a list of variants before where it gets a bundle now, or the other way round.</param>
    Task PublishAsync(IReadOnlyList<PlannedManifest> manifests, PlannedManifest root, string? tag, bool replace, CancellationToken cancellation);
}

/// <summary>A layout as either end.</summary>
public sealed class LayoutPlace(OciLayout layout) : IBundleSource, IBundleTarget
{
    public string Name => layout.Folder;

    public RegistryReference? Repository => null;

    public OciLayout Layout => layout;

    public Task<ReadOnlyMemory<byte>> ReadManifestAsync(Digest manifest, CancellationToken cancellation)
    {
        var read = layout.ReadBlob(manifest, OciManifest.MaxBytes);
        return read.State switch
        {
            BlobState.Intact => Task.FromResult<ReadOnlyMemory<byte>>(read.Bytes),
            BlobState.Missing => throw new SlipwayException(ExitCode.UnusableInput, new Fault("manifest-missing", $"manifest {manifest} is not in {layout.Folder}", layout.Folder, Help: "index.json names what is there")),
            _ => throw RegistryFault.Wrong($"manifest {manifest} in {layout.Folder} was changed: its bytes have another digest"),
        };
    }

    public Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<Digest>>([.. layout.Referrers(subject).Select(referrer => referrer.Entry.Digest)]);

    public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation)
    {
        var file = layout.OpenBlob(blob.Digest) ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("blob-missing", $"blob {blob.Digest} is not in {layout.Folder}", layout.Folder, Help: "fetch the bundle again from where it was sealed"));
        file.Position = offset;
        return Task.FromResult<Stream>(file);
    }

    public IDisposable? BeginWriting(CancellationToken cancellation) => layout.BeginWriting(cancellation);

    /// <remarks>Its bytes are hashed, so that a blob that was changed here is fetched again.</remarks>
    public Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation) =>
        Task.Run(() => layout.CheckBlob(blob, cancellation) == BlobState.Intact, cancellation);

    public async Task<bool> TakeBlobAsync(OciDescriptor blob, IBundleSource from, Action<long> progress, CancellationToken cancellation)
    {
        await using var source = new CountedStream(await from.OpenBlobAsync(blob, 0, cancellation), progress);
        return await layout.ReceiveBlobAsync(blob.Digest, source, blob.Size, cancellation) switch
        {
            BlobState.Intact when source.Count == blob.Size => false,
            BlobState.Intact => throw RegistryFault.Wrong($"blob {blob.Digest} has {source.Count} bytes, and its manifest says {blob.Size}"),
            BlobState.TooLarge => throw RegistryFault.Wrong($"{from.Name} has more than the {blob.Size} bytes for blob {blob.Digest} that its manifest says"),
            _ => throw RegistryFault.Wrong($"what {from.Name} has as blob {blob.Digest} has another digest"),
        };
    }

    public Task PublishAsync(IReadOnlyList<PlannedManifest> manifests, PlannedManifest root, string? tag, bool replace, CancellationToken cancellation)
    {
        layout.PutAll(manifests.Select(manifest => manifest.Bytes), root.Digest, tag, replace, cancellation);
        return Task.CompletedTask;
    }
}

/// <summary>A registry's repository as either end.</summary>
public sealed class RegistryPlace(RegistryClient client) : IBundleSource, IBundleTarget
{
    public string Name => client.Place.Name;

    public RegistryReference? Repository => client.Place;

    public async Task<ReadOnlyMemory<byte>> ReadManifestAsync(Digest manifest, CancellationToken cancellation) =>
        (await client.GetManifestAsync(manifest.ToString(), cancellation))?.Bytes
        ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("manifest-missing", $"manifest {manifest} is not in {Name}", Help: "push it again; `slipway tags` lists what is there"));

    public async Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
        [.. (await client.ReferrersAsync(subject, cancellation)).Select(entry => entry.Digest)];

    public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation) => Task.FromResult(client.OpenBlob(blob, offset));

    /// <remarks>A registry keeps what is not needed for hours at least.</remarks>
    public IDisposable? BeginWriting(CancellationToken cancellation) => null;

    public Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation) => client.HasBlobAsync(blob, cancellation);

    public Task<bool> TakeBlobAsync(OciDescriptor blob, IBundleSource from, Action<long> progress, CancellationToken cancellation) =>
        client.UploadAsync(blob, (offset, stop) => from.OpenBlobAsync(blob, offset, stop), from.Repository, progress, cancellation);

    public async Task PublishAsync(IReadOnlyList<PlannedManifest> manifests, PlannedManifest root, string? tag, bool replace, CancellationToken cancellation)
    {
        if (tag is not null && !replace && await client.FindManifestAsync(tag, cancellation) is { } before)
            OciVariants.RequireKind(before.MediaType, root.MediaType, tag, Name);
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

/// <summary>Counts what is read through it.</summary>
internal sealed class CountedStream(Stream inner, Action<long> progress) : Stream
{
    public long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Count += read;
        progress(read);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
