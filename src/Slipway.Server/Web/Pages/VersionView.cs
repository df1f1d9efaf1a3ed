using System.Collections.Immutable;
using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Registry;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>A version with all that is sealed in it, and what was said and done about it since.</summary>
/// <param name="Card">Null where it was registered before cards were kept.</param>
/// <param name="Baseline">The version that its gates compare it with, and what that has; null for none that is registered here.</param>
/// <param name="Promotions">Newest first.</param>
/// <param name="Stays">Where it is and was, by channel with production first.</param>
/// <param name="TakenBack">The channels that it was taken back from, and is not on again.</param>
public sealed record VersionView(ModelVersionDetail Detail, SealedCard? Card, SeenVersion? Baseline, ImmutableArray<Promotion> Promotions, ImmutableArray<Stay> Stays, ImmutableArray<TakenBack> TakenBack) : ICharted
{
    public ModelVersion Version => Detail.Version;

    public string Path => $"/models/{Version.Model}/versions/{Version.Number}";

    /// <summary>Which data the sealed figures are of; null where no evaluation is sealed, or the lineage does not tell.</summary>
    public string? Measured => Detail.Evaluation is { } evaluation ? MeasuredOn.Of(evaluation, Detail.Lineage) : null;

    public IEnumerable<Chart> Charts => [.. Metrics, .. Slices, Lineage];

    /// <summary>One chart a metric, beside the baseline where there is one.</summary>
    public IEnumerable<IntervalChart> Metrics => Detail.Evaluation is not { } evaluation ? [] : evaluation.Metrics.Select(metric => new IntervalChart(
        $"metric-{metric.Key.Replace('_', '-')}",
        $"{metric.Key} on {Words.Some(evaluation.Rows, "held-out row")}",
        $"{MetricMeaning.Of(metric.Key)} Interval of {NumberText.Short(evaluation.Confidence, ChartUnit.Share)} by {evaluation.Method}, {Words.Count(evaluation.Resamples)} resamples of {(evaluation.Unit is { } unit ? $"{Words.Count(evaluation.Units)} values of {unit}" : "rows")}.{(Baseline is null ? " There is no baseline to compare it with." : "")}",
        ChartUnit.Number,
        [
            new IntervalRow($"version {Version.Number}", metric.Value, IsMain: true),
            .. Baseline is { } baseline ? [new IntervalRow($"baseline, version {baseline.Version.Number}", baseline.Evaluation?.Metrics.GetValueOrDefault(metric.Key), "not measured")] : ImmutableArray<IntervalRow>.Empty,
        ],
        Baseline?.Evaluation?.Metrics.GetValueOrDefault(metric.Key) is { } held ? new ReferenceLine(held.Value, "baseline") : null));

    /// <summary>The first metric by the values of each column that the spec slices by.</summary>
    public IEnumerable<IntervalChart> Slices => Detail.Evaluation is { } evaluation ? EvaluationCharts.Slices(evaluation) : [];

    public GraphChart Lineage => LineageChart.Of(Detail.Lineage);
}
