using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;
using Slipway.Server.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Tests.Server.Rollouts;

public sealed class PlanForecastTests
{
    private static readonly Guard Errors = new(new Ratio(0.02), null), Both = Errors with { Latency = new(0.99, new(TimeSpan.FromMilliseconds(50))) };

    private static readonly ChannelPlan Canary = new(
        Strategy.Canary, [Step(1_000, 0), Step(Weight.All, 200)], ChannelPlan.RequestId, Errors, JudgeSettings.Default, [], default);

    public static TheoryData<Strategy, bool> Judged => new() { { Strategy.Canary, false }, { Strategy.Canary, true }, { Strategy.Shadow, false } };

    [Fact]
    public void Every_step_of_a_plan_is_played_as_it_is_judged()
    {
        var steps = PlanForecast.Of(Canary, 1_000, 0.01, runs: 30);
        Assert.Equal(2, steps.Length);
        Assert.All(steps, step => Assert.Equal(PlanForecast.Ratios.Length, step.Harm.Length));
        Assert.All(steps, step => Assert.NotNull(step.NoWorse));       // a control is held back in the last one
        Assert.True(steps[0].Harm[0].Median > steps[0].Harm[2].Median);
        Assert.True(PlanForecast.Of(Canary, 100, 0.01, runs: 30)[0].Harm[1].Median > 5 * steps[0].Harm[1].Median);
        Assert.Equal(new ForecastStep(0.98, 60, null), steps[1].Step);       // as long as the control is held back
    }

    [Fact]
    public void A_switch_is_over_after_its_watch_and_has_its_guards_alone()
    {
        var plan = Canary with { Strategy = Strategy.BlueGreen, Steps = [] };
        var step = Assert.Single(PlanForecast.Of(plan, 1_000, 0.01, runs: 30));
        Assert.Null(step.NoWorse);
        Assert.Equal(new ForecastStep(1, Course.Watch.TotalSeconds, null), step.Step);
        Assert.InRange(step.Harm[1].Median!.Value, 0, 10);
        Assert.All(PlanForecast.Of(plan, 0.1, 0.01, runs: 30)[0].Harm, time => Assert.Equal((null, 0.0), (time.Median, time.InTime)));
        Assert.Equal(0, PlanForecast.Of(plan with { Guard = new(null, null) }, 1_000, 0.01, runs: 30)[0].Step.AtLeast);
        // A guard on latency finds late answers, and nothing else.
        var late = PlanForecast.Of(plan with { Guard = Both with { ErrorRate = null } }, 1_000, 0.01, runs: 30)[0];
        Assert.Equal((null, true), (late.Harm[2].Median, late.LateHarm[2].Median < 10));
    }

    /// <summary>Without bad and late answers there is one way through, and the judge says where it ends.</summary>
    [Theory]
    [MemberData(nameof(Judged))]
    public void No_worse_is_foretold_for_the_request_at_which_it_is_judged(Strategy strategy, bool budget)
    {
        // A tight budget, so that it is what is waited for.
        var plan = Plan(strategy, budget) is var loose && budget ? loose with { Guard = Both with { Latency = Both.Latency! with { Quantile = 0.999 } } } : loose;
        var share = strategy == Strategy.Shadow ? 1 : 0.1;
        var answers = PlanForecast.Of(plan, 20, 0, 0, 10)[0].NoWorse!.Median!.Value * 20 * share;

        var first = Enumerable.Range(1, 10_000).First(n => new Counted(n, 0, 0, 0, 0).Judge(plan).Verdict == JudgeVerdict.NoWorse);
        Assert.InRange(answers, first - 0.01, first + 0.01);
    }

