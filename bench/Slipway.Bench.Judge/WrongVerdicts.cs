using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;

namespace Slipway.Bench.Judge;

/// <summary>Candidates at the very edge of harm, told in batches, folded and judged after each: how often one on this side is ever called harmful, or one on the other no worse.</summary>
/// <remarks>What is counted are the judge's verdicts. It is asked whenever the measures that it goes by are reached; where they are not, its verdict can be neither.</remarks>
internal static class WrongVerdicts
{
    private const int Runs = 10_000, ContrastRuns = 1_000, Batches = 21, BatchRequests = 1_000, ShadowBatches = 100, ShadowRequests = 100;
    private const double Alpha = 0.05, Margin = 0.5, Bound = 0.02, Quantile = 0.99, LateBound = 1 - Quantile;

    /// <summary>5 → 20 → 50 %, seven batches each.</summary>
    private static readonly ImmutableArray<WeightChange> Ramp = [new(1, 500, 0), new(2, 2_000, 7), new(3, 5_000, 14)];

    private static readonly BadKind[] Kinds = [BadKind.Error, BadKind.Timeout, BadKind.InvalidOutput, BadKind.Crash];

    private static readonly Guard None = new(null, null), Errors = new(new Ratio(Bound), null), Both = Errors with { Latency = new(Quantile, new(TimeSpan.FromMilliseconds(50))) };

    /// <summary>Shares of bad and of late answers.</summary>
    private readonly record struct Rates(double Bad, double Late)
    {
        public static Rates operator *(Rates rates, double times) => new(times * rates.Bad, times * rates.Late);
    }

    public static bool Hold()
    {
        var allowed = Alpha + 3 * Math.Sqrt(Alpha * (1 - Alpha) / Runs);
        var (edge, few) = (new Rates(Bound, LateBound), new Rates(0.005, LateBound));
        Console.WriteLine($"ever a wrong verdict, of {Runs:N0} candidates at the edge, judged after every batch; claim: at most {allowed:0.0000} each, and more than half of those well beyond it are told");
        return new[]
        {
            Tell("harm: equal arms, every rate at its guard", JudgeVerdict.Harm, Plan(Strategy.Canary, Both), edge, edge, "three times as many", edge * 3),
            Tell("harm: a guard alone, at p*", JudgeVerdict.Harm, Plan(Strategy.Shadow, Errors), edge, edge, "twice p*", edge * 2),
            Tell("no worse: at 1 + margin", JudgeVerdict.NoWorse, Plan(Strategy.Canary, None), edge, edge * (1 / (1 + Margin)), "half as many", edge * 0.5),
            Tell("no worse: at 1 + margin and at p*", JudgeVerdict.NoWorse, Plan(Strategy.Canary, Errors), edge, edge * (1 / (1 + Margin)), "half as many", edge * 0.5),
            Tell("no worse: at 1 + margin, late at its guard", JudgeVerdict.NoWorse, Plan(Strategy.Canary, Both), few, few * (1 / (1 + Margin)), "half as many", few * 0.5),
            Tell("no worse: a guard alone, at p*", JudgeVerdict.NoWorse, Plan(Strategy.Shadow, Errors), edge, edge, "half of p*", edge * 0.5),
        }.All(holds => holds);

        bool Tell(string name, JudgeVerdict verdict, ChannelPlan plan, Rates candidate, Rates stable, string beyond, Rates contrast)
        {
            var (wrong, right) = (Share(Runs, candidate), Share(ContrastRuns, contrast));
            var holds = wrong <= allowed && right > 0.5;
            Console.WriteLine($"  {name,-42} {wrong:0.0000}  {Throughput.Verdict(holds)}   ({beyond}: {right:0.000})");
            return holds;

            double Share(int runs, Rates rates) =>
                Enumerable.Range(0, runs).AsParallel().Count(seed => plan.Strategy == Strategy.Shadow ? Shadow(new Random(seed), plan, rates.Bad, verdict) : Canary(new Random(seed), plan, rates, stable, verdict)) / (double)runs;
        }
    }

