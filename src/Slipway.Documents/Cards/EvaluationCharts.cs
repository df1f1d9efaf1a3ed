using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;

namespace Slipway.Documents.Cards;

/// <summary>The pictures of a sealed evaluation.</summary>
public static class EvaluationCharts
{
    /// <summary>Slices of one column that are drawn, largest first.</summary>
    private const int MostSlices = 30;

    /// <summary>The first metric by the values of each column that the spec slices by.</summary>
    public static IEnumerable<IntervalChart> Slices(Evaluation evaluation) => evaluation.Metrics.IsEmpty ? [] : evaluation.Slices.Select((column, i) =>
    {
        var metric = evaluation.Metrics.ContainsKey("auc") ? "auc" : evaluation.Metrics.Keys.First();
        var shown = column.Value.Take(MostSlices).ToArray();
        return new IntervalChart(
            $"slices-{i + 1}",
            $"{metric} by {column.Key}",
            $"The dashed line is {metric} over all rows. {(shown.Length < column.Value.Length ? $"The largest {shown.Length} of {column.Value.Length} values; t" : "T")}he fewer rows, the wider the interval.",
            ChartUnit.Number,
            [.. shown.Select(slice => new IntervalRow($"{slice.Value} ({CountText.Some(slice.N, "row")})", slice.Metrics.GetValueOrDefault(metric), slice.Metrics.IsEmpty ? "too few rows" : "not defined here"))],
            new ReferenceLine(evaluation.Metrics[metric].Value, "all rows"));
    });

    /// <summary>How well scores rank, and how far they can be taken at their word.</summary>
    public static IEnumerable<CurveChart> Curves(Evaluation evaluation, EvaluationCurves curves)
    {
        var auc = evaluation.Metrics.GetValueOrDefault("auc");
        yield return new CurveChart(
            "roc",
            $"Receiver operating characteristic{(auc is null ? "" : $": area {FigureText.Of(auc, ChartUnit.Number)}")}",
            $"Calling ever more of the highest scores positive: how many of the negatives are then called so, and how many of the positives. {(auc is null ? "The area was not asked for" : $"Interval of the area of {NumberText.Short(evaluation.Confidence, ChartUnit.Share)}")}; at least 20 rows lie between two points.",
            "Negatives called positive", "Positives called positive", "chance",
            [.. curves.Roc.Select(point => new CurvePoint(point.Fpr, point.Tpr, null, null, point.N))],
            IsLine: true);
        yield return new CurveChart(
            "reliability",
            $"Reliability{(evaluation.Metrics.GetValueOrDefault("ece") is { } ece ? $": calibration error {FigureText.Of(ece, ChartUnit.Number)}" : "")}",
            $"Rows in {CountText.Some(curves.Reliability.Length, "group")} of like scores: the mean score, and the share that was positive. Intervals of {NumberText.Short(evaluation.Confidence, ChartUnit.Share)} by Wilson take rows as independent{(evaluation.Unit is { } unit ? $", and are too narrow where those of one {unit} are alike" : "")}.",
            "Mean score", "Share that was positive", "scores are shares",
            [.. curves.Reliability.Select(bin => new CurvePoint(bin.MeanScore, bin.Observed, bin.Low, bin.High, bin.N))],
            IsLine: false);
    }
}
