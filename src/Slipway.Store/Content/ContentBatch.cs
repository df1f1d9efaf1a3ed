using System.Security.Cryptography;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>New objects under temporary names; <see cref="Commit"/> makes all of them durable, then visible.</summary>
/// <remarks>Files are copied, not moved: a descriptor or hard link that somebody kept to the source cannot reach the object.</remarks>
public sealed class ContentBatch : IDisposable
{
    /// <summary>Bytes a read: larger ones made hashing no faster.</summary>
    private const int ReadSize = 1 << 17;

    private readonly ContentStore store;
    private readonly string folder;
    private readonly Dictionary<Digest, string> pending = [];

    internal ContentBatch(ContentStore store, string folder) => (this.store, this.folder) = (store, folder);

    /// <summary>Copies a file in, hashing while copying.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public (Digest Digest, long Size) AddFile(string path)
    {
        using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        return Add(source);
    }

    public Digest Add(ReadOnlySpan<byte> content)
    {
        using var source = new MemoryStream(content.ToArray(), writable: false);
        return Add(source).Digest;
    }

    /// <summary>Copies a folder in: every file, and the tree that lists them.</summary>
    /// <param name="shown">The folder as the user knows it, for faults.</param>
    /// <exception cref="SlipwayException">Something in it is neither file nor folder (exit 2).</exception>
    public (Digest Digest, FileTree Tree) AddFolder(string path, string shown)
    {
        var tree = FileTree.Scan(path, file => AddFile(file).Digest, shown, followLinks: false);
        return (Add(tree.ToJson()), tree);
    }

    /// <summary>Makes the bytes durable, gives them their names, makes the names durable.</summary>
    public void Commit()
    {
        if (pending.Count == 0)
            return;
        AtomicFile.FlushFileSystem(folder);
        foreach (var (digest, temporary) in pending)
        {
            var path = store.PathOf(digest);
            AtomicFile.CreateFolder(Path.GetDirectoryName(path)!);
            AtomicFile.Rename(temporary, path);
        }

        pending.Clear();
        AtomicFile.FlushFileSystem(folder);
    }

    public void Dispose()
    {
        foreach (var temporary in pending.Values)
            File.Delete(temporary);
    }

    private (Digest Digest, long Size) Add(Stream source)
    {
        var temporary = AtomicFile.TemporaryBeside(Path.Combine(folder, "object"));
        var kept = false;
        try
        {
            var (digest, size) = Copy(source, temporary);
            if (store.IsSound(digest, size) || pending.ContainsKey(digest))
                return (digest, size);
            File.SetLastWriteTimeUtc(temporary, ContentStore.Untouched);
            File.SetUnixFileMode(temporary, ContentStore.ReadOnly);
            pending.Add(digest, temporary);
            kept = true;
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

    private static (Digest Digest, long Size) Copy(Stream source, string to)
    {
        var buffer = new byte[ReadSize];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write);
        var size = 0L;
        while (source.Read(buffer) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            RandomAccess.Write(target, buffer.AsSpan(0, count), size);
            size += count;
        }

        return (new Digest(hash.GetHashAndReset()), size);
    }
}
