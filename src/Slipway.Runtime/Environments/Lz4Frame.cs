using System.Buffers.Binary;

namespace Slipway.Runtime.Environments;

/// <summary>Reads an LZ4 frame, the form in which apt keeps its lists. Forward only; memory is a block and the 64 KiB before it.</summary>
/// <remarks>Source: LZ4 Frame Format 1.6 and LZ4 Block Format. Checksums are passed over: what is read is looked up by name and proves nothing. Malformed input is an <see cref="InvalidDataException"/>.</remarks>
internal sealed class Lz4Frame : Stream
{
    private const uint Magic = 0x184D2204;

    /// <summary>Bytes that a match can reach back.</summary>
    private const int Window = 64 * 1024;

    private readonly Stream from;
    private readonly bool hasBlockChecksums;
    private readonly byte[] packed;
    private readonly byte[] plain;
    private int at = Window;
    private int end = Window;
    private bool isOver;

    public Lz4Frame(Stream from)
    {
        this.from = from;
        Span<byte> head = stackalloc byte[6];
        from.ReadExactly(head);
        var (flags, size) = (head[4], head[5] >> 4 & 7);
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic || flags >> 6 != 1 || size < 4)
            throw new InvalidDataException("it is no LZ4 frame");
        hasBlockChecksums = (flags & 0x10) != 0;
        // Content size and dictionary id, where they are there, then the header's checksum.
        Skip(((flags & 0x08) != 0 ? 8 : 0) + ((flags & 0x01) != 0 ? 4 : 0) + 1);
        var block = 1 << (8 + (2 * size));
        (packed, plain) = (new byte[block], new byte[Window + block]);
    }

    public override int Read(Span<byte> buffer)
    {
        while (at == end && !isOver)
            NextBlock();
        var count = Math.Min(buffer.Length, end - at);
        plain.AsSpan(at, count).CopyTo(buffer);
        at += count;
        return count;
    }

    private void NextBlock()
    {
        Span<byte> word = stackalloc byte[4];
        from.ReadExactly(word);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(word);
        var (isStored, length) = (size >> 31 == 1, (int)(size & 0x7FFFFFFF));
        if (length == 0)
        {
            isOver = true;
            return;
        }

        if (length > packed.Length)
            throw new InvalidDataException("an LZ4 block is larger than its frame says");
        // What was read last stays in front: a match may begin there.
        plain.AsSpan(end - Window, Window).CopyTo(plain);
        from.ReadExactly(packed.AsSpan(0, length));
        if (isStored)
            packed.AsSpan(0, length).CopyTo(plain.AsSpan(Window));
        (at, end) = (Window, isStored ? Window + length : Unpack(packed.AsSpan(0, length)));
        if (hasBlockChecksums)
            Skip(4);
    }

    private int Unpack(ReadOnlySpan<byte> block)
    {
        var (source, target) = (0, Window);
        while (source < block.Length)
        {
            var token = block[source++];
            var literals = LengthOf(block, ref source, token >> 4);
            if (literals > block.Length - source || literals > plain.Length - target)
                throw Malformed();
            block.Slice(source, literals).CopyTo(plain.AsSpan(target));
            (source, target) = (source + literals, target + literals);
            if (source == block.Length)
                break;      // the last sequence has no match
            if (block.Length - source < 2)
                throw Malformed();
            var distance = block[source] | block[source + 1] << 8;
            source += 2;
            var match = LengthOf(block, ref source, token & 15) + 4;
            if (distance == 0 || distance > target || match > plain.Length - target)
                throw Malformed();
            // Byte by byte: a match may repeat what it has just written.
            for (var i = 0; i < match; i++)
                plain[target + i] = plain[target - distance + i];
            target += match;
        }

        return target;
    }

    private static int LengthOf(ReadOnlySpan<byte> block, ref int source, int length)
    {
        if (length < 15)
            return length;
        byte more;
        do
        {
            if (source == block.Length || length > block.Length * 256)
                throw Malformed();
            more = block[source++];
            length += more;
        }
        while (more == 255);
        return length;
    }

    private static InvalidDataException Malformed() => new("an LZ4 block is malformed");

    private void Skip(int count)
    {
        Span<byte> unread = stackalloc byte[16];
        from.ReadExactly(unread[..count]);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            from.Dispose();
        base.Dispose(disposing);
    }
}
