using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>The ways to promotion.</summary>
/// <remarks>
/// Which there are hangs on the plan alone. Where there are two, each has to reach 2/α, so that a candidate for which both are closed is
/// promoted with probability α at most.
/// </remarks>
internal static class PromotionMeasures
{
    public const string NonInferiority = "non-inferiority", AbsoluteBound = "absolute bound";

    public static ImmutableArray<EvidenceMeasure> Of(RolloutEvidence evidence, Strategy strategy, JudgeSettings settings, Guard guard)
    {
        var ways = (strategy == Strategy.Canary ? 1 : 0) + (guard.ErrorRate is null ? 0 : 1);
        var threshold = Math.Log(ways / settings.FalseAlarm.Value);
        var measures = ImmutableArray.CreateBuilder<EvidenceMeasure>(ways);
        if (strategy == Strategy.Canary)
        {
            var (mine, both, expected) = Measures.Firsts(evidence, _ => true);
            measures.Add(Measures.Of(
                NonInferiority, Measures.LogE(ThinningProcess.NonInferiority(settings.PromoteMargin), evidence, _ => true), threshold,
                $"non-inferiority: {Measures.Count(mine)} of {Measures.Count(both)} bad events fell to the candidate, {Measures.Count(expected)} would to an equal one, "
                + $"and a ratio below {Measures.Count(1 + settings.PromoteMargin)} is to be shown"));
        }

        if (guard.ErrorRate is { } bound)
        {
            var candidate = Measures.Candidate(evidence);
            measures.Add(Measures.Of(
                AbsoluteBound, LogEBelow(guard, candidate), threshold,
                $"absolute bound: {Measures.Of(candidate.BadRequests, candidate.Requests)} of the candidate's answers were bad, and less than {Measures.Percent(bound.Value)} is to be shown"
                + (guard.Latency is { } late ? $"; {Measures.Of(candidate.OverBudget, candidate.Requests)} took longer than {late.Limit}, less than {Measures.Percent(1 - late.Quantile)} is to be shown" : "")));
        }

        return measures.ToImmutable();
    }

    /// <summary>Below every bound that is declared: the least of e-values is one for "some bound is broken".</summary>
    /// <param name="guard">With a bound on the error rate.</param>
    public static double LogEBelow(Guard guard, ArmEvidence candidate)
    {
        var error = RateGuard.LogEBelow(guard.ErrorRate!.Value.Value, candidate.BadRequests, candidate.Requests);
        return guard.Latency is { } budget ? Math.Min(error, RateGuard.LogEBelow(1 - budget.Quantile, candidate.OverBudget, candidate.Requests)) : error;
    }

    public static ImmutableArray<EvidenceMeasure> OfShadow(ShadowCounts? shadow, Guard guard, double alpha)
    {
        if (guard.ErrorRate is not { } bound)
            return [];
        var (failed, all) = (shadow?.Failed ?? 0, (shadow?.Compared + shadow?.Failed) ?? 0);
        return [Measures.Of(
            AbsoluteBound, RateGuard.LogEBelow(bound.Value, failed, all), Math.Log(1 / alpha),
            $"absolute bound: the shadow failed on {Measures.Of(failed, all)}, and less than {Measures.Percent(bound.Value)} is to be shown; "
            + $"{Measures.Of(shadow?.Different ?? 0, shadow?.Compared ?? 0)} of its answers differed")];
    }
}
