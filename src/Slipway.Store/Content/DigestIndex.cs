using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
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
public sealed class DigestIndex
{
    /// <summary>Entries kept when saving, about 200 bytes each; above it those go that this process did not ask for.</summary>
    internal const int MaximumEntries = 100_000;

    /// <summary>Reads of one file before it counts as being written to all the time.</summary>
    private const int MaximumReads = 5;

    /// <summary>Bytes a read: larger ones made hashing no faster.</summary>
    private const int ReadSize = 1 << 17;

    internal const string Header = "slipway-digests 1";

    private readonly string indexFile;
    private readonly TimeProvider clock;
    private readonly Lock guard = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private bool changed;

    private DigestIndex(string indexFile, TimeProvider clock) => (this.indexFile, this.clock) = (indexFile, clock);

    private sealed record Entry(FileStamp Stamp, Digest Digest)
    {
        /// <summary>Whether this process asked for it; those survive when the index is full.</summary>
        public bool Used { get; set; }
    }

    /// <param name="indexFile">Where it is kept; need not exist.</param>
    /// <param name="clock">The one that stamps files; the system's when null.</param>
    public static DigestIndex Open(string indexFile, TimeProvider? clock = null)
    {
        var index = new DigestIndex(indexFile, clock ?? TimeProvider.System);
        try
        {
            index.Load(File.ReadAllBytes(indexFile));
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
                Remember(absolutePath, new Entry(stamp, digest) { Used = true });
            return digest;
        }

        throw new SlipwayException(ExitCode.UnusableInput, new Fault("changing-file", $"{absolutePath} changed each of the {MaximumReads} times it was read", Help: "wait until whatever writes it has finished, then run again"));
    }

    /// <summary>Writes the index if anything changed since it was opened or saved.</summary>
    /// <remarks>Without space or permission it stays as it was: that costs some hashing next time, and must not hide what else went wrong.</remarks>
    public void Save()
    {
        byte[] content;
        lock (guard)
        {
            if (!changed)
                return;
            var kept = entries.OrderByDescending(entry => entry.Value.Used).ThenBy(entry => entry.Key, StringComparer.Ordinal).Take(MaximumEntries);
            content = Encode(kept);
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
        lock (guard)
        {
            if (!entries.TryGetValue(path, out var known) || known.Stamp != stamp)
                return null;
            known.Used = true;
            return known.Digest;
        }
    }

    private void Remember(string path, Entry entry)
    {
        lock (guard)
        {
            entries[path] = entry;
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

    // Line 1: the header and a checksum of the rest. Then a line a file; the path comes last, with \n and \ escaped.
    private static byte[] Encode(IEnumerable<KeyValuePair<string, Entry>> kept)
    {
        var lines = new StringBuilder();
        foreach (var (path, (stamp, digest)) in kept)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{digest.Hex} {stamp.Size} {stamp.Modified} {stamp.Changed} {stamp.Inode} {stamp.Device} {(stamp.Executable ? 1 : 0)} ");
            lines.Append(path.Replace("\\", "\\\\").Replace("\n", "\\n")).Append('\n');
        }

        var body = Encoding.UTF8.GetBytes(lines.ToString());
        return [.. Encoding.ASCII.GetBytes($"{Header} {Checksum(body):x8}\n"), .. body];
    }

    private void Load(byte[] content)
    {
        var end = Array.IndexOf(content, (byte)'\n');
        var body = content.AsSpan(end + 1);
        if (end < 0 || !content.AsSpan(0, end).SequenceEqual(Encoding.ASCII.GetBytes($"{Header} {Checksum(body):x8}")))
            throw new FormatException("another format or damaged");
        entries.EnsureCapacity(body.Length / 200);
        foreach (var range in body.Split((byte)'\n'))
        {
            if (!body[range].IsEmpty)
                LoadLine(body[range]);
        }
    }

    private void LoadLine(ReadOnlySpan<byte> line)
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        if (Convert.FromHexString(Field(ref line), hash, out _, out var bytes) != OperationStatus.Done || bytes != Digest.Length)
            throw new FormatException("a line has no digest");
        var stamp = new FileStamp(FileKind.File, Signed(ref line), Signed(ref line), Signed(ref line), Unsigned(ref line), Unsigned(ref line), Unsigned(ref line) == 1);
        var path = Encoding.UTF8.GetString(line);
        entries[path.Contains('\\') ? Unescape(path) : path] = new Entry(stamp, new Digest(hash));
    }

    /// <summary>What stands before the next blank, which is taken off the line with it.</summary>
    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        if (end < 0)
            throw new FormatException("a line is not an entry");
        var field = line[..end];
        line = line[(end + 1)..];
        return field;
    }

    private static string Unescape(string path)
    {
        var plain = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
            plain.Append(path[i] != '\\' ? path[i] : path[++i] == 'n' ? '\n' : '\\');
        return plain.ToString();
    }

    private static long Signed(ref ReadOnlySpan<byte> line)
    {
        var field = Field(ref line);
        return Utf8Parser.TryParse(field, out long number, out var read) && read == field.Length ? number : throw new FormatException("not a number");
    }

    private static ulong Unsigned(ref ReadOnlySpan<byte> line)
    {
        var field = Field(ref line);
        return Utf8Parser.TryParse(field, out ulong number, out var read) && read == field.Length ? number : throw new FormatException("not a number");
    }

    // CRC-32C: guards against damage, not against a person; SHA-256 would load OpenSSL on the start path.
    internal static uint Checksum(ReadOnlySpan<byte> body)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(body))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var rest in body[(body.Length / sizeof(ulong) * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }
}
