using System.Collections.Immutable;
using Slipway.Stats.Intervals;

namespace Slipway.Stats.Sequential;

/// <summary>What a canary's steps can be expected to show, and when, by playing them with the very processes that judge them.</summary>
/// <remarks>
/// Each run walks an equal candidate through the steps, carrying its evidence along, and at the start of each step lets it turn harmful,
/// once for each ratio. Bad answers come independently of each other at constant rates, good ones evenly between them; real traffic has bursts
/// and repeats of users, which make all times longer.
/// </remarks>
public static class RolloutForecast
{
    /// <summary>A run is given up after so many bad events in one step, or after <see cref="LongestSeconds"/>.</summary>
    public const int MostEvents = 50_000;

    /// <summary>30 days.</summary>
    public const double LongestSeconds = 30 * 86_400.0;

    /// <param name="runs">At least 10; 300 are done in about a second.</param>
    /// <returns>One per step.</returns>
    public static ImmutableArray<StepForecast> Run(ForecastTerms terms, long seed, int runs)
    {
        if (!(terms.RequestsPerSecond > 0 && double.IsFinite(terms.RequestsPerSecond)) || terms.BaselineRate is not (>= 0 and <= 1) || terms.Alpha is not (> 0 and < 1) || runs < 10)
            throw new ArgumentOutOfRangeException(nameof(terms), terms, "allowed are a traffic above 0, a baseline rate from 0 to 1, α between, and 10 runs or more");
        var goOn = terms.Steps.Select(_ => new double[runs]).ToArray();
        var found = terms.Steps.Select(_ => terms.Ratios.Select(_ => new double[runs]).ToArray()).ToArray();
        for (var run = 0; run < runs; run++)
        {
            var walk = new Walk(terms, seed, (ulong)run);
            for (var step = 0; step < terms.Steps.Length; step++)
            {
                for (var ratio = 0; ratio < terms.Ratios.Length; ratio++)
                    found[step][ratio][run] = walk.SecondsToHarm(terms.Steps[step], terms.Ratios[ratio]);
                goOn[step][run] = walk.SecondsToNoWorse(terms.Steps[step]);
            }
        }

        return [.. terms.Steps.Select((step, i) => new StepForecast(
            step.Share is > 0 and < 1 ? ForecastTime.Of(goOn[i], step.AtMost) : null,
            [.. terms.Ratios.Select((ratio, j) => ForecastTime.Of(found[i][j], step.AtMost))]))];
    }

    /// <summary>One run: an equal candidate, with all the evidence of the steps before.</summary>
    private sealed class Walk(ForecastTerms terms, long seed, ulong stream)
    {
        private readonly ThinningProcess harm = ThinningProcess.Harm(terms.ToleratedRatio), guard = ThinningProcess.Harm(1);
        private readonly ThinningProcess worse = ThinningProcess.Harm(terms.ToleratedRatio), over = ThinningProcess.Harm(1);
        private readonly ThinningProcess noWorse = ThinningProcess.NonInferiority(terms.Margin), below = ThinningProcess.Lower(), before = ThinningProcess.Lower();
        private readonly double[] logs = new double[terms.HarmMeasures];
        private readonly double bound = terms.ErrorRateGuard ?? 0;
        private Philox draw = new(seed, stream);

        /// <summary>The candidate turns harmful now: on copies, so that the walk goes on from here.</summary>
        public double SecondsToHarm(ForecastStep step, double ratio)
        {
            worse.CopyFrom(harm);
            over.CopyFrom(guard);
            var rate = Math.Min(1, ratio * terms.BaselineRate);
            if ((step.Share == 1 || ratio <= terms.ToleratedRatio) && !(rate > terms.ErrorRateGuard))
                return double.PositiveInfinity;     // no harm by these terms
            var (candidate, stable) = (terms.RequestsPerSecond * step.Share * rate, terms.RequestsPerSecond * (1 - step.Share) * terms.BaselineRate);
            var (time, good, threshold) = (0.0, 0.0, Math.Log(1 / terms.Alpha));
            for (var events = 0; events < MostEvents; events++)
            {
                var gap = Gap(candidate + stable);
                if ((time += gap) > LongestSeconds)
                    break;
                good += gap * terms.RequestsPerSecond * step.Share * (1 - rate);
                var isCandidate = Uniform() * (candidate + stable) < candidate;
                worse.Add(step.Share, isCandidate);
                if (!isCandidate)
                    continue;
                over.Add(bound, 1, Whole(ref good));
                // The mean reaches 1/α only if one of them does.
                if ((worse.Reaches(threshold) || over.Reaches(threshold)) && Mean() >= threshold)
                    return time;
            }

            return double.PositiveInfinity;
        }

