using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Pipeline.Evaluation;

/// <summary>The figures of some rows with their intervals, and the replicates that these came from.</summary>
/// <param name="Replicates">By metric; only of those that have an interval.</param>
internal sealed record Assessment(
    ImmutableSortedDictionary<string, Figure> Figures,
    ImmutableSortedDictionary<string, ImmutableArray<double>> Replicates,
    ImmutableSortedDictionary<string, ImmutableArray<double>> LeaveOneOut)
{
    /// <summary>Everything is rounded as it is stored before intervals are taken, so that anyone can take them again from what is sealed.</summary>
    public static Assessment Of(BinaryMetrics metrics, AssessmentPlan plan, CancellationToken cancellation)
    {
        var values = metrics.Measure();
        var run = metrics.Units < ClusterBootstrap.MinUnits ? null
            : ClusterBootstrap.Run(metrics.Units, BinaryMetrics.Names.Length, metrics.Measure, plan.Resamples, plan.Seed, plan.Threads, cancellation);

        var figures = ImmutableSortedDictionary.CreateBuilder<string, Figure>(StringComparer.Ordinal);
        var replicates = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<double>>(StringComparer.Ordinal);
        var leaveOneOut = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<double>>(StringComparer.Ordinal);
        for (var m = 0; m < values.Length; m++)
        {
            var name = BinaryMetrics.Names[m];
            if (double.IsNaN(values[m]) || !plan.Metrics.Contains(name))
                continue;
            var value = SignificantDigits.Round(values[m]);
            var (drawn, left) = (Rounded(run?.Replicates[m]), plan.UsesBca ? Rounded(run?.LeaveOneOut[m]) : []);
            var interval = WhyNone(name, value, metrics.Units, drawn, left) is { } lacks
                ? BootstrapInterval.None(lacks)
                : PairedReplicates.Interval(name, plan.UsesBca, value, drawn, left, plan.Confidence);
            figures[name] = new Figure(value, Rounded(interval.Low), Rounded(interval.High), metrics.Rows, interval.Lacks);
            if (interval.Low is not null)
                (replicates[name], leaveOneOut[name]) = ([.. drawn], [.. left]);
        }

        return new Assessment(figures.ToImmutable(), replicates.ToImmutable(), leaveOneOut.ToImmutable());
    }

    private static string? WhyNone(string name, double value, int units, double[] replicates, double[] leaveOneOut)
    {
        if (name == "ece_plain")
            return "the plain error is biased upward, and its resamples more so; ask for ece";
        if (name == "accuracy" && value is (0 or 1))
            return $"{(value == 1 ? "every" : "no")} row is right, so resamples do not tell how much that varies";
        if (units < ClusterBootstrap.MinUnits)
            return $"{units} units cannot tell how units vary; at least {ClusterBootstrap.MinUnits} are needed";
        var undefined = replicates.Count(double.IsNaN);
        return undefined > 0 ? $"in {undefined} of {replicates.Length} resamples a class is missing"
            : leaveOneOut.Any(double.IsNaN) ? "without one of the units a class is missing"
            : null;
    }

    private static double[] Rounded(double[]? values) => values is null ? [] : Array.ConvertAll(values, SignificantDigits.Round);

    private static double? Rounded(double? value) => value is { } number ? SignificantDigits.Round(number) : null;
}

/// <param name="Metrics">Names of figures to keep.</param>
/// <param name="UsesBca">Decided once for the whole evaluation, by its number of units.</param>
internal sealed record AssessmentPlan(ImmutableHashSet<string> Metrics, bool UsesBca, double Confidence, int Resamples, long Seed, int Threads);
