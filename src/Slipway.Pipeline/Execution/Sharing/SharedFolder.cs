using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>Entries in a folder, perhaps on a network file system: blobs as in an OCI layout, and a manifest a file below <c>steps</c>.</summary>
/// <remarks>
/// Every file gets its name when it is whole, and is never changed: many may write at once, without a lock, which network file systems keep badly. The layout's
/// index is not used: it would be written again for each entry.
/// </remarks>
/// <param name="folder">Absolute path.</param>
/// <param name="isMade">Whether the folder is made where there is none: by whoever may write there.</param>
internal sealed class SharedFolder(string folder, bool isMade) : IStepPlace
{
    private readonly Lock making = new();
    private OciLayout? layout;

    public string Name => folder;

    public Task<ReadOnlyMemory<byte>?> FindAsync(Digest key, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder) && !isMade)
            throw new SlipwayException(ExitCode.NotThere, new Fault("cache-missing", $"there is no folder {folder}", Help: "is it mounted? a run with --cache-push makes it"));
        try
        {
            var path = PathOf(key);
            // A pipe would block the open for ever.
            if (FileStamp.Of(path) is not { Kind: FileKind.File } stamp)
                return Task.FromResult<ReadOnlyMemory<byte>?>(null);
            if (stamp.Size > OciManifest.MaxBytes)
                throw StepEntry.Refused("cache-entry-large", $"its manifest has {stamp.Size} bytes, allowed {OciManifest.MaxBytes}");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var bytes = new byte[stamp.Size];
            return Task.FromResult<ReadOnlyMemory<byte>?>(bytes.AsMemory(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<ReadOnlyMemory<byte>?>(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
    }

    public Stream OpenBlob(OciDescriptor blob)
    {
        try
        {
            return OciLayout.Open(folder).OpenBlob(blob.Digest)
                ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("blob-missing", $"{folder} has no blob {blob.Digest}, which an entry names"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
    }

    public async Task SendBlobAsync(OciDescriptor blob, Func<Stream> open, bool anew, CancellationToken cancellation)
    {
        var target = Made();
        if (anew ? target.CheckBlob(blob, cancellation) == BlobState.Intact : FileStamp.Of(target.BlobPath(blob.Digest)) is { Kind: FileKind.File } stamp && stamp.Size == blob.Size)
            return;
        await using var content = open();
        if (await target.ReceiveBlobAsync(blob.Digest, content, blob.Size, cancellation) != BlobState.Intact)
            throw StepEntry.Refused("blob-edited", $"the content {blob.Digest} is not what its digest says: it was not sent");
    }

    public Task PublishAsync(Digest key, ReadOnlyMemory<byte> manifest, CancellationToken cancellation)
    {
        AtomicFile.CreateFolder(Path.GetDirectoryName(PathOf(key))!);
        AtomicFile.Write(PathOf(key), manifest.Span);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        // Nothing is held open.
    }

    private string PathOf(Digest key) => Path.Combine(folder, "steps", key.Hex);

    private OciLayout Made()
    {
        lock (making)
            return layout ??= OciLayout.Create(folder);
    }

    private SlipwayException Unreadable(Exception e) =>
        new(ExitCode.NotThere, new Fault("cache-unreadable", $"{folder} cannot be read: {e.Message}", Help: "make it readable for this user, or name another one"), e);
}
