using System.Collections.Immutable;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Documents.Evaluations;

/// <summary>The difference of two sealed evaluations, resample by resample: both drew the same units, so what they share cancels.</summary>
public static class PairedReplicates
{
    public const string Bca = "bca";

    public const string Percentile = "percentile";

    /// <summary>Candidate minus baseline, with its interval; or the reason why they cannot be compared.</summary>
    /// <param name="metric">One that the candidate has.</param>
    /// <returns>A figure, whose interval may lack; or null and the reason.</returns>
    public static (Figure? Delta, string? NotComparable) Difference(
        string metric, Evaluation candidate, EvaluationReplicates candidateReplicates, Evaluation baseline, EvaluationReplicates baselineReplicates)
    {
        if (WhyNot(candidate, baseline) is { } reason)
            return (null, reason);
        if (!baseline.Metrics.TryGetValue(metric, out var before))
            return (null, $"the baseline's evaluation has no {metric}");

        var after = candidate.Metrics[metric];
        var delta = SignificantDigits.Round(after.Value - before.Value);
        if ((after.Lacks ?? before.Lacks) is { } lacks)
            return (new Figure(delta, null, null, after.N, lacks), null);
        if (Subtract(candidateReplicates.Replicates, baselineReplicates.Replicates, metric, candidate.Resamples) is not { } replicates
            || Subtract(candidateReplicates.LeaveOneOut, baselineReplicates.LeaveOneOut, metric, candidate.Method == Bca ? candidate.Units : 0) is not { } leaveOneOut)
            return (new Figure(delta, null, null, after.N, "the sealed replicates are incomplete"), null);

        var interval = Interval(metric, candidate.Method == Bca, delta, replicates, leaveOneOut, candidate.Confidence);
        return (new Figure(delta, Rounded(interval.Low), Rounded(interval.High), after.N, interval.Lacks), null);
    }

    /// <summary>A calibration error cannot fall below zero, and BCa takes that edge for a bias: in simulation its upper ends were too low.</summary>
    public static BootstrapInterval Interval(string metric, bool bca, double estimate, double[] replicates, double[] leaveOneOut, double confidence) =>
        bca && metric != "ece"
            ? BootstrapInterval.Bca(estimate, replicates, leaveOneOut, confidence)
            : BootstrapInterval.Percentile(replicates, confidence);

    private static string? WhyNot(Evaluation candidate, Evaluation baseline) =>
        candidate.UnitsDigest != baseline.UnitsDigest ? "the two evaluations rest on different examples or units"
        : candidate.Resamples != baseline.Resamples ? $"the two evaluations have {candidate.Resamples} and {baseline.Resamples} resamples"
        : candidate.Seed != baseline.Seed ? $"the two evaluations were resampled with the seeds {candidate.Seed} and {baseline.Seed}"
        : candidate.Confidence != baseline.Confidence ? $"the two evaluations have confidence {candidate.Confidence} and {baseline.Confidence}"
        : candidate.Method != baseline.Method ? $"the two evaluations took their intervals by {candidate.Method} and {baseline.Method}"
        : null;

    /// <summary>Null unless both have exactly so many, as their documents say.</summary>
    private static double[]? Subtract(
        ImmutableSortedDictionary<string, ImmutableArray<double>> candidate, ImmutableSortedDictionary<string, ImmutableArray<double>> baseline, string metric, int count)
    {
        if (!candidate.TryGetValue(metric, out var after) || !baseline.TryGetValue(metric, out var before) || after.Length != count || before.Length != count)
            return null;
        var differences = new double[count];
        for (var i = 0; i < count; i++)
            differences[i] = SignificantDigits.Round(after[i] - before[i]);
        return differences;
    }

    private static double? Rounded(double? value) => value is { } number ? SignificantDigits.Round(number) : null;
}
