using System.Numerics;
using Slipway.Documents.Incidents;
using Slipway.Documents.Serving;

namespace Slipway.Runtime.Tensors;

/// <summary>How far two versions' answers to one request lie apart, number by number.</summary>
/// <param name="Largest">Absolute difference of any two numbers; 0 when none differ, and for texts and truth values, which differ or do not.</param>
/// <param name="IsBeyondTolerance">Some two numbers differ by more than the tolerance allows, or anything else differs at all.</param>
public readonly record struct AnswerDifference(double Largest, bool IsBeyondTolerance)
{
    /// <summary>With the tolerance of <see cref="Tolerance.Default"/>.</summary>
    /// <inheritdoc cref="Of(TensorSet, TensorSet, Tolerance)"/>
    public static AnswerDifference Of(TensorSet stable, TensorSet candidate) => Of(stable, candidate, Tolerance.Default);

    /// <param name="stable">Filled and checked.</param>
    /// <param name="candidate">Filled and checked.</param>
    public static AnswerDifference Of(TensorSet stable, TensorSet candidate, Tolerance tolerance) => Of(stable, candidate, tolerance, 0, 1);

    /// <summary>Of one row of both answers.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="rows">Of each answer; an output that cannot be divided by it is compared whole.</param>
    public static AnswerDifference Of(TensorSet stable, TensorSet candidate, Tolerance tolerance, int row, int rows)
    {
        var difference = new AnswerDifference(0, stable.Tensors.Length != candidate.Tensors.Length);
        foreach (var tensor in stable.Tensors)
        {
            var other = Find(candidate, tensor.Spec.Name);
            difference = difference.And(other is null || other.Spec.Datatype != tensor.Spec.Datatype || !other.Shape.SequenceEqual(tensor.Shape) ? new(0, true) : Of(tensor, other, tolerance, PartOf(tensor, row, rows)));
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

    private static Range PartOf(Tensor tensor, int row, int rows) =>
        rows > 1 && tensor.Count % rows == 0 ? (row * (tensor.Count / rows))..((row + 1) * (tensor.Count / rows)) : 0..tensor.Count;

    private static AnswerDifference Of(Tensor a, Tensor b, Tolerance tolerance, Range part) => a.Spec.Datatype switch
    {
        Datatype.Float32 => OfNumbers<float>(a, b, tolerance, part),
        Datatype.Float64 => OfNumbers<double>(a, b, tolerance, part),
        Datatype.UInt8 => OfNumbers<byte>(a, b, tolerance, part),
        Datatype.UInt16 => OfNumbers<ushort>(a, b, tolerance, part),
        Datatype.UInt32 => OfNumbers<uint>(a, b, tolerance, part),
        Datatype.UInt64 => OfNumbers<ulong>(a, b, tolerance, part),
        Datatype.Int8 => OfNumbers<sbyte>(a, b, tolerance, part),
        Datatype.Int16 => OfNumbers<short>(a, b, tolerance, part),
        Datatype.Int32 => OfNumbers<int>(a, b, tolerance, part),
        Datatype.Int64 => OfNumbers<long>(a, b, tolerance, part),
        Datatype.String => new(0, !a.Strings[part].SequenceEqual(b.Strings[part])),
        _ => new(0, !a.Values<byte>()[part].SequenceEqual(b.Values<byte>()[part])),
    };

    private static AnswerDifference OfNumbers<T>(Tensor a, Tensor b, Tolerance tolerance, Range part)
        where T : unmanaged, INumber<T>
    {
        var left = a.Values<T>()[part];
        var right = b.Values<T>()[part];
        var (largest, isBeyond) = (0d, false);
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] == right[i])
                continue;
            var (x, y) = (double.CreateSaturating(left[i]), double.CreateSaturating(right[i]));
            var difference = Math.Min(Math.Abs(x - y), double.MaxValue);        // two float64 may lie further apart than one reaches
            largest = Math.Max(largest, difference);
            isBeyond |= !tolerance.Allows(difference, Math.Max(Math.Abs(x), Math.Abs(y)));
        }

        return new AnswerDifference(largest, isBeyond);
    }

    private AnswerDifference And(AnswerDifference other) => new(Math.Max(Largest, other.Largest), IsBeyondTolerance || other.IsBeyondTolerance);
}
