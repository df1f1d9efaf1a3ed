using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>Digests of the user's files by path and stamp, so that an unchanged file is not read again.</summary>
/// <remarks>
/// As git's index: an entry is believed only while the file's stamp is the same, and is made only when the content was read
/// later than the file system's clock could tick without showing it. A cache: a missing, damaged or foreign index is an empty one.
/// Thread-safe; two processes that save leave the entries of the later one.
/// </remarks>
public sealed partial class DigestIndex
{
    /// <summary>Above so many entries, of 88 bytes each, those go that this process did not ask for: a file that is gone must not cost every later look something.</summary>
    private const int MostUnasked = 100_000;

    /// <summary>Entries at most that are kept for the next process: as many as a folder may have files. A longer index is not ours.</summary>
    private const int MaximumEntries = 1_000_000;

    /// <summary>Reads of one file before it counts as being written to all the time.</summary>
    private const int MaximumReads = 5;

    /// <summary>Bytes a read: larger ones made hashing no faster.</summary>
    private const int ReadSize = 1 << 17;

    private readonly string indexFile;
    private readonly TimeProvider clock;
    private readonly Lock guard = new();
    private readonly Dictionary<PathHash, Entry> entries = [];
    private bool changed;

    private DigestIndex(string indexFile, TimeProvider clock) => (this.indexFile, this.clock) = (indexFile, clock);

    /// <param name="indexFile">Where it is kept; need not exist.</param>
    /// <param name="clock">The one that stamps files; the system's when null.</param>
    public static DigestIndex Open(string indexFile, TimeProvider? clock = null)
    {
        var index = new DigestIndex(indexFile, clock ?? TimeProvider.System);
        try
        {
            index.Load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            index.entries.Clear();
        }

        return index;
    }

    /// <summary>As <see cref="Of(string)"/>, for a file that the caller has just looked at: an unchanged one is not looked at again.</summary>
    public Digest Of(string absolutePath, FileStamp seen) => Known(absolutePath, seen) ?? Of(absolutePath);

    /// <summary>The digest of the file's content now; links are followed.</summary>
    /// <param name="absolutePath">Of a regular file.</param>
    /// <remarks>A file that was written to within the last 20 ms is read that much later, so that nothing can slip in unseen.</remarks>
    /// <exception cref="SlipwayException">Missing, not a file, or written to all the time (exit 2); not readable (exit 3).</exception>
    public Digest Of(string absolutePath)
    {
        for (var read = 0; read < MaximumReads; read++)
        {
            var look = Now();
            var stamp = Look(absolutePath);
            if (Known(absolutePath, stamp) is { } known)
                return known;

            // A stamp of the future stays racy however long one waits: read at once, and remember nothing.
            if (stamp.IsRacy(look) && !stamp.IsRacy(look + 2 * FileStamp.Granularity))
            {
                Thread.Sleep(TimeSpan.FromMilliseconds((double)FileStamp.Granularity * 2 / 1_000_000));
                look = Now();
                if (Look(absolutePath) != stamp)
                    continue;
            }

            var digest = Read(absolutePath);
            if (Look(absolutePath) != stamp)
                continue;
            if (!stamp.IsRacy(look))
                Remember(new Entry(PathHash.Of(absolutePath), stamp, digest).Asked());
            return digest;
        }

        throw new SlipwayException(ExitCode.UnusableInput, new Fault("changing-file", $"{absolutePath} changed each of the {MaximumReads} times it was read", Help: "wait until whatever writes it has finished, then run again"));
    }

    /// <summary>Writes the index if anything changed since it was opened or saved.</summary>
    /// <remarks>Without space or permission it stays as it was: that costs some hashing next time, and must not hide what else went wrong.</remarks>
    public void Save() => Save(MostUnasked);

    internal void Save(int mostUnasked)
    {
        byte[] content;
        lock (guard)
        {
            if (!changed)
                return;
            content = Encode(mostUnasked);
            changed = false;
        }

        try
        {
            AtomicFile.Write(indexFile, content);
        }
        catch (Exception e) when (e is SlipwayException or IOException)
        {
            // A cache: see above.
        }
    }

    private Digest? Known(string path, FileStamp stamp)
    {
        var hash = PathHash.Of(path);
        lock (guard)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(entries, hash);
            if (Unsafe.IsNullRef(ref known) || !known.IsOf(stamp))
                return null;
            if (!known.IsAsked)
                known = known.Asked();
            return known.Digest;
        }
    }

    private void Remember(Entry entry)
    {
        lock (guard)
        {
            entries[entry.Path] = entry;
            changed = true;
        }
    }

    private long Now() => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static FileStamp Look(string path)
    {
        FileStamp? stamp;
        try
        {
            stamp = FileStamp.Of(path);
        }
        catch (SlipwayException e)
        {
            throw Unreadable(path, e);
        }
        catch (IOException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("unreadable-file", $"{path} cannot be looked at: {e.Message}"), e);
        }

        return stamp switch
        {
            null => throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-file", $"{path} is not there")),
            { Kind: FileKind.File } file => file,
            { Kind: var kind } => throw new SlipwayException(ExitCode.UnusableInput, new Fault("not-a-file", $"{path} is a {kind.ToString().ToLowerInvariant()}, not a file")),
        };
    }

    private static Digest Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, ReadSize, FileOptions.SequentialScan);
            return Digest.Of(stream);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unreadable(path, e);
        }
        catch (FileNotFoundException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-file", $"{path} went away while it was read"));
        }
        catch (IOException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("unreadable-file", $"{path} cannot be read: {e.Message}"), e);
        }
    }

    private static SlipwayException Unreadable(string path, Exception cause) =>
        new(ExitCode.NotThere, new Fault("no-permission", $"{path} may not be read by this user", Help: $"chmod u+r {path}, and +x on the folders above it"), cause);
}
