using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Slipway.Documents.Serving;

namespace Slipway.Runtime.Tensors;

/// <summary>
/// The elements of one named input or output, row-major, in a buffer that is used again for the next request.
/// Belongs to a <see cref="TensorSet"/>; not thread-safe.
/// </summary>
public sealed class Tensor
{
    /// <summary>Dimensions at most: more than any model here has, and small enough to keep a shape inline.</summary>
    public const int MaxRank = 8;

    /// <summary>Bytes first rented: a one-row request never grows its buffer.</summary>
    private const int FirstSize = 256;

    /// <summary>Bytes kept between requests; a larger buffer goes back to the pool, so that one large request does not stay in memory.</summary>
    private const int KeptSize = 64 * 1024;

    private readonly long[] shape = new long[MaxRank];
    private byte[] bytes = [];
    private string[] strings = [];
    private int rank;

    internal Tensor(TensorSpec spec)
    {
        Spec = spec;
        Utf8Name = Encoding.UTF8.GetBytes(spec.Name);
        ElementSize = SizeOf(spec.Datatype);
    }

    public TensorSpec Spec { get; }

    /// <summary>Whether <see cref="SetShape"/> was called since the last <see cref="TensorSet.Clear"/>.</summary>
    public bool IsPresent { get; private set; }

    /// <summary>Number of elements.</summary>
    public int Count { get; private set; }

    /// <summary>Sizes, as declared; nothing says yet that they fit <see cref="Count"/> or <see cref="Spec"/>.</summary>
    public ReadOnlySpan<long> Shape => shape.AsSpan(0, rank);

    /// <summary>The elements' bytes in the machine's order; empty for strings. Valid until the next change.</summary>
    public Memory<byte> Bytes => bytes.AsMemory(0, Count * ElementSize);

    /// <summary>The elements of a tensor of strings; empty for any other. Valid until the next change.</summary>
    public ReadOnlySpan<string> Strings => Spec.Datatype == Datatype.String ? strings.AsSpan(0, Count) : [];

    internal byte[] Utf8Name { get; }

    /// <summary>Bytes; 0 for strings.</summary>
    internal int ElementSize { get; }

    /// <summary>The elements. <typeparamref name="T"/> is the datatype's own type, <c>bool</c> for bool. Valid until the next change.</summary>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes.AsSpan(0, Count * ElementSize));

    /// <summary>An element as a number, exact up to 2^53; not of strings.</summary>
    public double Number(int index) => Spec.Datatype switch
    {
        Datatype.Float32 => Values<float>()[index],
        Datatype.Float64 => Values<double>()[index],
        Datatype.Int64 => Values<long>()[index],
        Datatype.Int32 => Values<int>()[index],
        Datatype.Int16 => Values<short>()[index],
        Datatype.Int8 => Values<sbyte>()[index],
        Datatype.UInt64 => Values<ulong>()[index],
        Datatype.UInt32 => Values<uint>()[index],
        Datatype.UInt16 => Values<ushort>()[index],
        Datatype.UInt8 or Datatype.Bool => bytes[index],
        _ => throw new UnreachableException($"a {Spec.Datatype} is no number"),
    };

    /// <param name="sizes">At most <see cref="MaxRank"/>.</param>
    public void SetShape(ReadOnlySpan<long> sizes)
    {
        sizes.CopyTo(shape);
        rank = sizes.Length;
        IsPresent = true;
    }

    /// <summary>Makes room for exactly that many elements, which the caller then fills; not for strings.</summary>
    public Span<byte> Resize(int count)
    {
        Room(checked(count * ElementSize));
        Count = count;
        return bytes.AsSpan(0, count * ElementSize);
    }

    /// <summary>Makes room for exactly that many strings, which the caller then fills.</summary>
    public Span<string> ResizeStrings(int count)
    {
        RoomForStrings(count);
        Count = count;
        return strings.AsSpan(0, count);
    }

    /// <summary>Appends one element. <typeparamref name="T"/> is the datatype's own type.</summary>
    public void Add<T>(T value)
        where T : unmanaged
    {
        var end = checked((Count + 1) * ElementSize);
        if (end > bytes.Length)
            Room(end);
        MemoryMarshal.Write(bytes.AsSpan(Count * ElementSize, ElementSize), value);
        Count++;
    }

    /// <summary>Appends one string.</summary>
    public void Add(string value)
    {
        RoomForStrings(Count + 1);
        strings[Count++] = value;
    }

    internal void Clear()
    {
        if (bytes.Length > KeptSize)
            Release();
        Array.Clear(strings, 0, Spec.Datatype == Datatype.String ? Count : 0);
        (Count, rank, IsPresent) = (0, 0, false);
        if (strings.Length > KeptSize / nint.Size)
            strings = [];
    }

    internal void Release()
    {
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }

    private void Room(int needed)
    {
        if (needed <= bytes.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstSize, Math.Max(needed, (int)Math.Min(2L * bytes.Length, Array.MaxLength))));
        bytes.AsSpan(0, Count * ElementSize).CopyTo(larger);
        Release();
        bytes = larger;
    }

    private void RoomForStrings(int needed)
    {
        if (needed > strings.Length)
            Array.Resize(ref strings, Math.Max(needed, Math.Max(16, 2 * strings.Length)));
    }

    private static int SizeOf(Datatype datatype) => datatype switch
    {
        Datatype.Bool or Datatype.UInt8 or Datatype.Int8 => 1,
        Datatype.UInt16 or Datatype.Int16 => 2,
        Datatype.UInt32 or Datatype.Int32 or Datatype.Float32 => 4,
        Datatype.UInt64 or Datatype.Int64 or Datatype.Float64 => 8,
        Datatype.String => 0,
        _ => throw new UnreachableException($"no datatype {datatype}"),
    };
}
