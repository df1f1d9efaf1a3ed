using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>New objects under temporary names; <see cref="Commit"/> makes all of them durable, then visible.</summary>
/// <remarks>Files are copied, not moved: a descriptor or hard link that somebody kept to the source cannot reach the object.</remarks>
public sealed class ContentBatch : IDisposable
{
    /// <summary>Bytes of a file that is hashed before it is written: what the store has already is not written at all.</summary>
    private const int HashedFirst = 64 << 10;

    /// <summary>Up to so many objects are flushed one by one; of more, the whole file system is, which also waits for what others wrote to it.</summary>
    private const int FlushedOneByOne = 32;

    private readonly ContentStore store;
    private readonly string folder;
    /// <summary>By digest the temporary name in the store's folder: there may be hundreds of thousands.</summary>
    private readonly ConcurrentDictionary<Digest, string> pending = [];

    internal ContentBatch(ContentStore store, string folder) => (this.store, this.folder) = (store, folder);

    /// <summary>Copies a file in, hashing while copying.</summary>
    /// <param name="shown">The file as the user knows it, for faults.</param>
    /// <exception cref="SlipwayException">No space, no permission for the store (exit 3); the file cannot be read (exit 2).</exception>
    public (Digest Digest, long Size) AddFile(string path, string shown)
    {
        using var source = Open(path, shown);
        if (source.Length <= HashedFirst && Small(source) is { } content)
        {
            var digest = Digest.Of(content);
            return store.IsSound(digest, content.Length) ? (digest, content.Length) : Add(hashed => hashed.Write(content));
        }

        source.Position = 0;
        return Add(hashed => hashed.CopyFrom(source));
    }

    /// <remarks>Told here: further out it could not be told from a store that cannot be written.</remarks>
    private static FileStream Open(string path, string shown)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("unreadable-output", $"{shown} may not be read by this user", Help: "let what writes it leave it readable"), e);
        }
    }

    /// <returns>Null when its length is not what it was.</returns>
    private static byte[]? Small(FileStream source)
    {
        var content = new byte[source.Length];
        return source.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) == content.Length && source.ReadByte() < 0 ? content : null;
    }

    public Digest Add(ReadOnlySpan<byte> content)
    {
        var copy = content.ToArray();
        return Add(hashed => hashed.Write(copy)).Digest;
    }

    /// <summary>Copies a folder in: every file, and the tree that lists them. Several files at a time.</summary>
    /// <param name="shown">The folder as the user knows it, for faults.</param>
    /// <returns>The tree's digest, and the bytes of all files.</returns>
    /// <exception cref="SlipwayException">Something in it is neither file nor folder, or cannot be read (exit 2).</exception>
    public (Digest Digest, long Size) AddFolder(string path, string shown)
    {
        var size = 0L;
        var (digest, _) = Add(hashed =>
        {
            var tree = new FileTreeWriter(hashed.Write);
            foreach (var file in FileTree.Walk(path, (file, _) => AddFile(file, Path.Join(shown, Path.GetRelativePath(path, file))).Digest, shown, followLinks: false))
            {
                tree.Add(file);
                size += file.Size;
            }

            tree.Finish();
        });
        return (digest, size);
    }

    /// <summary>Takes content that comes from elsewhere under the digest and size that it is said to have. Anything else is not taken.</summary>
    /// <returns>Whether it was what it was said to be.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3); whatever the source throws.</exception>
    public async Task<bool> ReceiveAsync(Digest digest, long size, Stream source, CancellationToken cancellation)
    {
        var temporary = AtomicFile.TemporaryBeside(Path.Combine(folder, "object"));
        var kept = false;
        try
        {
            using var target = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write);
            await using var hashed = new HashedFile(target);
            await hashed.CopyFromAsync(source, cancellation, size);
            if (hashed.Count != size || hashed.Finish().Digest != digest)
                return false;
            kept = Keep(target, digest, temporary);
            return true;
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
        finally
        {
            if (!kept)
                File.Delete(temporary);
        }
    }

    /// <summary>Makes the bytes durable, gives them their names, makes the names durable.</summary>
    public void Commit()
    {
        if (pending.IsEmpty)
            return;
        var few = pending.Count <= FlushedOneByOne;
        if (few)
            Parallel.ForEach(pending.Values, name => AtomicFile.Flush(Path.Combine(folder, name)));
        else
            AtomicFile.FlushFileSystem(folder);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (digest, temporary) in pending)
        {
            var path = store.PathOf(digest);
            var parent = Path.GetDirectoryName(path)!;
            if (folders.Add(parent))
                AtomicFile.CreateFolder(parent);
            AtomicFile.Rename(Path.Combine(folder, temporary), path);
        }

        pending.Clear();
        if (!few)
        {
            AtomicFile.FlushFileSystem(folder);
            return;
        }

        foreach (var parent in folders.Append(folder))
            AtomicFile.FlushFolder(parent);
    }

    public void Dispose()
    {
        foreach (var temporary in pending.Values)
            File.Delete(Path.Combine(folder, temporary));
    }

    private (Digest Digest, long Size) Add(Action<HashedFile> write)
    {
        var temporary = AtomicFile.TemporaryBeside(Path.Combine(folder, "object"));
        var kept = false;
        try
        {
            using var target = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write);
            using var hashed = new HashedFile(target);
            write(hashed);
            var (digest, size) = hashed.Finish();
            if (store.IsSound(digest, size))
                return (digest, size);
            kept = Keep(target, digest, temporary);
            return (digest, size);
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
        finally
        {
            if (!kept)
                File.Delete(temporary);
        }
    }

    /// <returns>False where the batch has the same content already.</returns>
    private bool Keep(SafeFileHandle target, Digest digest, string temporary)
    {
        File.SetLastWriteTimeUtc(target, ContentStore.Untouched);
        File.SetUnixFileMode(target, ContentStore.ReadOnly);
        return pending.TryAdd(digest, Path.GetFileName(temporary));
    }
}
