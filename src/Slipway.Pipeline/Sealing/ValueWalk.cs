using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Monitoring;
using Slipway.Stats.Metrics;
using Slipway.Stats.Sketches;

namespace Slipway.Pipeline.Sealing;

/// <summary>Goes through a column's numbers once, in ascending order, and finds its bins and moments on the way.</summary>
/// <param name="rows">Numbers in all, equal ones counted each.</param>
internal sealed class ValueWalk(long rows)
{
    private readonly List<(double Value, long Rows)> first = [];
    private readonly List<double> quantiles = [];
    private Moments moments;
    private long passed;
    private double last;

    /// <summary>Of all up to now, rounded to what is stored.</summary>
    public Moments Moments => moments with
    {
        Mean = SignificantDigits.Round(moments.Mean),
        M2 = SignificantDigits.Round(moments.M2),
        M3 = SignificantDigits.Round(moments.M3),
        M4 = SignificantDigits.Round(moments.M4),
    };

    /// <param name="value">Above the one before.</param>
    public void Add(double value, long count)
    {
        if (first.Count <= ReferenceFeature.MostValues)
            first.Add((value, count));
        // The quantile at k/n is the first value up to which at least that share of the rows lies.
        for (passed += count; quantiles.Count < ReferenceFeature.QuantileBins - 1 && passed >= ((rows * (quantiles.Count + 1)) + ReferenceFeature.QuantileBins - 1) / ReferenceFeature.QuantileBins;)
            quantiles.Add(value);
        last = value;
        if (Math.Abs(value) <= Moments.Largest)
            moments = moments.Merge(new Moments(count, value, value, value, 0, 0, 0));
    }

    /// <summary>Upper ends of all bins but the last.</summary>
    /// <param name="isSensitive">None of them is then a value that few rows hold: it would be somebody's.</param>
    public ImmutableArray<double> Edges(bool isSensitive)
    {
        var isCountable = first.Count <= ReferenceFeature.MostValues;
        if (isCountable && !(isSensitive && first.Any(value => value.Rows < ReferenceFeature.LeastSensitiveRows)))
            return [.. first.SkipLast(1).Select(value => value.Value)];
        return [.. quantiles.Where(edge => edge < last).Select(edge => isSensitive ? Coarse(edge) : edge).Distinct().Order()];
    }

    /// <summary>Puts neighbouring bins together until each has enough rows to be nobody's.</summary>
    public static (ImmutableArray<double> Edges, ImmutableArray<long> Bins) Coarsen(ImmutableArray<double> edges, ImmutableArray<long> bins)
    {
        var (keptEdges, kept) = (new List<double>(), new List<long>());
        var open = 0L;
        for (var i = 0; i < bins.Length; i++)
        {
            open += bins[i];
            if (open < ReferenceFeature.LeastSensitiveRows || i == edges.Length)
                continue;
            keptEdges.Add(edges[i]);
            kept.Add(open);
            open = 0;
        }

        if (open < ReferenceFeature.LeastSensitiveRows && kept.Count > 0)
        {
            keptEdges.RemoveAt(keptEdges.Count - 1);
            open += kept[^1];
            kept.RemoveAt(kept.Count - 1);
        }

        return ([.. keptEdges], [.. kept, open]);
    }

    /// <summary>Two significant digits.</summary>
    private static double Coarse(double value) => double.Parse(value.ToString("E1", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + 0.0;
}
