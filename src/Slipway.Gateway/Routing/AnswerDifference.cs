using System.Numerics;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Routing;

/// <summary>How far two versions' answers to one request lie apart, number by number.</summary>
/// <param name="Largest">Absolute difference of any two numbers; 0 when none differ, and for texts and truth values, which differ or do not.</param>
/// <param name="IsBeyondTolerance">Some two numbers differ by more than <see cref="Absolute"/> + <see cref="Relative"/> × the larger one, or anything else differs at all.</param>
internal readonly record struct AnswerDifference(double Largest, bool IsBeyondTolerance)
{
    /// <summary>A few units in the last place of a float32 near 1: what another order of the same sums makes.</summary>
    public const double Absolute = 1e-6;

    /// <summary>The same for larger numbers.</summary>
    public const double Relative = 1e-5;

    /// <param name="stable">Filled and checked.</param>
    /// <param name="candidate">Filled and checked.</param>
    public static AnswerDifference Of(TensorSet stable, TensorSet candidate)
    {
        var difference = new AnswerDifference(0, stable.Tensors.Length != candidate.Tensors.Length);
        foreach (var tensor in stable.Tensors)
        {
            var other = Find(candidate, tensor.Spec.Name);
            difference = difference.And(other is null || other.Spec.Datatype != tensor.Spec.Datatype || !other.Shape.SequenceEqual(tensor.Shape) ? new(0, true) : Of(tensor, other));
        }

        return difference;
    }

    /// <summary>The tensor of that name; null when there is none.</summary>
    public static Tensor? Find(TensorSet set, string name)
    {
        foreach (var tensor in set.Tensors)
        {
            if (tensor.Spec.Name == name)
                return tensor;
        }

        return null;
    }

    private static AnswerDifference Of(Tensor a, Tensor b) => a.Spec.Datatype switch
    {
        Datatype.Float32 => OfNumbers<float>(a, b),
        Datatype.Float64 => OfNumbers<double>(a, b),
        Datatype.UInt8 => OfNumbers<byte>(a, b),
        Datatype.UInt16 => OfNumbers<ushort>(a, b),
        Datatype.UInt32 => OfNumbers<uint>(a, b),
        Datatype.UInt64 => OfNumbers<ulong>(a, b),
        Datatype.Int8 => OfNumbers<sbyte>(a, b),
        Datatype.Int16 => OfNumbers<short>(a, b),
        Datatype.Int32 => OfNumbers<int>(a, b),
        Datatype.Int64 => OfNumbers<long>(a, b),
        Datatype.String => new(0, !a.Strings.SequenceEqual(b.Strings)),
        _ => new(0, !a.Bytes.Span.SequenceEqual(b.Bytes.Span)),
    };

    private static AnswerDifference OfNumbers<T>(Tensor a, Tensor b)
        where T : unmanaged, INumber<T>
    {
        var left = a.Values<T>();
        var right = b.Values<T>();
        var (largest, isBeyond) = (0d, false);
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] == right[i])
                continue;
            var (x, y) = (double.CreateSaturating(left[i]), double.CreateSaturating(right[i]));
            var difference = Math.Min(Math.Abs(x - y), double.MaxValue);        // two float64 may lie further apart than one reaches
            largest = Math.Max(largest, difference);
            isBeyond |= !(difference <= Absolute + (Relative * Math.Max(Math.Abs(x), Math.Abs(y))));
        }

        return new AnswerDifference(largest, isBeyond);
    }

    private AnswerDifference And(AnswerDifference other) => new(Math.Max(Largest, other.Largest), IsBeyondTolerance || other.IsBeyondTolerance);
}