    /// <summary>Every bad event is another user's.</summary>
    private static bool Canary(Random random, ChannelPlan plan, Rates candidate, Rates stable, JudgeVerdict verdict)
    {
        var late = plan.Guard.Latency is not null;
        var fold = EvidenceFold.Start("r");
        for (var batch = 0; batch < Batches; batch++)
        {
            var weight = Ramp[batch / 7];
            var (requests, bad) = (new int[2], new List<BadEvent>());
            for (var order = batch * BatchRequests + 1; order <= (batch + 1) * BatchRequests; order++)
            {
                var isCandidate = random.Next(Weight.All) < weight.Weight;
                var (arm, rates) = isCandidate ? (Arm.Candidate, candidate) : (Arm.Stable, stable);
                requests[(int)arm]++;
                var draw = random.NextDouble();
                if (draw < rates.Bad)
                    bad.Add(new(order, random.NextInt64().ToString("x16"), arm, Kinds[(int)(draw / rates.Bad * Kinds.Length)], weight.Revision));
                else if (late && draw > 1 - rates.Late)
                    bad.Add(new(order, random.NextInt64().ToString("x16"), arm, BadKind.Latency, weight.Revision));
            }

            var counts = new[] { Arm.Stable, Arm.Candidate }.Select(arm => new ArmCounts(weight.Revision, arm, requests[(int)arm], [requests[(int)arm], .. new long[LatencyBuckets.Count - 1]]));
            var evidence = Fold(fold, batch, [.. counts], [.. bad], null, Ramp[..(batch / 7 + 1)]);
            var isReached = verdict == JudgeVerdict.Harm
                ? Measures.IsReached(HarmMeasures.Mean(HarmMeasures.Of(evidence, plan.Judge, plan.Guard), Alpha))
                : PromotionMeasures.Of(evidence, plan.Strategy, plan.Judge, plan.Guard).Any(Measures.IsReached);
            if (isReached && Judged(plan, evidence) == verdict)
                return true;
        }

        return false;
    }

    /// <summary>The stable version answers all.</summary>
    private static bool Shadow(Random random, ChannelPlan plan, double rate, JudgeVerdict verdict)
    {
        var fold = EvidenceFold.Start("r");
        for (var batch = 0; batch < ShadowBatches; batch++)
        {
            var failed = Enumerable.Range(0, ShadowRequests).Count(_ => random.NextDouble() < rate);
            var evidence = Fold(fold, batch, [], [], new(ShadowRequests - failed, 0, failed, 0, 0), [new(1, 0, 0)]);
            var isReached = verdict == JudgeVerdict.Harm
                ? Measures.IsReached(HarmMeasures.Mean(HarmMeasures.OfShadow(evidence.Shadow, plan.Guard, Alpha), Alpha))
                : PromotionMeasures.OfShadow(evidence.Shadow, plan.Guard, Alpha).Any(Measures.IsReached);
            if (isReached && Judged(plan, evidence) == verdict)
                return true;
        }

        return false;
    }

    private static RolloutEvidence Fold(EvidenceFold fold, int batch, ImmutableArray<ArmCounts> counts, ImmutableArray<BadEvent> bad, ShadowCounts? shadow, ImmutableArray<WeightChange> weights)
    {
        var outcome = fold.Take(new("g", "b", "production", batch + 1, [new("r", (batch + 1) * BatchRequests, 0, counts, bad, shadow)]), weights);
        if (outcome.Result != BatchResult.Taken)
            throw new InvalidOperationException(outcome.Reason);
        return fold.Evidence(weights);
    }

    private static JudgeVerdict Judged(ChannelPlan plan, RolloutEvidence evidence) => Server.Judging.Judge.Assess("r", 0, 0, plan, evidence).Verdict;

    private static ChannelPlan Plan(Strategy strategy, Guard guard) =>
        new(strategy, [], ChannelPlan.RequestId, guard, JudgeSettings.Default with { FalseAlarm = new(Alpha), PromoteMargin = Margin }, [], default);
}
