using System.Collections.Frozen;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Serving;

namespace Slipway.Gateway.Sampling;

/// <summary>Where the values of one input or output fall: the bins of the sealed reference, made ready for looking up. Immutable and thread-safe.</summary>
/// <remarks>A value that is in no bin of its own leaves no trace but a count: whoever invents values fills one bin, and no memory.</remarks>
internal sealed class FeatureBins
{
    private readonly double[] edges = [];
    private readonly FrozenDictionary<string, int> categories = FrozenDictionary<string, int>.Empty;
    private readonly int untrue, isTrue;

    /// <param name="reference">Null without a sealed reference of this name and kind: then nothing is binned.</param>
    /// <param name="isSensitive">Nothing is kept but counts by bin: a mean of few values is a person's.</param>
    public FeatureBins(TensorSpec spec, ReferenceFeature? reference, bool isSensitive)
    {
        (Name, IsText) = (spec.Name, spec.HasCategories);
        HasMoments = !IsText && !isSensitive;
        if (reference is null || (reference.Edges is null) != IsText)
            return;
        Count = reference.BinCount;
        if (reference.Edges is { } numbers)
        {
            edges = [.. numbers];
            return;
        }

        categories = reference.Categories!.Value.Select((category, bin) => KeyValuePair.Create(category, bin)).ToFrozenDictionary(StringComparer.Ordinal);
        (untrue, isTrue) = (BinOf(ReferenceFeature.False), BinOf(ReferenceFeature.True));
    }

    public string Name { get; }

    /// <summary>Text or truth, by categories; else numbers, by edges.</summary>
    public bool IsText { get; }

    public bool HasMoments { get; }

    /// <summary>0 where no bins are known.</summary>
    public int Count { get; }

    /// <param name="value">Finite.</param>
    public int BinOf(double value)
    {
        // The first edge that is not below the value: the last bin has none.
        var (low, high) = (0, edges.Length);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (edges[middle] < value)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    public int BinOf(string value) => value.Length <= ReferenceFeature.LongestCategory && categories.TryGetValue(value, out var bin) ? bin : Count - 1;

    public int BinOf(bool value) => value ? isTrue : untrue;
}
