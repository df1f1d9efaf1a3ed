using System.Collections.Immutable;

namespace Slipway.Stats.Sequential;

/// <param name="NoWorse">Until an equal candidate may go on; null where that hangs on time alone.</param>
/// <param name="Harm">Until a candidate with so many times the bad answers is found, for each ratio.</param>
/// <param name="LateHarm">The same of late answers; empty without a latency guard.</param>
public sealed record StepForecast(ForecastStep Step, ForecastTime? NoWorse, ImmutableArray<ForecastTime> Harm, ImmutableArray<ForecastTime> LateHarm);

/// <summary>Seconds until something happened, over runs; null where it lies beyond what was played, or beyond the end of the step.</summary>
/// <param name="MedianLow">With <paramref name="MedianHigh"/> a 95 % interval for the median: how well so many runs know it.</param>
/// <param name="Early">One run in ten was faster.</param>
/// <param name="Late">One run in ten was slower, or never got there.</param>
/// <param name="InTime">Share of the runs that got there within the step's longest time, or at all.</param>
public sealed record ForecastTime(double? Median, double? MedianLow, double? MedianHigh, double? Early, double? Late, double InTime)
{
    /// <param name="seconds">+∞ for never.</param>
    internal static ForecastTime Of(double[] seconds, double? atMost)
    {
        var sorted = seconds.Order().ToArray();
        // The number of runs below the median is binomial(n, ½).
        var around = 0.98 * Math.Sqrt(sorted.Length);
        return new(At(sorted.Length / 2.0), At(sorted.Length / 2.0 - around), At(sorted.Length / 2.0 + around), At(0.1 * sorted.Length), At(0.9 * sorted.Length), seconds.Count(time => time <= (atMost ?? double.MaxValue)) / (double)sorted.Length);

        double? At(double rank) => sorted[Math.Clamp((int)rank, 0, sorted.Length - 1)] is var time && double.IsFinite(time) ? time : null;
    }
}
