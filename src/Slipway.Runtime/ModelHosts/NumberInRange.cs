using System.Numerics;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Numbers for generated requests: each as the tensor's datatype has it, and never outside the signature's range.</summary>
internal static class NumberInRange
{
    /// <summary>Without a range: numbers that most models have seen the like of.</summary>
    public static (double Low, double High) Of(TensorSpec spec) => spec.Range is { } range ? (range.Low, range.High) : (0, 1);

    /// <param name="tensor">Of numbers.</param>
    public static void Add(Tensor tensor, double value, double low, double high)
    {
        switch (tensor.Spec.Datatype)
        {
            case Datatype.Float32:
                tensor.Add(float.CreateSaturating(value));
                break;
            case Datatype.Float64:
                tensor.Add(value);
                break;
            case Datatype.UInt8:
                Whole<byte>(tensor, value);
                break;
            case Datatype.UInt16:
                Whole<ushort>(tensor, value);
                break;
            case Datatype.UInt32:
                Whole<uint>(tensor, value);
                break;
            case Datatype.UInt64:
                Whole<ulong>(tensor, value);
                break;
            case Datatype.Int8:
                Whole<sbyte>(tensor, value);
                break;
            case Datatype.Int16:
                Whole<short>(tensor, value);
                break;
            case Datatype.Int32:
                Whole<int>(tensor, value);
                break;
            case Datatype.Int64:
                Whole<long>(tensor, value);
                break;
        }

        void Whole<T>(Tensor whole, double drawn)
            where T : unmanaged, IBinaryInteger<T> => whole.Add(T.CreateSaturating(Math.Clamp(Math.Round(drawn), Math.Ceiling(low), Math.Max(Math.Ceiling(low), Math.Floor(high)))));
    }
}
