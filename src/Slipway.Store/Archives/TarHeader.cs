using System.Globalization;
using System.Text;

namespace Slipway.Store.Archives;

/// <summary>The one form of header that Slipway writes, and therefore the one that it reads.</summary>
/// <remarks>
/// POSIX.1-2017 pax interchange format: a ustar block, preceded by an extended header of <c>path</c> and <c>size</c> records
/// only where ustar's fields cannot hold them (path not ASCII or not splittable, size of 8 GiB or more).
/// </remarks>
internal static class TarHeader
{
    public const int Block = 512;

    /// <summary>Largest number in a 12-byte field of octal digits: 8 GiB − 1, and the year 2242.</summary>
    public const long MaxOctal = 0x1_FFFF_FFFF;

    /// <summary>Longest extended header that a path of <see cref="ArchiveLimits.MaxPathBytes"/> and a size can need.</summary>
    public const int MaxPaxBytes = ArchiveLimits.MaxPathBytes + 64;

    public const int ModeAt = 100, SizeAt = 124, TimeAt = 136, ChecksumAt = 148, KindAt = 156, MagicAt = 257, PrefixAt = 345;
    public const int NameBytes = 100, ModeBytes = 8, OctalBytes = 12, ChecksumBytes = 8, PrefixBytes = 155;

    private const string PaxName = "././@PaxHeader";

    /// <summary>All blocks that stand before an entry's content.</summary>
    /// <param name="path">Already checked.</param>
    /// <param name="bytes">The same in UTF-8.</param>
    /// <param name="epoch">Whole seconds since 1970, 0 to <see cref="MaxOctal"/>.</param>
    public static byte[] Render(string path, byte[] bytes, long size, bool executable, long epoch)
    {
        var records = new StringBuilder();
        var split = SplitAt(bytes);
        if (split is null)
            records.Append(Record("path", path));
        if (size > MaxOctal)
            records.Append(Record("size", size.ToString(CultureInfo.InvariantCulture)));

        var name = split is { } at ? bytes.AsSpan(at == 0 ? 0 : at + 1) : Substitute(bytes);
        var prefix = split is > 0 ? bytes.AsSpan(0, split.Value) : default;
        var header = RenderBlock(name, prefix, size > MaxOctal ? 0 : size, executable, epoch, (byte)'0');
        if (records.Length == 0)
            return header;

        var pax = Encoding.UTF8.GetBytes(records.ToString());
        var all = new byte[Block + Padded(pax.Length) + Block];
        RenderBlock(Encoding.ASCII.GetBytes(PaxName), default, pax.Length, false, epoch, (byte)'x').CopyTo(all, 0);
        pax.CopyTo(all, Block);
        header.CopyTo(all, all.Length - Block);
        return all;
    }

    public static int Checksum(ReadOnlySpan<byte> block)
    {
        var sum = 0;
        for (var i = 0; i < Block; i++)
            sum += i is >= ChecksumAt and < ChecksumAt + ChecksumBytes ? ' ' : block[i];
        return sum;
    }

    /// <summary>Octal digits up to a NUL or blank; null when it is anything else (base 256 as well).</summary>
    public static long? Octal(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOfAny((byte)0, (byte)' ');
        var digits = end < 0 ? field : field[..end];
        var value = 0L;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return null;
            value = value * 8 + (digit - '0');
        }

        return digits.IsEmpty ? null : value;
    }

    /// <summary>A length rounded up to whole blocks.</summary>
    public static long Padded(long length) => (length + Block - 1) / Block * Block;

    /// <summary>Where the path is cut into prefix and name: 0 for no cut, null where ustar cannot hold it.</summary>
    private static int? SplitAt(byte[] path)
    {
        if (path.AsSpan().ContainsAnyExceptInRange((byte)0x20, (byte)0x7E))
            return null;
        if (path.Length <= NameBytes)
            return 0;
        for (var i = Math.Min(PrefixBytes, path.Length - 2); i > 0 && path.Length - i - 1 <= NameBytes; i--)
        {
            if (path[i] == (byte)'/')
                return i;
        }

        return null;
    }

    /// <summary>What a reader without pax shows: the path's end in ASCII.</summary>
    private static ReadOnlySpan<byte> Substitute(byte[] path)
    {
        var ascii = Array.ConvertAll(path, b => b is >= 0x20 and <= 0x7E ? b : (byte)'_');
        return ascii.AsSpan(Math.Max(0, ascii.Length - NameBytes)).TrimStart((byte)'/');
    }

    /// <summary><c>LENGTH KEY=VALUE\n</c>, where the length counts its own digits.</summary>
    private static string Record(string key, string value)
    {
        var rest = Encoding.UTF8.GetByteCount(value) + key.Length + 3;
        var length = rest + rest.ToString(CultureInfo.InvariantCulture).Length;
        if (length.ToString(CultureInfo.InvariantCulture).Length + rest != length)
            length++;
        return $"{length.ToString(CultureInfo.InvariantCulture)} {key}={value}\n";
    }

    private static byte[] RenderBlock(ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix, long size, bool executable, long epoch, byte kind)
    {
        var block = new byte[Block];
        name.CopyTo(block);
        Put(block, ModeAt, ModeBytes, executable ? 0b111_101_101 : 0b110_100_100);
        Put(block, 108, 8, 0);
        Put(block, 116, 8, 0);
        Put(block, SizeAt, OctalBytes, size);
        Put(block, TimeAt, OctalBytes, epoch);
        block[KindAt] = kind;
        "ustar\000"u8.CopyTo(block.AsSpan(MagicAt));
        Put(block, 329, 8, 0);
        Put(block, 337, 8, 0);
        prefix.CopyTo(block.AsSpan(PrefixAt));
        Put(block, ChecksumAt, ChecksumBytes - 1, Checksum(block));
        block[ChecksumAt + ChecksumBytes - 1] = (byte)' ';
        return block;
    }

    /// <summary>Octal with leading zeros, ended by NUL.</summary>
    private static void Put(byte[] block, int at, int length, long value)
    {
        for (var i = at + length - 2; i >= at; i--, value >>= 3)
            block[i] = (byte)('0' + (value & 7));
        block[at + length - 1] = 0;
    }
}
