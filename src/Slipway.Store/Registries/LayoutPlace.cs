using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>A layout as either end.</summary>
public sealed class LayoutPlace(OciLayout layout) : IBundleSource, IBundleTarget
{
    public string Name => layout.Folder;

    public RegistryReference? Repository => null;

    public OciLayout Layout => layout;

    /// <summary>Whether a tag that names something else already is refused, unless it may be replaced; without it the tag moves.</summary>
    public bool KeepsTags { get; init; }

    public Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation)
    {
        var read = layout.ReadBlob(manifest, OciManifest.MaxBytes);
        return read.State switch
        {
            BlobState.Intact => Task.FromResult<ReadOnlyMemory<byte>?>(read.Bytes),
            BlobState.Missing => throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "manifest-missing", $"manifest {manifest} is not in {layout.Folder}", layout.Folder, Help: "index.json names what is there")),
            _ => throw RegistryFault.Wrong($"manifest {manifest} in {layout.Folder} was changed: its bytes have another digest"),
        };
    }

    public Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
        Task.FromResult<ImmutableArray<Digest>>([.. layout.Referrers(subject).Select(referrer => referrer.Entry.Digest)]);

    public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation)
    {
        var file = layout.OpenBlob(blob.Digest) ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault(
            "blob-missing", $"blob {blob.Digest} is not in {layout.Folder}", layout.Folder, Help: "fetch the bundle again from where it was sealed"));
        file.Position = offset;
        return Task.FromResult<Stream>(file);
    }

    public IDisposable? BeginWriting(CancellationToken cancellation) => layout.BeginWriting(cancellation);

    public Task<Digest?> CheckTagAsync(PlannedManifest root, string tag, bool replace, CancellationToken cancellation)
    {
        var before = layout.Tags().GetValueOrDefault(tag);
        if (before is not null && !replace)
        {
            OciVariants.RequireKind(before.MediaType, root.MediaType, tag, Name);
            if (KeepsTags)
                OciVariants.RequireSame(before.Digest, root.Digest, tag, Name);
        }

        return Task.FromResult(before?.Digest);
    }

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
        layout.PutAll(manifests.Select(manifest => manifest.Bytes), root.Digest, tag, replace, cancellation, mayMove: !KeepsTags);
        return Task.CompletedTask;
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
