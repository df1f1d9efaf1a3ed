using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>What every host asks of a model's answer, and the request that a model is tried with before anyone else's.</summary>
internal static class Answer
{
    /// <returns>What is wrong with the answer; null when it is what the signature promises for these inputs.</returns>
    public static string? Check(TensorSet inputs, TensorSet outputs)
    {
        if (outputs.Check() is { } fault)
            return fault;
        foreach (var tensor in outputs.Tensors)
        {
            if (tensor.Spec.Shape is [-1, ..] && tensor.Shape[0] != inputs.Batch)
                return $"output '{tensor.Spec.Name}' has {tensor.Shape[0]} rows for {inputs.Batch} of input";
        }

        return null;
    }

    /// <summary>One row of values that the signature allows: the nearest to zero, <c>false</c>, and the empty string.</summary>
    public static void FillExample(TensorSet inputs)
    {
        foreach (var tensor in inputs.Tensors)
        {
            long[] shape = [.. tensor.Spec.Shape.Select(size => size == -1 ? 1 : size)];
            tensor.SetShape(shape);
            for (var left = shape.Aggregate(1L, (product, size) => product * size); left > 0; left--)
                AddExample(tensor);
        }
    }

    /// <summary>An empty string, or a number where no range is given, may be a value that the model rightly refuses.</summary>
    public static bool IsInconclusive(ModelSignature signature) => signature.Inputs.Any(spec => spec.Datatype == Datatype.String || spec.Range is null);

    private static void AddExample(Tensor tensor)
    {
        var (low, high) = (tensor.Spec.Range?.Low ?? double.MinValue, tensor.Spec.Range?.High ?? double.MaxValue);
        var value = Math.Max(low, Math.Min(high, 0));
        if (tensor.Spec.Datatype == Datatype.String)
            tensor.Add("");
        else if (tensor.Spec.Datatype == Datatype.Bool)
            tensor.Add(byte.CreateSaturating(Math.Ceiling(value)));
        else
            NumberInRange.Add(tensor, value, low, high);
    }
}
