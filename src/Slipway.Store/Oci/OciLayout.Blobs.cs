using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Oci;

public sealed partial class OciLayout
{
    /// <summary>Bytes moved at once: large enough for the disk's own read-ahead, small enough for the cache.</summary>
    private const int BufferBytes = 128 * 1024;

    /// <summary>A blob's mode, whatever the umask: the same as AtomicFile gives.</summary>
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Adds content from memory.</summary>
    public StoredBlob AddBlob(ReadOnlySpan<byte> content)
    {
        var digest = Digest.Of(content);
        AtomicFile.Write(BlobPath(digest), content);
        return new StoredBlob(digest, content.Length);
    }

    /// <summary>Adds a file's content.</summary>
    public StoredBlob AddBlob(string file, CancellationToken cancellation = default)
    {
        using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return AddBlob(output => CopyAll(source, output, cancellation));
    }

    /// <summary>Adds what <paramref name="write"/> writes; nothing is added when it throws.</summary>
    /// <remarks>Content that is there already is replaced by the same bytes, which mends a damaged blob.</remarks>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public StoredBlob AddBlob(Action<Stream> write)
    {
        AtomicFile.CreateFolder(BlobFolder);
        var temporary = AtomicFile.TemporaryBeside(Path.Combine(BlobFolder, "blob"));
        try
        {
            StoredBlob blob;
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                using var buffered = new BufferedStream(file, BufferBytes);
                using var hashing = new HashingStream(buffered, reading: false);
                write(hashing);
                buffered.Flush();
                blob = new StoredBlob(hashing.Finish(), hashing.Count);
            }

            File.SetUnixFileMode(temporary, Readable);
            AtomicFile.Flush(temporary);
            AtomicFile.Publish(temporary, BlobPath(blob.Digest));
            return blob;
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (AtomicFile.Explain(e, BlobFolder) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>Adds content that comes from elsewhere under the digest that it is said to have. Content with another digest is not added.</summary>
    /// <param name="maxBytes">Where to stop reading.</param>
    /// <returns><see cref="BlobState.Intact"/>, <see cref="BlobState.TooLarge"/>, or <see cref="BlobState.Changed"/> for another digest.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public async Task<BlobState> ReceiveBlobAsync(Digest digest, Stream source, long maxBytes, CancellationToken cancellation)
    {
        AtomicFile.CreateFolder(BlobFolder);
        var temporary = AtomicFile.TemporaryBeside(Path.Combine(BlobFolder, "blob"));
        try
        {
            var state = BlobState.Intact;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
            {
                await using var hashing = new HashingStream(file, reading: false);
                var buffer = new byte[BufferBytes];
                while (state == BlobState.Intact && await source.ReadAsync(buffer, cancellation) is var read and > 0)
                {
                    await hashing.WriteAsync(buffer.AsMemory(0, read), cancellation);
                    state = hashing.Count > maxBytes ? BlobState.TooLarge : state;
                }

                if (state == BlobState.Intact && hashing.Finish() != digest)
                    state = BlobState.Changed;
            }

            if (state != BlobState.Intact)
            {
                File.Delete(temporary);
                return state;
            }

            File.SetUnixFileMode(temporary, Readable);
            AtomicFile.Flush(temporary);
            AtomicFile.Publish(temporary, BlobPath(digest));
            return state;
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (AtomicFile.Explain(e, BlobFolder) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>Deletes what uploads of dead processes left behind.</summary>
    public void RemoveLeftovers() => AtomicFile.RemoveLeftovers(BlobFolder);

    /// <summary>Deletes a blob that nothing needs any more, if it is there.</summary>
    /// <exception cref="SlipwayException">No permission (exit 3).</exception>
    public void DeleteBlob(Digest digest)
    {
        try
        {
            File.Delete(BlobPath(digest));
        }
        catch (Exception e) when (AtomicFile.Explain(e, BlobFolder) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Opens a blob for reading, unverified; null when there is none, or something that is no regular file.</summary>
    public FileStream? OpenBlob(Digest digest)
    {
        var path = BlobPath(digest);
        // A pipe under a blob's name would block the open for ever.
        if (FileStamp.Of(path) is not { Kind: FileKind.File })
            return null;
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"cannot read {path}", path, Help: "make the layout readable for this user"), e);
        }
    }

    /// <summary>Reads a whole small blob and checks its digest.</summary>
    public BlobRead ReadBlob(Digest digest, long maxBytes)
    {
        using var file = OpenBlob(digest);
        if (file is null)
            return new BlobRead(BlobState.Missing, []);
        if (file.Length > maxBytes)
            return new BlobRead(BlobState.TooLarge, []);
        var bytes = new byte[file.Length];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == bytes.Length && Digest.Of(bytes) == digest ? new BlobRead(BlobState.Intact, bytes) : new BlobRead(BlobState.Changed, []);
    }

    /// <summary>Checks a blob of any size against its descriptor by streaming it.</summary>
    public BlobState CheckBlob(OciDescriptor blob, CancellationToken cancellation = default) =>
        CopyBlob(blob, Stream.Null, cancellation);

    /// <summary>Copies a blob while checking it; what was written counts only when the answer is <see cref="BlobState.Intact"/>.</summary>
    public BlobState CopyBlob(OciDescriptor blob, Stream destination, CancellationToken cancellation = default)
    {
        using var file = OpenBlob(blob.Digest);
        if (file is null)
            return BlobState.Missing;
        if (file.Length != blob.Size)
            return BlobState.WrongSize;
        using var hashing = new HashingStream(destination, reading: false);
        CopyAll(file, hashing, cancellation, blob.Size);
        return hashing.Count == blob.Size && hashing.Finish() == blob.Digest ? BlobState.Intact : BlobState.Changed;
    }

    /// <summary>Hands a blob's content to <paramref name="read"/> while checking it; what was read counts only when the answer is <see cref="BlobState.Intact"/>.</summary>
    public BlobState ReadBlob(OciDescriptor blob, Action<Stream> read, CancellationToken cancellation = default)
    {
        using var file = OpenBlob(blob.Digest);
        if (file is null)
            return BlobState.Missing;
        if (file.Length != blob.Size)
            return BlobState.WrongSize;
        using var hashing = new HashingStream(file, reading: true);
        read(hashing);
        CopyAll(hashing, Stream.Null, cancellation, blob.Size);
        return hashing.Count == blob.Size && hashing.Finish() == blob.Digest ? BlobState.Intact : BlobState.Changed;
    }

    internal string BlobPath(Digest digest) => Path.Combine(BlobFolder, digest.Hex);

    /// <param name="atMost">Where to stop in a file that grows; the count then shows it.</param>
    private static void CopyAll(Stream from, Stream to, CancellationToken cancellation, long atMost = long.MaxValue)
    {
        var buffer = new byte[BufferBytes];
        for (var total = 0L; total <= atMost;)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = from.Read(buffer);
            if (read == 0)
                return;
            to.Write(buffer, 0, read);
            total += read;
        }
    }
}

/// <summary>What is under a blob's name. Zero is a failure, so an unset state is not trust.</summary>
public enum BlobState
{
    Missing,

    /// <summary>Above the bound that the reader set.</summary>
    TooLarge,

    /// <summary>Other than its descriptor says.</summary>
    WrongSize,

    /// <summary>Its bytes have another digest than its name.</summary>
    Changed,
    Intact,
}

/// <param name="Bytes">Empty unless the blob is intact.</param>
public readonly record struct BlobRead(BlobState State, byte[] Bytes);
