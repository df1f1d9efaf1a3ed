using System.Collections.Immutable;
using System.Numerics;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;
using Slipway.Stats.Sketches;

namespace Slipway.Gateway.Sampling;

/// <summary>Counts the values of one input or output. Not thread-safe; allocates nothing while it counts.</summary>
internal sealed class FeatureTally(FeatureBins bins)
{
    private readonly long[] counts = new long[bins.Count];
    private long count, missing;
    private Moments moments;

    /// <param name="tensor">Of the datatype that the bins were made for, one value a row.</param>
    /// <param name="most">Rows that are counted.</param>
    public void Add(Tensor tensor, int most)
    {
        var rows = Math.Min(tensor.Count, most);
        switch (tensor.Spec.Datatype)
        {
            case Datatype.Float32:
                AddNumbers(tensor.Values<float>()[..rows]);
                break;
            case Datatype.Float64:
                AddNumbers(tensor.Values<double>()[..rows]);
                break;
            case Datatype.Int64:
                AddNumbers(tensor.Values<long>()[..rows]);
                break;
            case Datatype.Int32:
                AddNumbers(tensor.Values<int>()[..rows]);
                break;
            case Datatype.Int16:
                AddNumbers(tensor.Values<short>()[..rows]);
                break;
            case Datatype.Int8:
                AddNumbers(tensor.Values<sbyte>()[..rows]);
                break;
            case Datatype.UInt64:
                AddNumbers(tensor.Values<ulong>()[..rows]);
                break;
            case Datatype.UInt32:
                AddNumbers(tensor.Values<uint>()[..rows]);
                break;
            case Datatype.UInt16:
                AddNumbers(tensor.Values<ushort>()[..rows]);
                break;
            case Datatype.UInt8:
                AddNumbers(tensor.Values<byte>()[..rows]);
                break;
            case Datatype.Bool:
                foreach (var value in tensor.Values<byte>()[..rows])
                    Add(value != 0);
                break;
            default:
                foreach (var value in tensor.Strings[..rows])
                    Add(value);
                break;
        }
    }

    public void Add(double value)
    {
        count++;
        if (!double.IsFinite(value))
        {
            missing++;
            return;
        }

        if (counts.Length > 0)
            counts[bins.BinOf(value)]++;
        if (bins.HasMoments && Math.Abs(value) <= Moments.Largest)
            moments = moments.Add(value);
    }

    public void Add(string value)
    {
        count++;
        if (value.Length == 0)
            missing++;
        else if (counts.Length > 0)
            counts[bins.BinOf(value)]++;
    }

    public void Merge(FeatureTally other)
    {
        (count, missing, moments) = (count + other.count, missing + other.missing, moments.Merge(other.moments));
        for (var i = 0; i < counts.Length; i++)
            counts[i] += other.counts[i];
    }

    public void Clear()
    {
        (count, missing, moments) = (0, 0, default);
        Array.Clear(counts);
    }

    public FeatureProfile ToProfile() => new(bins.Name, new ColumnProfile(count, missing, counts.ToImmutableArray(), bins.HasMoments ? moments : null));

    private void Add(bool value)
    {
        count++;
        if (counts.Length > 0)
            counts[bins.BinOf(value)]++;
    }

    private void AddNumbers<T>(ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        foreach (var value in values)
            Add(double.CreateTruncating(value));
    }
}
