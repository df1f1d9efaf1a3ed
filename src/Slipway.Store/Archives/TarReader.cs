using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Archives;

/// <summary>One file of an archive that is being read.</summary>
/// <param name="Size">Bytes of content.</param>
/// <param name="Epoch">Its time, the same for every file of an archive.</param>
internal sealed record TarItem(string Path, long Size, bool Executable, long Epoch);

/// <summary>Reads what <see cref="DeterministicTar"/> writes, and nothing else: a header that we would have written otherwise is refused.</summary>
/// <remarks>
/// The archive is hostile until its end was reached: each header's checksum, kind, path and size are checked before use, then the
/// header is rendered again from what was understood and must be the same bytes. So two readers cannot understand one archive
/// differently. Memory: one header and one buffer.
/// </remarks>
internal sealed class TarReader(Stream tar, ArchiveLimits limits)
{
    /// <summary>Bytes moved at once: large enough for the disk's own read-ahead, small enough for the cache.</summary>
    private const int BufferBytes = 128 * 1024;

    private readonly PathOrder order = new();
    private long remaining;
    private long padding;
    private long total;
    private long? epoch;
    private int entries;

    /// <summary>The next file, after skipping what was not read of the one before; null at the archive's end.</summary>
    /// <exception cref="SlipwayException">The archive is cut, hostile, beyond a limit, or not as Slipway writes it (exit 2).</exception>
    public TarItem? Next()
    {
        SkipContent();
        var first = ReadBlock();
        if (!first.AsSpan().ContainsAnyExcept((byte)0))
        {
            if (ReadBlock().AsSpan().ContainsAnyExcept((byte)0))
                throw Refused("archive-not-deterministic", "has one block of zeros where its end has two");
            if (tar.ReadByte() >= 0)
                throw Refused("archive-trailing-data", "goes on behind its end");
            return null;
        }

        if (++entries > limits.MaxEntries)
            throw Refused("archive-too-many-entries", $"has more than {limits.MaxEntries} files");

        var (item, header) = Understand(first);
        var bytes = ArchivePath.Check(item.Path);
        order.Add(item.Path, bytes);
        total = item.Size <= limits.MaxTotalBytes - total
            ? total + item.Size
            : throw Refused("archive-too-large", $"holds more than {limits.MaxTotalBytes} bytes of content");
        epoch ??= item.Epoch;
        if (item.Epoch != epoch || !TarHeader.Render(item.Path, bytes, item.Size, item.Executable, item.Epoch).AsSpan().SequenceEqual(header))
            throw ArchivePath.Refused("archive-not-deterministic", item.Path, "has a header that differs from the deterministic form (owner, mode, time, padding or extended records)");

        remaining = item.Size;
        padding = TarHeader.Padded(item.Size) - item.Size;
        return item;
    }

    /// <summary>Copies the current file's content, all of it.</summary>
    public void CopyContentTo(Stream destination, CancellationToken cancellation) =>
        ReadContent(destination.Write, cancellation);

    /// <summary>Hashes the current file's content, all of it.</summary>
    public Digest DigestContent(CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadContent(hash.AppendData, cancellation);
        return new Digest(hash.GetHashAndReset());
    }

