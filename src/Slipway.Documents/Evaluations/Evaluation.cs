using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Documents.Evaluations;

/// <summary>Metrics with confidence intervals, computed from the predictions; determined by them and the spec alone.</summary>
/// <param name="Predictions">Digest of the predictions table.</param>
/// <param name="Rows">Rows of that table.</param>
/// <param name="Positives">Rows whose label is 1.</param>
/// <param name="Unit">Column that was resampled as a whole; null for rows.</param>
/// <param name="Units">How many units were resampled.</param>
/// <param name="UnitsDigest">
/// Of every unit with its rows and positives, in order (for rows: of their labels, in order): equal digests mean that two evaluations can be paired.
/// </param>
/// <param name="Method">
/// <c>bca</c>, up to 1,024 units, or <c>percentile</c>. The intervals of <c>ece</c> are percentile ones always: it cannot fall below
/// zero, and BCa takes that edge for a bias.
/// </param>
/// <param name="Confidence">Level of every interval, such as 0.95.</param>
/// <param name="Metrics">By name: auc, accuracy (of scores from 0.5 on as 1), log_loss, brier, ece (debiased), ece_plain.</param>
/// <param name="Slices">By column, each value with at least one row, largest first.</param>
public sealed record Evaluation(
    Digest Predictions,
    long Rows,
    long Positives,
    string? Unit,
    int Units,
    Digest UnitsDigest,
    string Method,
    double Confidence,
    int Resamples,
    long Seed,
    ImmutableSortedDictionary<string, Figure> Metrics,
    ImmutableSortedDictionary<string, ImmutableArray<SliceEvaluation>> Slices);

/// <summary>A number with its uncertainty. Stored figures are rounded to 12 significant digits.</summary>
/// <param name="Low">Lower end of the interval; null where it could not be computed (too few units), which no gate can pass on.</param>
/// <param name="N">Rows that it rests on.</param>
/// <param name="Lacks">Why there is no interval; null where there is one.</param>
public sealed record Figure(double Value, double? Low, double? High, long N, string? Lacks = null)
{
    /// <summary>A share of independent things, with Wilson's interval of 95 %.</summary>
    /// <returns>Null of nothing.</returns>
    public static Figure? OfShare(long count, long of)
    {
        if (of == 0)
            return null;
        var (low, high) = ShareInterval.Wilson(count, of, ShareInterval.Z95);
        return new(SignificantDigits.Round(count / (double)of), SignificantDigits.Round(low), SignificantDigits.Round(high), of);
    }

    /// <summary>How far this is above another that rests on other rows, so that the two vary independently; of <see cref="N"/> rows of its own.</summary>
    /// <remarks>Zou and Donner, Statistics in Medicine 27 (2008): an end lies as far off as the root of the sum of the squares of two distances, this interval's on that side and the other's on the other.</remarks>
    public Figure Minus(Figure other)
    {
        var difference = Value - other.Value;
        return this is { Low: { } low, High: { } high } && other is { Low: { } otherLow, High: { } otherHigh }
            ? new(difference, difference - double.Hypot(Value - low, otherHigh - other.Value), difference + double.Hypot(high - Value, other.Value - otherLow), N)
            : new(difference, null, null, N, Lacks ?? other.Lacks ?? "one of the two has no interval");
    }
}

/// <param name="Value">As text; <c>(null)</c> for rows without one.</param>
/// <param name="Metrics">Empty below 20 rows; a slice of one class has no AUC.</param>
public sealed record SliceEvaluation(string Value, long N, ImmutableSortedDictionary<string, Figure> Metrics);

/// <summary>The bootstrap's replicates, sealed so that a later model can be compared in pairs without anyone's rows.</summary>
/// <remarks>Resample r drew the same units in every evaluation of equal UnitsDigest, Resamples and Seed; so differences pair by r.</remarks>
/// <param name="Replicates">By metric: the value in each resample. A metric without an interval is left out.</param>
/// <param name="LeaveOneOut">By metric: the value without each unit, in unit order; empty where there are too many units.</param>
public sealed record EvaluationReplicates(
    ImmutableSortedDictionary<string, ImmutableArray<double>> Replicates,
    ImmutableSortedDictionary<string, ImmutableArray<double>> LeaveOneOut);
