using System.Collections.Immutable;
using Slipway.Documents.Serving;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Tensors;

/// <summary>All inputs, or all outputs, of one request: a tensor for each name of the signature. Kept and used again; not thread-safe.</summary>
public sealed class TensorSet : IDisposable
{
    private readonly Tensor[] tensors;

    /// <param name="kind">As the messages say it: <c>input</c> or <c>output</c>.</param>
    private TensorSet(string kind, ImmutableArray<TensorSpec> specs)
    {
        Kind = kind;
        tensors = [.. specs.Select(spec => new Tensor(spec))];
    }

    public static TensorSet ForInputs(ModelSignature signature) => new("input", signature.Inputs);

    public static TensorSet ForOutputs(ModelSignature signature) => new("output", signature.Outputs);

    /// <summary>In the signature's order.</summary>
    public ReadOnlySpan<Tensor> Tensors => tensors;

    /// <summary>Rows of the request: the first size of the first tensor whose signature leaves it open; 1 when none does.</summary>
    public long Batch
    {
        get
        {
            foreach (var tensor in tensors)
            {
                if (HasBatch(tensor) && tensor.Shape.Length > 0)
                    return tensor.Shape[0];
            }

            return 1;
        }
    }

    internal string Kind { get; }

    /// <summary>Holds every tensor against the signature: there, shape, number of elements, the same batch, values in range and finite.</summary>
    /// <returns>The first thing that is wrong, as a sentence for the sender; null when all is well.</returns>
    public string? Check()
    {
        Tensor? first = null;
        foreach (var tensor in tensors)
        {
            var name = $"{Kind} '{tensor.Spec.Name}'";
            if (!tensor.IsPresent)
                return $"{name} is missing; the signature has {Names()}";
            if (CheckShape(tensor) is { } wrongShape)
                return $"{name} {wrongShape}";
            if (HasBatch(tensor))
            {
                first ??= tensor;
                if (tensor.Shape[0] != first.Shape[0])
                    return $"{name} has {tensor.Shape[0]} rows and {Kind} '{first.Spec.Name}' has {first.Shape[0]}; all must have the same number";
            }

            if (ValueCheck.Of(tensor) is { } wrongValue)
                return $"{name}: {wrongValue}";
        }

        return null;
    }

    /// <summary>Forgets all elements and keeps the buffers.</summary>
    public void Clear()
    {
        foreach (var tensor in tensors)
            tensor.Clear();
    }

    /// <summary>Gives the buffers back to the pool.</summary>
    public void Dispose()
    {
        foreach (var tensor in tensors)
            tensor.Release();
    }

    /// <summary>What to say to somebody who sent a name that is not in the signature.</summary>
    public string Unknown(string name) =>
        NearestName.Of(name, tensors.Select(tensor => tensor.Spec.Name)) is { } near
            ? $"unknown {Kind} '{name}'; did you mean '{near}'?"
            : $"unknown {Kind} '{name}'; the signature has {Names()}";

    internal static string Text(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";

    private static bool HasBatch(Tensor tensor) => tensor.Spec.Shape is [-1, ..];

    private string Names() => string.Join(", ", tensors.Select(tensor => $"'{tensor.Spec.Name}' {TensorJson.NameOf(tensor.Spec.Datatype)}"));

    private static string? CheckShape(Tensor tensor)
    {
        var found = tensor.Shape;
        var expected = tensor.Spec.Shape.AsSpan();
        var fits = found.Length == expected.Length;
        var elements = 1L;
        for (var i = 0; fits && i < found.Length; i++)
        {
            fits = found[i] >= 1 && (expected[i] == -1 || found[i] == expected[i]);
            elements = fits && elements <= int.MaxValue / found[i] ? elements * found[i] : long.MaxValue;
            if (elements == long.MaxValue)
                break;
        }

        if (!fits)
            return $"has shape {Text(found)}, expected {Text(expected)}{(expected.Contains(-1) ? ", where -1 is any size from 1 on" : "")}";
        return elements == tensor.Count ? null : $"has {tensor.Count} elements, which do not fit its shape {Text(found)}";
    }
}
