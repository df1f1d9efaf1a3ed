using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

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
        using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return Add(hashed => hashed.CopyFrom(source, cancellation));
    }

    /// <summary>Adds what <paramref name="write"/> writes; nothing is added when it throws.</summary>
    /// <remarks>Content that is there already is replaced by the same bytes, which mends a damaged blob.</remarks>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public StoredBlob AddBlob(Action<Stream> write) => Add(hashed => write(hashed));

    /// <summary>Adds content from a file that will not change, such as an object of the content store, without a second copy where that can be.</summary>
    /// <remarks>The bytes are hashed, once. Blob and file may share their bytes from then on: both are read-only, and whoever uses either hashes it.</remarks>
    /// <returns><see cref="BlobState.Intact"/>, or what is wrong with the file; then nothing was added.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public BlobState AdoptBlob(StoredBlob blob, string file, CancellationToken cancellation = default)
    {
        if (FileStamp.Of(file) is not { Kind: FileKind.File } stamp)
            return BlobState.Missing;
        if (stamp.Size != blob.Size)
            return BlobState.WrongSize;
        using (var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan))
        {
            using var hashing = new HashingStream(content);
            CopyAll(hashing, Stream.Null, cancellation);
            if (hashing.Finish() != blob.Digest)
                return BlobState.Changed;
        }

        if (FileStamp.Of(BlobPath(blob.Digest)) is { } there && (there.Inode, there.Device) == (stamp.Inode, stamp.Device))
            return BlobState.Intact;
        var added = Publish(temporary =>
        {
            if (!AtomicFile.TryShare(file, temporary))
                return Copy(file, temporary, cancellation) is var copied && copied == blob ? copied : null;
            File.SetUnixFileMode(temporary, ContentStore.ReadOnly);
            AtomicFile.Flush(temporary);
            return blob;
        });
        return added is null ? BlobState.Changed : BlobState.Intact;
    }

    /// <summary>Adds content that comes from elsewhere under the digest that it is said to have. Content with another digest is not added.</summary>
    /// <param name="maxBytes">Where to stop reading.</param>
    /// <returns><see cref="BlobState.Intact"/>, <see cref="BlobState.TooLarge"/>, or <see cref="BlobState.Changed"/> for another digest.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public async Task<BlobState> ReceiveBlobAsync(Digest digest, Stream source, long maxBytes, CancellationToken cancellation)
    {
        var temporary = NewTemporary();
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                await using var hashed = new HashedFile(file);
                await hashed.CopyFromAsync(source, cancellation, maxBytes);
                if (hashed.Count > maxBytes)
                    return BlobState.TooLarge;
                if (Finish(hashed, file).Digest != digest)
                    return BlobState.Changed;
            }

            AtomicFile.Publish(temporary, BlobPath(digest));
            return BlobState.Intact;
        }
        catch (Exception e) when (AtomicFile.Explain(e, BlobFolder) is { } explained)
        {
            throw explained;
        }
        finally
        {
            File.Delete(temporary);
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
        using var hashing = new HashingStream(file);
        CopyAll(hashing, destination, cancellation, blob.Size);
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
        using var hashing = new HashingStream(file);
        read(hashing);
        CopyAll(hashing, Stream.Null, cancellation, blob.Size);
        return hashing.Count == blob.Size && hashing.Finish() == blob.Digest ? BlobState.Intact : BlobState.Changed;
    }

    private StoredBlob Add(Action<HashedFile> write) => Publish(temporary =>
    {
        using var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write);
        using var hashed = new HashedFile(file);
        write(hashed);
        return Finish(hashed, file);
    })!.Value;

    /// <summary>Makes a blob under a temporary name, then gives it its own; one that comes out as null is not published.</summary>
    private StoredBlob? Publish(Func<string, StoredBlob?> make)
    {
        var temporary = NewTemporary();
        try
        {
            if (make(temporary) is not { } blob)
                return null;
            AtomicFile.Publish(temporary, BlobPath(blob.Digest));
            return blob;
        }
        catch (Exception e) when (AtomicFile.Explain(e, BlobFolder) is { } explained)
        {
            throw explained;
        }
        finally
        {
            // It is still there after a failure, and where it was another name of the blob itself.
            File.Delete(temporary);
        }
    }

    private string NewTemporary()
    {
        AtomicFile.CreateFolder(BlobFolder);
        return AtomicFile.TemporaryBeside(Path.Combine(BlobFolder, "blob"));
    }

    private static StoredBlob Copy(string file, string to, CancellationToken cancellation)
    {
        using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write);
        using var hashed = new HashedFile(target);
        hashed.CopyFrom(source, cancellation);
        return Finish(hashed, target);
    }

    /// <summary>Whole and durable, with a blob's mode, under its temporary name still.</summary>
    private static StoredBlob Finish(HashedFile hashed, SafeFileHandle file)
    {
        var (digest, size) = hashed.Finish();
        File.SetUnixFileMode(file, Readable);
        AtomicFile.Flush(file, "a blob");
        return new StoredBlob(digest, size);
    }

    /// <summary>Where the blob is, or would be.</summary>
    public string BlobPath(Digest digest) => Path.Combine(BlobFolder, digest.Hex);

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
