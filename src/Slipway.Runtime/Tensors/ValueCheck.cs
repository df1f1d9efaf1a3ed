using System.Globalization;
using System.Numerics;
using Slipway.Documents.Serving;

namespace Slipway.Runtime.Tensors;

/// <summary>Holds values against the signature's range. NaN and infinities are refused even without one: JSON cannot carry them.</summary>
internal static class ValueCheck
{
    /// <returns>The first value that is wrong, with its index; null when all are well.</returns>
    public static string? Of(Tensor tensor) => tensor.Spec.Datatype switch
    {
        Datatype.Float32 => Real<float>(tensor),
        Datatype.Float64 => Real<double>(tensor),
        Datatype.UInt8 => Whole<byte>(tensor),
        Datatype.UInt16 => Whole<ushort>(tensor),
        Datatype.UInt32 => Whole<uint>(tensor),
        Datatype.UInt64 => Whole<ulong>(tensor),
        Datatype.Int8 => Whole<sbyte>(tensor),
        Datatype.Int16 => Whole<short>(tensor),
        Datatype.Int32 => Whole<int>(tensor),
        Datatype.Int64 => Whole<long>(tensor),
        _ => null,
    };

    /// <summary>Bounds are rounded as the values were: 0.1 as float32 is more than 0.1, and still within a range that ends at 0.1.</summary>
    private static string? Real<T>(Tensor tensor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>, IMinMaxValue<T>
    {
        var range = tensor.Spec.Range;
        return FirstOutside(tensor, range is null ? T.MinValue : T.CreateSaturating(range.Low), range is null ? T.MaxValue : T.CreateSaturating(range.High));
    }

    private static string? Whole<T>(Tensor tensor)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (tensor.Spec.Range is not { } range)
            return null;
        var (low, high) = (Math.Ceiling(range.Low), Math.Floor(range.High));
        return low > double.CreateSaturating(T.MaxValue) || high < double.CreateSaturating(T.MinValue)
            ? FirstOutside(tensor, T.One, T.Zero)
            : FirstOutside(tensor, T.CreateSaturating(low), T.CreateSaturating(high));
    }

    private static string? FirstOutside<T>(Tensor tensor, T low, T high)
        where T : unmanaged, INumber<T>
    {
        var values = tensor.Values<T>();
        for (var i = 0; i < values.Length; i++)
        {
            if (!(values[i] >= low && values[i] <= high))       // written so that NaN is outside
                return Message(tensor.Spec, i, values[i]);
        }

        return null;
    }

    private static string Message<T>(TensorSpec spec, int index, T value)
        where T : IFormattable
    {
        var found = value.ToString(null, CultureInfo.InvariantCulture);
        var unit = spec.Unit is null ? "" : $" ({spec.Unit})";
        return spec.Range is { } range
            ? string.Create(CultureInfo.InvariantCulture, $"element {index} is {found}, allowed {range.Low} to {range.High}{unit}")
            : $"element {index} is {found}, which is no finite number";
    }
}
