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

    /// <summary>Of two evaluations whose replicates are not at hand.</summary>
    /// <param name="why">Said of every difference.</param>
    internal static ImmutableArray<MetricChange> Between(Evaluation? was, Evaluation? now, string why) =>
        [.. (was?.Metrics.Keys ?? []).Union(now?.Metrics.Keys ?? []).Order(StringComparer.Ordinal).Select(metric => Apart(metric, was, now, why))];

    private static MetricChange Of(string metric, BundleDocuments was, BundleDocuments now)
    {
        if (was.Evaluation?.Metrics.GetValueOrDefault(metric) is not { } a || now.Evaluation?.Metrics.GetValueOrDefault(metric) is not { } b)
            return Apart(metric, was.Evaluation, now.Evaluation, null);
        // Units, resamples and seed are the same: what both evaluations share cancels, resample by resample.
        var (paired, whyNot) = PairedReplicates.Difference(metric, now.Evaluation!, now.Replicates!, was.Evaluation!, was.Replicates!);
        if (paired is not null)
            return new MetricChange(metric, a, b, paired, paired.Low is null ? DifferenceWay.None : DifferenceWay.Paired, paired.Lacks);
        return Apart(metric, was.Evaluation, now.Evaluation, whyNot);
    }

    /// <summary>From the two intervals alone.</summary>
    private static MetricChange Apart(string metric, Evaluation? was, Evaluation? now, string? whyNotPaired)
    {
        if (was?.Metrics.GetValueOrDefault(metric) is not { } a || now?.Metrics.GetValueOrDefault(metric) is not { } b)
            return new MetricChange(metric, was?.Metrics.GetValueOrDefault(metric), now?.Metrics.GetValueOrDefault(metric), null, DifferenceWay.None, $"only {(was?.Metrics.ContainsKey(metric) is true ? "a" : "b")} measured it");
        if (was.Confidence != now.Confidence)
            return new MetricChange(metric, a, b, new Figure(b.Value - a.Value, null, null, b.N, whyNotPaired ?? "their intervals have different confidence"), DifferenceWay.None, whyNotPaired);
        var apart = b.Minus(a);
        return new MetricChange(metric, a, b, apart, apart.Low is null ? DifferenceWay.None : DifferenceWay.Independent, whyNotPaired);
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
