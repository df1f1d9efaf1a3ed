using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>What a plan's steps could show at a given traffic: the judge's own terms, played.</summary>
public static class PlanForecast
{
    /// <summary>How much worse than a healthy version the candidate is taken to be.</summary>
    public static ImmutableArray<double> Ratios { get; } = [2, 5, 10];

    /// <summary>A median is known to about a tenth by so many.</summary>
    public const int Runs = 300;

    private const long Seed = 20_220_711;

    /// <param name="requestsPerSecond">Above 0.</param>
    /// <param name="baseline">The share of bad answers of a healthy version, 0 to 1.</param>
    /// <returns>One per step, or one for a switch without steps.</returns>
    public static ImmutableArray<StepForecast> Of(ChannelPlan plan, double requestsPerSecond, double baseline, int runs = Runs) => RolloutForecast.Run(
        new(
            requestsPerSecond, baseline, plan.Judge.FalseAlarm.Value, plan.Judge.ToleratedRatio, plan.Judge.PromoteMargin,
            HarmMeasures.Count(plan.Guard), plan.Guard.ErrorRate?.Value, MissingEvidence.LeastRequests, Steps(plan), Ratios),
        Seed, runs);

    private static ImmutableArray<ForecastStep> Steps(ChannelPlan plan) => plan.Strategy == Strategy.Canary
        ? [.. plan.Steps.Select(step => new ForecastStep(Math.Min(step.Weight, Weight.All - step.HoldBack) / (double)Weight.All, step.AtLeast.Seconds, step.AtMost?.Seconds))]
        : [new(1, 0, null)];
}
