using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;

namespace Slipway.Documents.Differences;

/// <summary>How far a metric of one bundle is from another's, with its uncertainty.</summary>
/// <param name="A">Null where that bundle did not measure it; likewise <paramref name="B"/>.</param>
/// <param name="Difference">B − A; null where one is missing.</param>
/// <param name="Way">How the interval of the difference was made.</param>
/// <param name="Note">Why it was not made in pairs; null where it was.</param>
public sealed record MetricChange(string Metric, Figure? A, Figure? B, Figure? Difference, DifferenceWay Way, string? Note)
{
    internal static ImmutableArray<MetricChange> Between(BundleDocuments was, BundleDocuments now) =>
    [
        .. (was.Evaluation?.Metrics.Keys ?? []).Union(now.Evaluation?.Metrics.Keys ?? []).Order(StringComparer.Ordinal).Select(metric => Of(metric, was, now)),
    ];

    private static MetricChange Of(string metric, BundleDocuments was, BundleDocuments now)
    {
        var (a, b) = (was.Evaluation?.Metrics.GetValueOrDefault(metric), now.Evaluation?.Metrics.GetValueOrDefault(metric));
        if (a is null || b is null)
            return new MetricChange(metric, a, b, null, DifferenceWay.None, $"only {(a is null ? "b" : "a")} measured it");
        // Units, resamples and seed are the same: what both evaluations share cancels, resample by resample.
        var (paired, whyNot) = PairedReplicates.Difference(metric, now.Evaluation!, now.Replicates!, was.Evaluation!, was.Replicates!);
        if (paired is not null)
            return new MetricChange(metric, a, b, paired, paired.Low is null ? DifferenceWay.None : DifferenceWay.Paired, paired.Lacks);
        if (was.Evaluation!.Confidence != now.Evaluation!.Confidence)
            return new MetricChange(metric, a, b, new Figure(b.Value - a.Value, null, null, b.N, whyNot), DifferenceWay.None, whyNot);
        var apart = b.Minus(a);
        return new MetricChange(metric, a, b, apart, apart.Low is null ? DifferenceWay.None : DifferenceWay.Independent, whyNot);
    }
}

[JsonConverter(typeof(NamedEnum<DifferenceWay>))]
public enum DifferenceWay
{
    /// <summary>There is no interval.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>Resample by resample, over the same units.</summary>
    [JsonStringEnumMemberName("paired")] Paired,

    /// <summary>From the two intervals, as if the rows had nothing to do with each other: Zou and Donner 2008. Too wide where they have.</summary>
    [JsonStringEnumMemberName("independent")] Independent,
}
