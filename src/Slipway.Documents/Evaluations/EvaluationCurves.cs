using System.Collections.Immutable;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Documents.Evaluations;

/// <summary>The evaluation's curves; determined by the predictions alone. No point rests on fewer than 20 rows, so none tells of a row.</summary>
/// <param name="Rows">As the evaluation has them; likewise <paramref name="Positives"/>.</param>
/// <param name="Roc">From (0, 0) to (1, 1) by falling score, at most 101 points; empty where a class is missing.</param>
/// <param name="Reliability">By rising score, at most 10 bins of about as many rows; empty below 20 rows.</param>
public sealed record EvaluationCurves(long Rows, long Positives, ImmutableArray<RocPoint> Roc, ImmutableArray<ReliabilityBin> Reliability)
{
    /// <param name="confidence">Of the bins' intervals, 0 to 1.</param>
    public static EvaluationCurves Of(ScoreCurves curves, long rows, long positives, double confidence)
    {
        var z = ShareInterval.ZOf(confidence);
        return new EvaluationCurves(rows, positives, positives == 0 || positives == rows ? [] : Points(curves.Steps, rows, positives), [.. curves.Bins.Select(bin => ReliabilityBin.Of(bin, z))]);
    }

    /// <summary>Whether these counts can be an evaluation's at all: they add up, never fall, and none is of fewer rows than allowed.</summary>
    public bool IsConsistent() => IsRoc() && IsReliability();

    private bool IsRoc()
    {
        if (Positives <= 0 || Positives >= Rows)
            return Roc.IsEmpty;
        if (Roc is not [{ N: 0, Fpr: 0, Tpr: 0 }, .., { Fpr: 1, Tpr: 1 } last] || last.N != Rows || Roc.Length > ScoreCurves.MostSteps + 1)
            return false;
        for (var i = 1; i < Roc.Length; i++)
        {
            var (before, point) = (Roc[i - 1], Roc[i]);
            if (point.N - before.N < Math.Min(ScoreCurves.LeastRows, Rows) || point.Tpr < before.Tpr || point.Fpr < before.Fpr
                || Math.Round(point.Tpr * Positives) + Math.Round(point.Fpr * (Rows - Positives)) != point.N)
                return false;
        }

        return true;
    }

    private bool IsReliability() => Rows < ScoreCurves.LeastRows
        ? Reliability.IsEmpty
        : Reliability.Length is >= 1 and <= ScoreCurves.MostBins
            && Reliability.All(bin => bin.N >= ScoreCurves.LeastRows && bin.Low <= bin.Observed && bin.Observed <= bin.High && bin is { Low: >= 0, High: <= 1, MeanScore: >= 0 and <= 1 })
            && Reliability.Sum(bin => bin.N) == Rows
            && Reliability.Sum(bin => Math.Round(bin.Observed * bin.N)) == Positives;

    private static ImmutableArray<RocPoint> Points(ImmutableArray<ScoreGroup> steps, long rows, long positives)
    {
        var points = ImmutableArray.CreateBuilder<RocPoint>(steps.Length + 1);
        points.Add(new RocPoint(0, 0, 0));
        var (n, right) = (0L, 0L);
        foreach (var step in steps)
        {
            (n, right) = (n + step.Rows, right + step.Positives);
            points.Add(new RocPoint(n, SignificantDigits.Round((n - right) / (double)(rows - positives)), SignificantDigits.Round(right / (double)positives)));
        }

        if (n < rows)
            points.Add(new RocPoint(rows, 1, 1));
        return points.ToImmutable();
    }
}

/// <summary>What comes of calling the highest scores positive.</summary>
/// <param name="N">Rows that are called so.</param>
/// <param name="Fpr">Share of the negatives that are among them.</param>
/// <param name="Tpr">Share of the positives that are.</param>
public sealed record RocPoint(long N, double Fpr, double Tpr);

/// <summary>Rows of like scores: what was said of them, and what came.</summary>
/// <param name="Observed">Share of the rows whose label is 1.</param>
/// <param name="Low">Wilson's interval at the evaluation's confidence. It takes rows as independent, and is too narrow where they are not.</param>
public sealed record ReliabilityBin(long N, double MeanScore, double Observed, double Low, double High)
{
    internal static ReliabilityBin Of(ScoreGroup bin, double z)
    {
        var (low, high) = ShareInterval.Wilson(bin.Positives, bin.Rows, z);
        return new ReliabilityBin(
            bin.Rows, SignificantDigits.Round(bin.ScoreSum / bin.Rows), SignificantDigits.Round(bin.Positives / (double)bin.Rows), SignificantDigits.Round(low), SignificantDigits.Round(high));
    }
}
