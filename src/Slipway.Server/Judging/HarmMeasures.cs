using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>Every e-process that speaks of harm, and their mean.</summary>
/// <remarks>
/// Which take part hangs on the plan alone: the kinds of bad events, latency only with a budget, and one for each guard. Their mean is an e-process
/// for "no kind is worse than tolerated, and every guard is kept", so it may reach 1/α with probability α at most, all of them together.
/// One of n decides alone at n/α.
/// </remarks>
internal static class HarmMeasures
{
    /// <summary>How many take part under a plan's guards.</summary>
    public static int Count(Guard guard) => Kinds(guard).Length + (guard.ErrorRate is null ? 0 : 1) + (guard.Latency is null ? 0 : 1);

    public static ImmutableArray<EvidenceMeasure> Of(RolloutEvidence evidence, JudgeSettings settings, Guard guard)
    {
        var all = Count(guard);
        var alone = Math.Log(all / settings.FalseAlarm.Value);
        var candidate = Measures.Candidate(evidence);

        var measures = ImmutableArray.CreateBuilder<EvidenceMeasure>(all);
        foreach (var kind in Kinds(guard))
        {
            var (mine, both, expected) = Measures.Firsts(evidence, other => other == kind);
            measures.Add(Measures.Of(
                kind.Word(), Measures.LogE(ThinningProcess.Harm(settings.ToleratedRatio), evidence, other => other == kind), alone,
                $"{kind.Word()}: {Measures.Count(mine)} of {Measures.Count(both)} fell to the candidate, and {Measures.Count(expected)} would to an equal one"));
        }

        if (guard.ErrorRate is { } bound)
            measures.Add(ErrorRate(bound.Value, candidate.BadRequests, candidate.Requests, alone));
        if (guard.Latency is { } latency)
        {
            measures.Add(Measures.Of(
                "guard latency", RateGuard.LogEAbove(1 - latency.Quantile, candidate.OverBudget, candidate.Requests), alone,
                $"guard latency: {Measures.Of(candidate.OverBudget, candidate.Requests)} of the candidate's answers took longer than {latency.Limit}, and {Measures.Percent(1 - latency.Quantile)} may"));
        }

        return measures.ToImmutable();
    }

    /// <summary>A shadow answers nobody: only its own failures speak, where a guard bounds them.</summary>
    public static ImmutableArray<EvidenceMeasure> OfShadow(ShadowCounts? shadow, Guard guard, double alpha) =>
        guard.ErrorRate is { } bound ? [ErrorRate(bound.Value, shadow?.Failed ?? 0, (shadow?.Compared + shadow?.Failed) ?? 0, Math.Log(1 / alpha))] : [];

    public static EvidenceMeasure Mean(ImmutableArray<EvidenceMeasure> measures, double alpha) => Measures.Of(
        "harm", measures.IsEmpty ? 0 : EValues.LogMean([.. measures.Select(measure => measure.LogE)]), Math.Log(1 / alpha),
        measures.IsEmpty ? "nothing that could show harm is declared" : $"mean of {string.Join(", ", measures.Select(measure => measure.Name))}");

    private static BadKind[] Kinds(Guard guard) => guard.Latency is null
        ? [BadKind.Error, BadKind.Timeout, BadKind.InvalidOutput, BadKind.Crash]
        : [BadKind.Error, BadKind.Timeout, BadKind.InvalidOutput, BadKind.Crash, BadKind.Latency];

    private static EvidenceMeasure ErrorRate(double bound, long bad, long requests, double alone) => Measures.Of(
        "guard error-rate", RateGuard.LogEAbove(bound, bad, requests), alone,
        $"guard error-rate: {Measures.Of(bad, requests)} of the candidate's answers were bad, and {Measures.Percent(bound)} may be");
}