    private void ReadContent(Action<ReadOnlySpan<byte>> take, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (remaining > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = tar.Read(buffer, 0, (int)Math.Min(remaining, buffer.Length));
                if (read == 0)
                    throw Cut();
                take(buffer.AsSpan(0, read));
                remaining -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void SkipContent()
    {
        if (remaining > 0 && tar.CanSeek)
        {
            if (remaining > tar.Length - tar.Position)
                throw Cut();
            tar.Seek(remaining, SeekOrigin.Current);
            remaining = 0;
        }

        CopyContentTo(Stream.Null, CancellationToken.None);
        Span<byte> pad = stackalloc byte[(int)padding];
        Fill(pad);
        if (pad.ContainsAnyExcept((byte)0))
            throw Refused("archive-not-deterministic", "has something else than zeros between two files");
        padding = 0;
    }

    /// <summary>The entry that begins with this block, and all its header blocks as they stand in the archive.</summary>
    private (TarItem Item, byte[] Header) Understand(byte[] first)
    {
        CheckBlock(first);
        if (first[TarHeader.KindAt] != (byte)'x')
            return (Item(first, null, null), first);

        var length = TarHeader.Octal(first.AsSpan(TarHeader.SizeAt, TarHeader.OctalBytes));
        if (length is not (> 0 and <= TarHeader.MaxPaxBytes))
            throw Refused("archive-name-too-long", $"has an extended header of {length} bytes, allowed {TarHeader.MaxPaxBytes}");
        var pax = new byte[TarHeader.Padded(length.Value)];
        Fill(pax);
        var (path, size) = Records(pax.AsSpan(0, (int)length.Value));
        var second = ReadBlock();
        CheckBlock(second);
        if (second[TarHeader.KindAt] == (byte)'x')
            throw Refused("archive-not-deterministic", "has two extended headers for one file");
        return (Item(second, path, size), [.. first, .. pax, .. second]);
    }

    private static void CheckBlock(byte[] block)
    {
        if (TarHeader.Octal(block.AsSpan(TarHeader.ChecksumAt, TarHeader.ChecksumBytes)) != TarHeader.Checksum(block))
            throw Refused("archive-checksum", "has a header whose checksum is wrong: it is damaged, or no tar archive");
        if (!block.AsSpan(TarHeader.MagicAt, 8).SequenceEqual("ustar\000"u8))
            throw Refused("archive-not-deterministic", "is not in ustar format");

        var name = Encoding.Latin1.GetString(block.AsSpan(0, TarHeader.NameBytes)).TrimEnd('\0');
        var kind = block[TarHeader.KindAt];
        switch (kind)
        {
            case (byte)'0' or (byte)'x':
                return;
            case (byte)'1' or (byte)'2':
                throw ArchivePath.Refused("archive-link", name, "is a link; only regular files are allowed");
            case (byte)'3' or (byte)'4' or (byte)'6':
                throw ArchivePath.Refused("archive-device", name, "is a device or a pipe; only regular files are allowed");
            default:
                throw ArchivePath.Refused("archive-entry-kind", name, $"is an entry of kind 0x{kind:x2}; only regular files are allowed");
        }
    }

    private static TarItem Item(byte[] block, string? paxPath, long? paxSize)
    {
        var mode = TarHeader.Octal(block.AsSpan(TarHeader.ModeAt, TarHeader.ModeBytes));
        var size = paxSize ?? TarHeader.Octal(block.AsSpan(TarHeader.SizeAt, TarHeader.OctalBytes));
        var time = TarHeader.Octal(block.AsSpan(TarHeader.TimeAt, TarHeader.OctalBytes));
        if (mode is null || size is null || time is null)
            throw Refused("archive-not-deterministic", "has a header with a number that is not octal");
        var prefix = Text(block.AsSpan(TarHeader.PrefixAt, TarHeader.PrefixBytes));
        var name = Text(block.AsSpan(0, TarHeader.NameBytes));
        var path = paxPath ?? (prefix.Length == 0 ? name : prefix + "/" + name);
        return new TarItem(path, size.Value, (mode & 0b001_000_000) != 0, time.Value);
    }

    /// <summary>The records of an extended header; each key at most once, and no other keys.</summary>
    private static (string? Path, long? Size) Records(ReadOnlySpan<byte> pax)
    {
        var (path, size) = ((string?)null, (long?)null);
        while (!pax.IsEmpty)
        {
            var blank = pax.IndexOf((byte)' ');
            if (blank is < 1 or > 4
                || !int.TryParse(pax[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= blank + 1 || length > pax.Length || pax[length - 1] != (byte)'\n')
                throw Refused("archive-not-deterministic", "has a malformed extended header");
            var record = Text(pax[(blank + 1)..(length - 1)], cutAtNul: false);
            if (path is null && record.StartsWith("path=", StringComparison.Ordinal))
                path = record["path=".Length..];
            else if (size is null && record.StartsWith("size=", StringComparison.Ordinal)
                && long.TryParse(record.AsSpan("size=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
                size = bytes;
            else
                throw Refused("archive-not-deterministic", $"has the extended record '{ForeignText.Shown(record)}'; allowed are path and size, once each");
            pax = pax[length..];
        }

        return (path, size);
    }

    private static string Text(ReadOnlySpan<byte> field, bool cutAtNul = true)
    {
        var end = cutAtNul ? field.IndexOf((byte)0) : -1;
        try
        {
            return ArchivePath.StrictUtf8.GetString(end < 0 ? field : field[..end]);
        }
        catch (DecoderFallbackException)
        {
            throw Refused("archive-path-character", "has a path that is not UTF-8");
        }
    }

    private byte[] ReadBlock()
    {
        var block = new byte[TarHeader.Block];
        Fill(block);
        return block;
    }

    private void Fill(Span<byte> target)
    {
        if (tar.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length)
            throw Cut();
    }

    private static SlipwayException Cut() => Refused("archive-truncated", "is cut: it ends before its end mark");

    private static SlipwayException Refused(string code, string finding) =>
        new(ExitCode.UnusableInput, new Fault(code, $"the archive {finding}"));
}
