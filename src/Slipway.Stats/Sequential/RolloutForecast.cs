using System.Collections.Immutable;

namespace Slipway.Stats.Sequential;

/// <summary>What a release's steps can be expected to show, and when, by playing them with the very processes that judge them.</summary>
/// <remarks>
/// Each run walks an equal candidate through the steps, carrying its evidence along, and at the start of each step lets it turn harmful,
/// once for each ratio, by bad answers and by late ones. Those come independently of each other at constant rates, good ones evenly between
/// them; real traffic has bursts and repeats of users, which make all times longer.
/// </remarks>
public static class RolloutForecast
{
    /// <summary>A run is given up after so many bad and late answers in one step, or after <see cref="LongestSeconds"/>.</summary>
    public const int MostEvents = 50_000;

    /// <summary>30 days.</summary>
    public const double LongestSeconds = 30 * 86_400.0;

    /// <param name="runs">At least 10; 300 are done in about a second.</param>
    /// <returns>One per step.</returns>
    public static ImmutableArray<StepForecast> Run(ForecastTerms terms, long seed, int runs)
    {
        terms.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 10);
        var late = terms.LatencyQuantile is null ? [] : terms.Ratios;
        var goOn = terms.Steps.Select(_ => new double[runs]).ToArray();
        var found = terms.Steps.Select(_ => terms.Ratios.Select(_ => new double[runs]).ToArray()).ToArray();
        var foundLate = terms.Steps.Select(_ => late.Select(_ => new double[runs]).ToArray()).ToArray();
        for (var run = 0; run < runs; run++)
        {
            var walk = new ForecastWalk(terms, seed, (ulong)run);
            for (var step = 0; step < terms.Steps.Length; step++)
            {
                for (var i = 0; i < terms.Ratios.Length; i++)
                    found[step][i][run] = walk.SecondsToHarm(terms.Steps[step], terms.Ratios[i], 1);
                for (var i = 0; i < late.Length; i++)
                    foundLate[step][i][run] = walk.SecondsToHarm(terms.Steps[step], 1, late[i]);
                if (terms.MustShow(terms.Steps[step]))
                    goOn[step][run] = walk.SecondsToNoWorse(terms.Steps[step]);
            }
        }

        return [.. terms.Steps.Select((step, i) => new StepForecast(
            step,
            terms.MustShow(step) ? ForecastTime.Of(goOn[i], step.AtMost) : null,
            [.. found[i].Select(seconds => Found(seconds, step))],
            [.. foundLate[i].Select(seconds => Found(seconds, step))]))];

        ForecastTime Found(double[] seconds, ForecastStep step) => ForecastTime.Of(seconds, terms.MustShow(step) ? step.AtMost : step.AtLeast);
    }
}