    /// <summary>The forecast's evidence and the judge's, over the same random answers.</summary>
    [Theory]
    [MemberData(nameof(Judged))]
    public void Evidence_in_play_says_what_the_judge_says_of_the_same_counts(Strategy strategy, bool budget)
    {
        var plan = Plan(strategy, budget);
        var share = strategy == Strategy.Shadow ? 1 : 0.1;
        foreach (var (bad, late, verdict) in new[] { (0.002, 0.001, JudgeVerdict.NoWorse), (0.1, 0.001, JudgeVerdict.Harm), (0.002, 0.1, budget ? JudgeVerdict.Harm : JudgeVerdict.NoWorse) })
        {
            var terms = PlanForecast.Terms(plan, 1_000, 0.002, 0.001);
            var (harm, noWorse, random, counted) = (new HarmInPlay(terms), new NoWorseInPlay(terms), new Random(5), new Counted(0, 0, 0, 0, 0));
            var ever = JudgeVerdict.InsufficientEvidence;
            for (var answer = 0; ever == JudgeVerdict.InsufficientEvidence; answer++)
            {
                Assert.True(answer < 200_000);
                var isCandidate = random.NextDouble() < share;
                var draw = random.NextDouble();
                var (isBad, isLate) = isCandidate ? (draw < bad, budget && draw > 1 - late) : (draw < 0.002, budget && draw > 0.999);
                if (!isBad && !isLate)
                {
                    counted = isCandidate ? counted with { Good = counted.Good + 1 } : counted;
                    harm.AddGood(isCandidate ? 1 : 0);
                    noWorse.AddGood(isCandidate ? 1 : 0);
                }
                else
                {
                    counted = counted.Add(isCandidate, isLate);
                    harm.Add(share, isCandidate, isLate);
                    noWorse.Add(share, isCandidate, isLate);
                }

                var report = counted.Judge(plan);
                Assert.Equal(report.Verdict == JudgeVerdict.Harm, harm.IsReached);
                Assert.Equal(report.Promotion.Any(way => way.LogE >= way.LogThreshold), noWorse.IsReached());
                ever = counted.Good < MissingEvidence.LeastRequests && report.Verdict != JudgeVerdict.Harm ? ever : report.Verdict;
            }

            Assert.Equal(verdict, ever);
        }
    }

    /// <summary>Whole releases, request by request, against the medians that are foretold.</summary>
    [Theory]
    [MemberData(nameof(Judged))]
    public void Harm_is_foretold_for_when_the_judge_finds_it(Strategy strategy, bool budget)
    {
        var plan = Plan(strategy, budget);
        var share = strategy == Strategy.Shadow ? 1 : 0.1;
        var foretold = PlanForecast.Of(plan, 1_000, 0.005, 0.005, 200)[0].Harm[2];
        var found = Enumerable.Range(0, 60).Select(seed => Seconds(new Random(seed))).Order().ToArray();
        // Each is somewhere in the middle of the other.
        Assert.InRange(found[30], foretold.Early!.Value, foretold.Late!.Value);
        Assert.InRange(foretold.Median!.Value, found[20], found[40]);

        double Seconds(Random random)
        {
            var counted = new Counted(0, 0, 0, 0, 0);
            for (var request = 1; request < 1_000_000; request++)
            {
                var isCandidate = random.NextDouble() < share;
                var draw = random.NextDouble();
                var (isBad, isLate) = (draw < (isCandidate ? 0.05 : 0.005), budget && draw > 0.995);
                counted = isBad || isLate ? counted.Add(isCandidate, isLate) : isCandidate ? counted with { Good = counted.Good + 1 } : counted;
                if (isCandidate && (isBad || isLate) && counted.Judge(plan).Verdict == JudgeVerdict.Harm)
                    return request / (1_000.0 * (strategy == Strategy.Shadow ? 0.995 : 1));
            }

            return double.PositiveInfinity;
        }
    }

    private static ChannelPlan Plan(Strategy strategy, bool budget) =>
        Canary with { Strategy = strategy, Steps = strategy == Strategy.Canary ? Canary.Steps : [], Guard = budget ? Both : Errors };

    private static RolloutStep Step(int weight, int holdBack) => new(weight, default, null, holdBack, holdBack == 0 ? null : new(TimeSpan.FromMinutes(1)));

    /// <summary>Answers of the candidate; and the stable version's bad and late ones.</summary>
    private sealed record Counted(long Good, long Bad, long Late, long StableBad, long StableLate)
    {
        public Counted Add(bool isCandidate, bool isLate) => (isCandidate, isLate) switch
        {
            (true, false) => this with { Bad = Bad + 1 },
            (true, true) => this with { Late = Late + 1 },
            (false, false) => this with { StableBad = StableBad + 1 },
            _ => this with { StableLate = StableLate + 1 },
        };

        public JudgeReport Judge(ChannelPlan plan)
        {
            var all = Good + Bad + Late;
            var candidate = EvidenceTally.Empty with { Requests = all, BadRequests = Bad, OverBudget = Late };
            return Slipway.Server.Judging.Judge.Assess("r", 0, 0, plan, plan.Strategy == Strategy.Shadow
                ? new([], 0, 1, new(Good + Late, 0, Bad, 0, 0))
                : new([new(1, 1_000, candidate, EvidenceTally.Empty, [new(BadKind.Error, Bad, StableBad), new(BadKind.Latency, Late, StableLate)])], 0, 1, null));
        }
    }
}
