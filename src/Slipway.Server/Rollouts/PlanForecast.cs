using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Rollouts;

/// <summary>What a plan's steps could show at a given traffic: the judge's own terms, played over the course that a rollout takes.</summary>
public static class PlanForecast
{
    /// <summary>How much worse than a healthy version the candidate is taken to be.</summary>
    public static ImmutableArray<double> Ratios { get; } = [2, 5, 10];

    /// <summary>A median is known to about a tenth by so many.</summary>
    public const int Runs = 300;

    private const long Seed = 20_220_711;

    /// <summary>Late answers of a healthy version, where nobody says: half of what the latency guard allows, and none without one.</summary>
    public static double LateShare(Guard guard) => (1 - guard.Latency?.Quantile) / 2 ?? 0;

    /// <summary>Of a release beside a live version.</summary>
    /// <param name="requestsPerSecond">Above 0.</param>
    /// <param name="baseline">The share of bad answers of a healthy version, 0 to 1; late ones apart.</param>
    /// <param name="late">The share of its answers that are later than the latency guard's limit; null for <see cref="LateShare"/>.</param>
    /// <returns>One per step, or one for what has no steps.</returns>
    public static ImmutableArray<StepForecast> Of(ChannelPlan plan, double requestsPerSecond, double baseline, double? late = null, int runs = Runs) =>
        RolloutForecast.Run(Terms(plan, requestsPerSecond, baseline, late ?? LateShare(plan.Guard)), Seed, runs);

    internal static ForecastTerms Terms(ChannelPlan plan, double requestsPerSecond, double baseline, double late)
    {
        var course = Course.Of(plan);
        return new()
        {
            Mode = course.IsShadow ? ForecastMode.Shadow : plan.Strategy == Strategy.Canary ? ForecastMode.Canary : ForecastMode.Switch,
            RequestsPerSecond = requestsPerSecond,
            BaselineRate = baseline,
            LateRate = late,
            Alpha = plan.Judge.FalseAlarm.Value,
            ToleratedRatio = plan.Judge.ToleratedRatio,
            Margin = plan.Judge.PromoteMargin,
            HarmMeasures = course.IsShadow ? 1 : HarmMeasures.Count(plan.Guard),
            ErrorRateGuard = plan.Guard.ErrorRate?.Value,
            LatencyQuantile = course.IsShadow ? null : plan.Guard.Latency?.Quantile,
            LeastRequests = MissingEvidence.LeastRequests,
            Steps = [.. Enumerable.Range(0, course.Count).Select(step => Step(course, step))],
            Ratios = Ratios,
        };
    }

    private static ForecastStep Step(Course course, int step) => new(
        course.IsShadow ? 1 : course.WeightOf(step) / (double)Weight.All,
        course.StayOf(step).TotalSeconds,
        course.HasControl(step) ? course.PatienceOf(step)?.TotalSeconds : null);
}
