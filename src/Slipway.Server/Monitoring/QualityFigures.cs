using System.Collections.Immutable;
using MathNet.Numerics.Distributions;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Server.Monitoring;

/// <summary>Metrics of labelled predictions with intervals of 95 %.</summary>
/// <remarks>
/// Neighbours in time often go wrong together, so with at least <see cref="LeastParts"/> windows the error is that of a jackknife that leaves one window out at a
/// time; the interval by rows is taken where it is wider. With fewer windows it is by rows alone, and says so. Where one window has all of a class, AUC has
/// neither: rows of one window are not independent, and no other window tells how it varies.
/// </remarks>
internal static class QualityFigures
{
    /// <summary>Labels below which there is no interval, and no AUC.</summary>
    public const int LeastLabels = 20;

    /// <summary>Of either class, below which there is no AUC: DeLong's variance over so few is itself a guess, and over one alone it is 0.</summary>
    public const int LeastOfClass = 10;

    public const int LeastParts = 10;

    private const string Auc = "auc";

    /// <param name="parts">The sums of the windows that make up the whole.</param>
    public static (ImmutableSortedDictionary<string, Figure> Figures, IntervalBasis Basis) Of(QualitySum whole, IReadOnlyList<QualitySum> parts)
    {
        if (whole.Labelled == 0)
            return (ImmutableSortedDictionary<string, Figure>.Empty, IntervalBasis.None);
        var isBinary = whole.Scores.Count > 0;
        var labelled = parts.Where(part => part.Labelled > 0).ToArray();
        var n = isBinary ? whole.Scores.Count : whole.Errors.Count;
        var hasAuc = n >= LeastLabels && Fewer(whole.Scores) >= LeastOfClass;
        var byRows = (isBinary ? OfScores(whole.Scores) : OfErrors(whole.Errors)).Where(metric => hasAuc || metric.Name != Auc);
        if (n < LeastLabels)
            return (Told(byRows, n, _ => null, $"{n} labels, and {LeastLabels} are the least that say anything"), IntervalBasis.None);
        if (labelled.Length < LeastParts)
            return (Told(byRows, n, metric => (metric.Low, metric.High), null), IntervalBasis.Rows);
        var without = labelled.Select(part => (isBinary ? OfScores(whole.Scores.Without(part.Scores)) : OfErrors(whole.Errors.Without(part.Errors))).ToDictionary(metric => metric.Name, metric => metric.Value)).ToArray();
        return (Told(byRows, n, metric => Wider(metric, without), "one window has all of a class, so windows do not tell how it varies"), IntervalBasis.Windows);
    }

    private static ImmutableSortedDictionary<string, Figure> Told(IEnumerable<Metric> metrics, long n, Func<Metric, (double Low, double High)?> interval, string? lacks) =>
        metrics.ToImmutableSortedDictionary(
            metric => metric.Name,
            metric => interval(metric) is var (low, high)
                ? new Figure(Round(metric.Value), Round(Math.Max(metric.Least, low)), Round(Math.Min(metric.Most, high)), n)
                : new Figure(Round(metric.Value), null, null, n, lacks),
            StringComparer.Ordinal);

    /// <returns>Null where a window is left out without which there is no such metric.</returns>
    private static (double Low, double High)? Wider(Metric metric, Dictionary<string, double>[] without)
    {
        var left = without.Where(values => values.ContainsKey(metric.Name)).Select(values => values[metric.Name]).ToArray();
        if (left.Length < without.Length)
            return null;
        var mean = left.Average();
        var error = Math.Sqrt((left.Length - 1.0) / left.Length * left.Sum(value => (value - mean) * (value - mean)));
        var reach = StudentT.InvCDF(0, 1, left.Length - 1, 0.975) * error;
        return (Math.Min(metric.Low, metric.Value - reach), Math.Max(metric.High, metric.Value + reach));
    }

    /// <param name="Low">Of the interval by rows.</param>
    /// <param name="Least">What the metric can be at least.</param>
    private sealed record Metric(string Name, double Value, double Low, double High, double Least, double Most);

    private static IEnumerable<Metric> OfScores(BinnedScores scores)
    {
        double n = scores.Count;
        if (n == 0)
            yield break;
        var (low, high) = ShareInterval.Wilson(scores.Right(), n, ShareInterval.Z95);
        yield return new("accuracy", scores.Right() / n, low, high, 0, 1);
        yield return Mean("brier", n, scores.Squares.Sum(), scores.FourthPowers, 1);
        yield return Mean("log_loss", n, scores.Loss, scores.LossSquares, double.PositiveInfinity);
        var (ece, eceError) = scores.Calibration();
        yield return new("ece", ece, ece - (ShareInterval.Z95 * eceError), ece + (ShareInterval.Z95 * eceError), 0, 1);
        var (auc, error) = scores.Auc();
        if (double.IsNaN(auc))
            yield break;
        if (error == 0)
            (low, high) = ShareInterval.Wilson(auc * Fewer(scores), Fewer(scores), ShareInterval.Z95);      // told apart without fault, as often as the rarer class allows to see
        else
            (low, high) = (auc - (ShareInterval.Z95 * error), auc + (ShareInterval.Z95 * error));
        yield return new(Auc, auc, low, high, 0, 1);
    }

    private static long Fewer(BinnedScores scores) => Math.Min(scores.Positives.Sum(), scores.Negatives.Sum());

    private static IEnumerable<Metric> OfErrors(ErrorSums errors)
    {
        double n = errors.Count;
        if (n == 0)
            yield break;
        yield return Mean("mae", n, errors.Absolute, errors.Squares, double.PositiveInfinity);
        var bias = Mean("bias", n, errors.Plain, errors.Squares, double.PositiveInfinity);
        yield return bias with { Least = double.NegativeInfinity };
        var square = Mean("rmse", n, errors.Squares, errors.FourthPowers, double.PositiveInfinity);
        var rmse = Math.Sqrt(square.Value);
        var reach = rmse == 0 ? 0 : (square.High - square.Value) / (2 * rmse);
        yield return new("rmse", rmse, rmse - reach, rmse + reach, 0, double.PositiveInfinity);
    }

    private static Metric Mean(string name, double n, double sum, double squares, double most)
    {
        var mean = sum / n;
        var reach = n > 1 ? ShareInterval.Z95 * Math.Sqrt(Math.Max(0, (squares / n) - (mean * mean)) / (n - 1)) : 0;
        return new(name, mean, mean - reach, mean + reach, 0, most);
    }

    private static double Round(double value) => SignificantDigits.Round(value);
}
