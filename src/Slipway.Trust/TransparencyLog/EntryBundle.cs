using System.Buffers.Binary;

namespace Slipway.Trust.TransparencyLog;

/// <summary>Records side by side, each behind its length in two bytes, big-endian.</summary>
/// <remarks>Source: C2SP tlog-tiles, log entries.</remarks>
public static class EntryBundle
{
    /// <summary>Longest record, in bytes: what two bytes can say.</summary>
    public const int MaxRecord = ushort.MaxValue;

    /// <summary>Longest bundle, in bytes.</summary>
    public const int MaxBytes = TilePath.FullWidth * (sizeof(ushort) + MaxRecord);

    /// <param name="records">Each of at most <see cref="MaxRecord"/> bytes.</param>
    public static byte[] Write(IReadOnlyCollection<byte[]> records)
    {
        var bundle = new byte[records.Sum(record => sizeof(ushort) + record.Length)];
        var rest = bundle.AsSpan();
        foreach (var record in records)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rest, checked((ushort)record.Length));
            record.CopyTo(rest[sizeof(ushort)..]);
            rest = rest[(sizeof(ushort) + record.Length)..];
        }

        return bundle;
    }

    /// <returns>Null when the bytes do not end where a record does.</returns>
    public static IReadOnlyList<byte[]>? Read(ReadOnlySpan<byte> bundle)
    {
        var records = new List<byte[]>();
        while (!bundle.IsEmpty)
        {
            if (!BinaryPrimitives.TryReadUInt16BigEndian(bundle, out var length) || bundle.Length < sizeof(ushort) + length)
                return null;
            records.Add(bundle.Slice(sizeof(ushort), length).ToArray());
            bundle = bundle[(sizeof(ushort) + length)..];
        }

        return records;
    }
}
