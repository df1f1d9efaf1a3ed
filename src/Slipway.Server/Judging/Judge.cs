using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

/// <summary>What the evidence says of a candidate. Pure: the same numbers give the same report, byte for byte.</summary>
/// <remarks>
/// Harm: the mean of all e-processes that speak of harm reaches 1/α. No worse: one of the ways to promotion reaches its threshold (1/α, or
/// 2/α each where there are two), the weight now has seen <see cref="MissingEvidence.LeastRequests"/> requests to the candidate, and no outcome is
/// unknown. Anything else is insufficient evidence, which neither promotes nor rolls back. Harm wins over no worse.
/// </remarks>
public static class Judge
{
    /// <param name="at">Unix milliseconds; told only.</param>
    /// <param name="step">Index of the step; told only: what is judged is the evidence, whose last cell is the weight now.</param>
    public static JudgeReport Assess(string rollout, long at, int step, ChannelPlan plan, RolloutEvidence evidence) =>
        Assess(rollout, at, step, plan.Strategy, plan.Judge, plan.Guard, evidence);

    /// <summary>The report that the numbers in a report give: equal to it, if nobody changed it.</summary>
    public static JudgeReport Recompute(JudgeReport report) =>
        Assess(report.Rollout, report.At, report.Step, report.Strategy, report.Settings, report.Guard, report.Evidence);

    private static JudgeReport Assess(string rollout, long at, int step, Strategy strategy, JudgeSettings settings, Guard guard, RolloutEvidence evidence)
    {
        var alpha = settings.FalseAlarm.Value;
        var shadow = strategy == Strategy.Shadow;
        var harm = shadow ? HarmMeasures.OfShadow(evidence.Shadow, guard, alpha) : HarmMeasures.Of(evidence, settings, guard);
        var promotion = shadow ? PromotionMeasures.OfShadow(evidence.Shadow, guard, alpha) : PromotionMeasures.Of(evidence, strategy, settings, guard);
        var mean = HarmMeasures.Mean(harm, alpha);
        var missing = shadow ? MissingEvidence.OfShadow(evidence, guard, promotion) : MissingEvidence.Of(evidence, settings, guard, promotion);

        var verdict = Measures.IsReached(mean) ? JudgeVerdict.Harm : missing.IsEmpty ? JudgeVerdict.NoWorse : JudgeVerdict.InsufficientEvidence;
        var reason = verdict switch
        {
            JudgeVerdict.Harm => harm.MaxBy(measure => measure.LogE)!.Reading,
            JudgeVerdict.NoWorse => promotion.First(Measures.IsReached).Reading,
            _ => missing[0],
        };
        return new(
            rollout, at, step, strategy, settings, guard, evidence, verdict, mean, harm, promotion,
            shadow ? [] : LatencyBands.Of(evidence), reason, verdict == JudgeVerdict.InsufficientEvidence ? missing : []);
    }
}
