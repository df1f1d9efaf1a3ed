using System.Buffers;
using System.Buffers.Binary;

namespace Slipway.Server.Monitoring;

/// <summary>Writes the compact form in which windows are stored: counts as LEB128, doubles as 8 bytes little-endian.</summary>
internal sealed class BlobWriter
{
    private readonly ArrayBufferWriter<byte> bytes = new(4096);

    public byte[] ToArray() => bytes.WrittenSpan.ToArray();

    public void Byte(byte value)
    {
        bytes.GetSpan(1)[0] = value;
        bytes.Advance(1);
    }

    /// <param name="value">Not negative.</param>
    public void Count(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        var span = bytes.GetSpan(10);
        var length = 0;
        for (var rest = (ulong)value; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                span[length++] = (byte)rest;
                break;
            }

            span[length++] = (byte)(rest | 0x80);
        }

        bytes.Advance(length);
    }

    /// <summary>Few of many: each that is not 0 by how many zeros stand before it.</summary>
    public void Sparse(ReadOnlySpan<long> values)
    {
        var filled = 0;
        foreach (var value in values)
            filled += value == 0 ? 0 : 1;
        Count(filled);
        var zeros = 0;
        foreach (var value in values)
        {
            if (value == 0)
            {
                zeros++;
                continue;
            }

            Count(zeros);
            Count(value);
            zeros = 0;
        }
    }

    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.GetSpan(8), value);
        bytes.Advance(8);
    }
}
