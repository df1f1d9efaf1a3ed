using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Server.Monitoring;

/// <summary>How often and how fast a version answered, with intervals of 95 %. Every request is counted: they rest on requests.</summary>
internal static class TrafficFigures
{
    private static readonly ImmutableArray<(string Name, double Share)> Quantiles = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

    /// <returns>Null without a request.</returns>
    public static Figure? ErrorRate(WindowSum sum) => Figure.OfShare(sum.Bad.Sum(), sum.Requests);

    /// <summary>Seconds, by quantile.</summary>
    public static ImmutableSortedDictionary<string, Figure> Latency(WindowSum sum) => sum.Latency.Sum() is > 0 and var answers
        ? Quantiles.ToImmutableSortedDictionary(quantile => quantile.Name, quantile => Quantile(sum.Latency, answers, quantile.Share), StringComparer.Ordinal)
        : ImmutableSortedDictionary<string, Figure>.Empty;

    /// <summary>
    /// Between the bounds of its bucket, by where its rank lies among the bucket's. The interval has the outer bounds of the buckets in which the ranks
    /// lie that a binomial sample puts around it; where such a rank is beyond the sample, the interval is open: to 0, or to no upper end at all.
    /// </summary>
    /// <remarks>Order statistics, by the normal approximation of their ranks. Source: Conover, "Practical Nonparametric Statistics", 3rd edition, section 3.2.</remarks>
    private static Figure Quantile(ReadOnlySpan<long> buckets, long answers, double share)
    {
        var spread = ShareInterval.Z95 * Math.Sqrt(answers * share * (1 - share));
        var (lowRank, highRank) = (Math.Floor((answers * share) - spread), Math.Ceiling((answers * share) + spread) + 1);
        var low = lowRank < 1 ? 0 : Lower(Bucket(buckets, lowRank, out _));
        var at = Bucket(buckets, Math.Max(1, answers * share), out var within);
        var value = at < LatencyBuckets.Bounds.Length ? Lower(at) + (within * (LatencyBuckets.Bounds[at] - Lower(at))) : Lower(at);
        if (highRank > answers)
            return new(Round(value), Round(low), null, answers, $"{answers} answers are too few to say how late it may be at most");
        var high = Bucket(buckets, highRank, out _);
        return high < LatencyBuckets.Bounds.Length
            ? new(Round(value), Round(low), Round(LatencyBuckets.Bounds[high]), answers)
            : new(Round(value), Round(low), null, answers, $"it may lie beyond {Round(LatencyBuckets.Bounds[^1])} s, which is as far as latencies are told apart");
    }

    private static int Bucket(ReadOnlySpan<long> buckets, double rank, out double within)
    {
        var sum = 0L;
        for (var i = 0; i < buckets.Length; i++)
        {
            if (buckets[i] > 0 && sum + buckets[i] >= rank)
            {
                within = Math.Clamp((rank - sum) / buckets[i], 0, 1);
                return i;
            }

            sum += buckets[i];
        }

        within = 1;
        return buckets.Length - 1;
    }

    private static double Lower(int bucket) => bucket == 0 ? 0 : LatencyBuckets.Bounds[bucket - 1];

    private static double Round(double value) => SignificantDigits.Round(value);
}