        public double SecondsToNoWorse(ForecastStep step)
        {
            var earliest = Math.Max(step.AtLeast, terms.LeastRequests / (terms.RequestsPerSecond * step.Share));
            var rate = terms.RequestsPerSecond * terms.BaselineRate;
            var goodRate = terms.RequestsPerSecond * step.Share * (1 - terms.BaselineRate);
            var threshold = Math.Log((terms.ErrorRateGuard is null ? 1 : 2) / terms.Alpha);
            var (time, good) = (0.0, 0.0);
            for (var events = 0; events < MostEvents && time < LongestSeconds; events++)
            {
                var next = Math.Min(time + Gap(rate), LongestSeconds);
                if (next >= earliest)
                {
                    GoOn(Math.Max(0, earliest - time));
                    if (noWorse.Reaches(threshold) || below.Reaches(threshold))
                        return time;
                    // Until the next bad answer there are only good ones: what is not reached in the end is not reached on the way.
                    var from = time;
                    before.CopyFrom(below);
                    GoOn(next - time);
                    if (below.Reaches(threshold))
                        return from + Crossing(next - from);
                }
                else
                {
                    GoOn(next - time);
                }

                var isCandidate = Uniform() < step.Share;
                harm.Add(step.Share, isCandidate);
                noWorse.Add(step.Share, isCandidate);
                if (isCandidate)
                {
                    guard.Add(bound, true);
                    below.Add(bound, true);
                }
            }

            return double.PositiveInfinity;

            void GoOn(double seconds)
            {
                good += seconds * goodRate;
                var whole = Whole(ref good);
                guard.Add(bound, 0, whole);
                below.Add(bound, 0, whole);
                time += seconds;
            }

            double Crossing(double longest)
            {
                var (no, yes) = (0.0, longest);
                while (yes - no > 1 / goodRate)
                {
                    var middle = (no + yes) / 2;
                    below.CopyFrom(before);
                    below.Add(bound, 0, (long)(middle * goodRate));
                    (no, yes) = below.Reaches(threshold) ? (no, middle) : (middle, yes);
                }

                below.CopyFrom(before);
                below.Add(bound, 0, (long)Math.Ceiling(yes * goodRate));
                return yes;
            }
        }

        private double Mean()
        {
            logs[0] = worse.LogE;
            if (terms.ErrorRateGuard is not null)
                logs[1] = over.LogE;
            return EValues.LogMean(logs);
        }

        private static long Whole(ref double requests)
        {
            var whole = (long)requests;
            requests -= whole;
            return whole;
        }

        private double Gap(double rate) => -Math.Log(Uniform()) / rate;

        private double Uniform() => (draw.Next() + 0.5) / 4294967296.0;
    }
}

/// <param name="RequestsPerSecond">Of both arms together, above 0.</param>
/// <param name="BaselineRate">The share of bad answers of a healthy version, 0 to 1.</param>
/// <param name="HarmMeasures">E-processes that are averaged, at least 1, and 2 with a guard; all but the first and the guard stay at 1.</param>
/// <param name="ErrorRateGuard">The absolute bound; null for none.</param>
/// <param name="LeastRequests">That a step must send to the candidate.</param>
/// <param name="Ratios">Harm that is looked for, as multiples of <paramref name="BaselineRate"/>.</param>
public sealed record ForecastTerms(
    double RequestsPerSecond, double BaselineRate, double Alpha, double ToleratedRatio, double Margin, int HarmMeasures, double? ErrorRateGuard,
    int LeastRequests, ImmutableArray<ForecastStep> Steps, ImmutableArray<double> Ratios);

/// <param name="Share">Of the candidate: above 0, at most 1. At 1 the guard alone speaks, and nothing shows that the candidate is no worse.</param>
/// <param name="AtLeast">Seconds.</param>
/// <param name="AtMost">Seconds; null for no end.</param>
public sealed record ForecastStep(double Share, double AtLeast, double? AtMost);

/// <param name="NoWorse">Until an equal candidate may go on; null without a control.</param>
/// <param name="Harm">Until harm is found, for each ratio.</param>
public sealed record StepForecast(ForecastTime? NoWorse, ImmutableArray<ForecastTime> Harm);

/// <summary>Seconds until something happened, over runs; null where it lies beyond what was played.</summary>
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
