using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Runtime.Tensors;

public sealed class AnswerDifferenceTests
{
    [Theory]
    [InlineData(1.0, 1.0, 0, false)]
    [InlineData(0.0, -0.0, 0, false)]
    [InlineData(0.0, 9e-7, 9e-7, false)]
    [InlineData(0.0, 2e-6, 2e-6, true)]
    [InlineData(1e6, 1e6 + 5, 5, false)]
    [InlineData(1e6, 1e6 + 50, 50, true)]
    [InlineData(1e308, -1e308, double.MaxValue, true)]
    public void Numbers_differ_by_more_than_the_tolerance_or_not(double left, double right, double largest, bool beyond)
    {
        var difference = Of(Datatype.Float64, [left], [right], [1], [1]);
        Assert.Equal(beyond, difference.IsBeyondTolerance);
        Assert.Equal(largest, difference.Largest, largest * 1e-6);
    }

    [Fact]
    public void Whole_numbers_differ_by_one()
    {
        Assert.Equal(new AnswerDifference(1, true), Of<long>(Datatype.Int64, [1, 2], [1, 3], [2], [2]));
        Assert.Equal(new AnswerDifference(1, true), Of<ulong>(Datatype.UInt64, [0], [1], [1], [1]));
        Assert.Equal(new AnswerDifference(0, false), Of<byte>(Datatype.Bool, [1, 0], [1, 0], [2], [2]));
        Assert.Equal(new AnswerDifference(0, true), Of<byte>(Datatype.Bool, [1, 0], [1, 1], [2], [2]));
    }

    [Fact]
    public void Another_shape_another_type_and_a_missing_output_differ()
    {
        Assert.True(Of<float>(Datatype.Float32, [1, 2], [1, 2], [2, 1], [1, 2]).IsBeyondTolerance);
        using var floats = Set(new TensorSpec("y", Datatype.Float32, [-1], null, null));
        using var longs = Set(new TensorSpec("y", Datatype.Int64, [-1], null, null));
        using var other = Set(new TensorSpec("z", Datatype.Float32, [-1], null, null));
        using var none = Set();
        Assert.True(AnswerDifference.Of(floats, longs).IsBeyondTolerance);
        Assert.True(AnswerDifference.Of(floats, other).IsBeyondTolerance);
        Assert.True(AnswerDifference.Of(floats, none).IsBeyondTolerance);
        Assert.True(AnswerDifference.Of(none, floats).IsBeyondTolerance);
    }

    [Fact]
    public void Texts_differ_or_do_not()
    {
        using var left = Set(new TensorSpec("y", Datatype.String, [-1], null, null));
        using var right = Set(new TensorSpec("y", Datatype.String, [-1], null, null));
        foreach (var set in new[] { left, right })
        {
            set.Tensors[0].SetShape([1]);
            set.Tensors[0].Add("a");
        }

        Assert.Equal(new AnswerDifference(0, false), AnswerDifference.Of(left, right));
        right.Clear();
        right.Tensors[0].SetShape([1]);
        right.Tensors[0].Add("b");
        Assert.Equal(new AnswerDifference(0, true), AnswerDifference.Of(left, right));
    }

    private static TensorSet Set(params TensorSpec[] outputs) => TensorSet.ForOutputs(new ModelSignature([], [.. outputs]));

    private static AnswerDifference Of<T>(Datatype datatype, T[] left, T[] right, long[] leftShape, long[] rightShape)
        where T : unmanaged
    {
        var spec = new TensorSpec("y", datatype, [.. leftShape.Select(_ => -1L)], null, null);
        using var a = Set(spec);
        using var b = Set(spec);
        HostedModels.Fill(a.Tensors[0], left, leftShape);
        HostedModels.Fill(b.Tensors[0], right, rightShape);
        return AnswerDifference.Of(a, b);
    }
}
