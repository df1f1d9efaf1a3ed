using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>Bytes by their digest, in <c>hh/hex</c> below one folder. An object is written once, whole, and read-only.</summary>
/// <remarks>
/// An object has its final name only after its bytes are durable. Each carries one fixed modification time, so that a stat shows
/// a later write; content is hashed again only then. Many may read at once; writers hold the project's run lock.
/// </remarks>
/// <param name="folder">Absolute path; need not exist before the first write.</param>
public sealed class ContentStore(string folder)
{
    internal const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The modification time of every object: 1980-01-01, the archives' epoch.</summary>
    internal static readonly DateTime Untouched = DateTime.UnixEpoch.AddSeconds(315_532_800);

    private const long UntouchedNanoseconds = 315_532_800L * 1_000_000_000;

    /// <summary>Where the object is, or would be.</summary>
    public string PathOf(Digest digest)
    {
        var hex = digest.Hex;
        return Path.Combine(folder, hex[..2], hex);
    }

    /// <summary>Whether an object of that name is there; says nothing of its bytes.</summary>
    public bool Contains(Digest digest) => File.Exists(PathOf(digest));

    /// <summary>Whether the object is there and nobody wrote to it: one stat, or a hash when the stat gives cause for doubt.</summary>
    /// <param name="size">Bytes that it must have.</param>
    public bool IsSound(Digest digest, long size) => FileStamp.Of(PathOf(digest), followLinks: false)?.Size == size && IsSound(digest);

    internal bool IsSound(Digest digest)
    {
        var path = PathOf(digest);
        if (FileStamp.Of(path, followLinks: false) is not { Kind: FileKind.File } stamp)
            return false;
        if (stamp.Modified == UntouchedNanoseconds)
            return true;

        // Written to, or copied here without its times.
        using (var content = File.OpenRead(path))
        {
            if (Digest.Of(content) != digest)
                return false;
        }

        try
        {
            File.SetLastWriteTimeUtc(path, Untouched);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not ours to touch: the next look costs another hash, and nothing else.
        }

        return true;
    }

    /// <param name="verify">Hashes the bytes first.</param>
    /// <exception cref="SlipwayException">Not there, or damaged (exit 2).</exception>
    public Stream OpenRead(Digest digest, bool verify = false)
    {
        FileStream stream;
        try
        {
            stream = File.OpenRead(PathOf(digest));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-object", $"the content {digest} is not in the store", Help: "run the pipeline again: the stage that made it will be repeated"), e);
        }

        if (!verify)
            return stream;
        if (Digest.Of(stream) == digest)
        {
            stream.Position = 0;
            return stream;
        }

        stream.Dispose();
        throw new SlipwayException(ExitCode.UnusableInput, new Fault("damaged-object", $"the content {digest} was changed in the store", Help: "`slipway doctor --repair` sets it aside; the next run repeats the stage that made it"));
    }

    /// <summary>The folder that has this digest.</summary>
    /// <exception cref="SlipwayException">Not there, damaged, or not a folder's (exit 2).</exception>
    public FileTree ReadTree(Digest digest)
    {
        using var stream = OpenRead(digest, verify: true);
        var json = new byte[stream.Length];
        stream.ReadExactly(json);
        try
        {
            return FileTree.Parse(json);
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("not-a-tree", $"the content {digest} does not list a folder: {e.Message}"), e);
        }
    }

    /// <summary>A private copy with permissions 0644 or 0755; never a link, so that nothing done to it reaches the store.</summary>
    /// <param name="destination">Must not exist; its folder must.</param>
    /// <param name="modified">Modification time of the copy.</param>
    public void CopyTo(Digest digest, string destination, bool executable, DateTime modified)
    {
        AtomicFile.Copy(PathOf(digest), destination);
        File.SetUnixFileMode(destination, executable ? FilePermissions.Program : FilePermissions.Plain);
        File.SetLastWriteTimeUtc(destination, modified);
    }

    /// <summary>Every object by name, unverified, in no order; what has no digest's name in its folder is left out.</summary>
    public IEnumerable<Digest> Objects() =>
        (Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : [])
            .SelectMany(Directory.EnumerateFiles)
            .Select(path => Digest.TryParse("sha256:" + Path.GetFileName(path), out var digest) && PathOf(digest) == path ? digest : (Digest?)null)
            .OfType<Digest>();

    /// <summary>Deletes an object, if it is there. Whoever calls this holds every lock that a writer takes.</summary>
    /// <exception cref="SlipwayException">No permission (exit 3).</exception>
    public void Delete(Digest digest)
    {
        try
        {
            File.Delete(PathOf(digest));
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Begins a batch of new objects, which appear together.</summary>
    public ContentBatch Begin()
    {
        AtomicFile.CreateFolder(folder);
        return new ContentBatch(this, folder);
    }

    /// <summary>Deletes what writers that died left behind.</summary>
    public void RemoveLeftovers() => AtomicFile.RemoveLeftovers(folder);
}

/// <summary>Permissions of files that Slipway hands out, whatever the umask.</summary>
public static class FilePermissions
{
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
}
