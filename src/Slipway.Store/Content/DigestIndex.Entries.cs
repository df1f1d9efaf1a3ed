using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <content>What is kept of a file, in memory and on disk.</content>
public sealed partial class DigestIndex
{
    private const string Header = "slipway-digests 2";

    /// <summary>Entries read at once.</summary>
    private const int LoadedTogether = 512;

    /// <summary>The header, a blank, the checksum in hex and the line's end.</summary>
    internal const int HeadBytes = 27;

    internal const int EntryBytes = 88;

    /// <summary>What a path is known by: 8 bytes, where the path itself would be most of the memory of a large index.</summary>
    /// <remarks>
    /// Two paths of one hash only cost reading: an entry is believed by its stamp, in which device and inode are those of one file. In a dictionary the hash is mixed anew in
    /// each process, so that nobody can choose names that fall together there.
    /// </remarks>
    private readonly record struct PathHash(ulong Value)
    {
        /// <summary>FNV-1a's constants (draft-eastlake-fnv), here over UTF-16 code units.</summary>
        private const ulong Basis = 14_695_981_039_346_656_037, Prime = 1_099_511_628_211;

        public static PathHash Of(string path)
        {
            var hash = Basis;
            foreach (var unit in path)
                hash = (hash ^ unit) * Prime;
            return new PathHash(hash);
        }

        public override int GetHashCode() => HashCode.Combine(Value);
    }

    /// <summary>As it is in the file too, in this machine's byte order: the index is this machine's.</summary>
    [StructLayout(LayoutKind.Sequential, Size = EntryBytes)]
    private readonly record struct Entry(PathHash Path, long Size, long Modified, long Changed, ulong Inode, ulong Device, Digest Digest, EntryMarks Marks)
    {
        public Entry(PathHash path, FileStamp stamp, Digest digest)
            : this(path, stamp.Size, stamp.Modified, stamp.Changed, stamp.Inode, stamp.Device, digest, stamp.Executable ? EntryMarks.Executable : EntryMarks.None)
        {
        }

        public bool IsOf(FileStamp stamp) => stamp == new FileStamp(FileKind.File, Size, Modified, Changed, Inode, Device, Marks.HasFlag(EntryMarks.Executable));

        /// <summary>Whether this process asked for it; those survive when the index is full.</summary>
        public bool IsAsked => Marks.HasFlag(EntryMarks.Asked);

        public Entry Asked() => this with { Marks = Marks | EntryMarks.Asked };

        public Entry ToKeep() => this with { Marks = Marks & ~EntryMarks.Asked };
    }

    [Flags]
    private enum EntryMarks : ulong
    {
        None = 0,
        Executable = 1,
        Asked = 2,
    }

    // Line 1: the header and a checksum of the rest, which is one entry after the other.
    private byte[] Encode(int mostUnasked)
    {
        var asked = Math.Min(entries.Values.Count(entry => entry.IsAsked), MaximumEntries);
        var others = Math.Min(entries.Count - asked, Math.Max(0, mostUnasked - asked));
        var content = new byte[HeadBytes + (asked + others) * EntryBytes];
        var body = content.AsSpan(HeadBytes);
        var rows = MemoryMarshal.Cast<byte, Entry>(body);
        var next = 0;
        foreach (var entry in entries.Values)
        {
            if (entry.IsAsked ? asked-- > 0 : others-- > 0)
                rows[next++] = entry.ToKeep();
        }

        Head(body).CopyTo(content, 0);
        return content;
    }

    private void Load()
    {
        using var file = new FileStream(indexFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var head = new byte[HeadBytes];
        var (count, rest) = Math.DivRem(file.Length - HeadBytes, EntryBytes);
        if (file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) < HeadBytes || rest != 0 || count > MaximumEntries)
            throw new FormatException("another format or damaged");
        entries.EnsureCapacity((int)count);
        var piece = new byte[LoadedTogether * EntryBytes];
        var checksum = uint.MaxValue;
        while (file.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false) is > 0 and var read)
        {
            checksum = Checksum(checksum, piece.AsSpan(0, read));
            foreach (var entry in MemoryMarshal.Cast<byte, Entry>(piece.AsSpan(0, read)))
                entries[entry.Path] = entry;
        }

        if (!head.AsSpan().SequenceEqual(Head(~checksum)))
            throw new FormatException("another format or damaged");
    }

    internal static byte[] Head(ReadOnlySpan<byte> body) => Head(~Checksum(uint.MaxValue, body));

    private static byte[] Head(uint checksum) => Encoding.ASCII.GetBytes($"{Header} {checksum:x8}\n");

    // CRC-32C: guards against damage, not against a person; SHA-256 would load OpenSSL on the start path.
    private static uint Checksum(uint crc, ReadOnlySpan<byte> body)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(body))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var rest in body[(body.Length / sizeof(ulong) * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, rest);
        return crc;
    }
}
