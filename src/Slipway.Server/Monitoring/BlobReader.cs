using System.Buffers.Binary;

namespace Slipway.Server.Monitoring;

/// <summary>Reads what <see cref="BlobWriter"/> wrote. Bytes that it cannot have written are an <see cref="InvalidDataException"/>, and make it allocate nothing.</summary>
internal ref struct BlobReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    public byte Byte()
    {
        var value = Take(1)[0];
        return value;
    }

    public long Count()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            if (shift == 63 && next > 0)
                break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return (long)value;
        }

        throw new InvalidDataException("a stored count is longer than 63 bits");
    }

    /// <param name="most">A count of things to come; more is refused before anything is made for them.</param>
    public int Size(int most)
    {
        var size = Count();
        return size <= most ? (int)size : throw new InvalidDataException($"a stored list has {size} parts, allowed are {most}");
    }

    public void Sparse(Span<long> values)
    {
        values.Clear();
        var filled = Size(values.Length);
        var at = -1;
        for (var i = 0; i < filled; i++)
        {
            at += 1 + Size(values.Length);
            if (at >= values.Length)
                throw new InvalidDataException($"a stored list has a part {at}, and {values.Length} parts are due");
            values[at] = Count();
        }
    }

    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    public readonly void End()
    {
        if (!rest.IsEmpty)
            throw new InvalidDataException($"{rest.Length} bytes stand behind what is stored");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (rest.Length < count)
            throw new InvalidDataException("what is stored is cut short");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
