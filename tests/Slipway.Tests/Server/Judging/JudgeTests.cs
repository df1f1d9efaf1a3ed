using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Tests.Server.Judging;

public sealed class JudgeTests
{
    private static readonly Guard NoGuard = new(null, null), OnePercent = new(new Ratio(0.01), null), Both = new(new Ratio(0.01), new LatencyGuard(0.99, new(TimeSpan.FromMilliseconds(50))));

    [Fact]
    public void Without_traffic_the_evidence_is_insufficient_and_says_so()
    {
        var report = Assess(Canary(), Cell(2, 1_000));
        Assert.Equal(JudgeVerdict.InsufficientEvidence, report.Verdict);
        Assert.Equal(
            ["no request has reached the candidate yet", "non-inferiority: 0 of 0 bad events fell to the candidate, 0 would to an equal one, and a ratio below 1.5 is to be shown: ln E is 0.00 of 4.61; about 780 more bad events at 10 % would do, if the two are equal"],
            report.Missing);
        Assert.EndsWith("; 522 more requests to the candidate would do, if none of them is bad", Assess(BlueGreen(OnePercent), Cell(2, Weight.All)).Missing[^1]);
        Assert.Equal(report.Missing[0], report.Reason);
        Assert.Equal("the candidate's weight is 0, so no request reaches it", Assess(Canary(), Cell(1, 0)).Missing[0]);
        Assert.Equal("the candidate's weight is 0, so no request reaches it", Assess(Canary()).Missing[0]);
        Assert.Equal("no request has reached the candidate at 10 % yet", Assess(Canary(), Cell(2, 100, candidate: 500), Cell(3, 1_000)).Missing[0]);
    }

    [Fact]
    public void Harm_is_the_mean_of_the_kinds_against_one_over_alpha()
    {
        var report = Assess(Canary(), Cell(2, 1_000, 1_000, 9_000, new KindEvidence(BadKind.Error, 12, 30)));
        var error = ThinningProcess.Harm(1);
        error.Add(0.1, 12, 30);

        Assert.Equal(["error", "timeout", "invalid-output", "crash"], report.HarmByKind.Select(measure => measure.Name));
        Assert.Equal(error.LogE, report.HarmByKind[0].LogE, 1e-9);
        Assert.Equal(Math.Log((Math.Exp(error.LogE) + 3) / 4), report.Harm.LogE, 1e-9);
        Assert.Equal((Math.Log(100), Math.Log(400)), (report.Harm.LogThreshold, report.HarmByKind[0].LogThreshold), new Near());
        Assert.Equal("error: 12 of 42 fell to the candidate, and 4.2 would to an equal one", report.HarmByKind[0].Reading);
        Assert.Equal(JudgeVerdict.InsufficientEvidence, report.Verdict);

        var worse = Assess(Canary(), Cell(2, 1_000, 1_000, 9_000, new KindEvidence(BadKind.Error, 24, 30)));
        Assert.Equal((JudgeVerdict.Harm, "error: 24 of 54 fell to the candidate, and 5.4 would to an equal one"), (worse.Verdict, worse.Reason));
        Assert.Empty(worse.Missing);
    }

    [Fact]
    public void A_tolerated_ratio_is_no_harm()
    {
        var cell = Cell(2, 1_000, 5_000, 45_000, new KindEvidence(BadKind.Timeout, 60, 270));
        Assert.Equal(JudgeVerdict.Harm, Assess(Canary(), cell).Verdict);
        Assert.NotEqual(JudgeVerdict.Harm, Assess(Canary() with { Judge = JudgeSettings.Default with { ToleratedRatio = 2 } }, cell).Verdict);
    }

    [Fact]
    public void An_equal_candidate_is_no_worse_once_enough_bad_events_say_so()
    {
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Assess(Canary(), Cell(2, 5_000, 10_000, 10_000, new KindEvidence(BadKind.Error, 100, 100))).Verdict);
        var report = Assess(Canary(), Cell(2, 5_000, 40_000, 40_000, new KindEvidence(BadKind.Error, 300, 300), new KindEvidence(BadKind.Timeout, 100, 100)));
        var process = ThinningProcess.NonInferiority(0.5);
        process.Add(0.5, 400, 400);
        Assert.Equal(JudgeVerdict.NoWorse, report.Verdict);
        Assert.Equal(process.LogE, report.Promotion.Single().LogE, 1e-9);
        Assert.Equal(report.Promotion[0].Reading, report.Reason);
    }

    [Fact]
    public void Few_errors_promote_by_the_absolute_bound_and_two_ways_share_alpha()
    {
        var cell = Cell(2, 1_000, candidate: 600, stable: 5_400);
        var report = Assess(Canary(OnePercent), cell);
        Assert.Equal(JudgeVerdict.NoWorse, report.Verdict);
        Assert.Equal(["non-inferiority", "absolute bound"], report.Promotion.Select(measure => measure.Name));
        Assert.Equal(RateGuard.LogEBelow(0.01, 0, 600), report.Promotion[1].LogE, 1e-9);
        Assert.All(report.Promotion, measure => Assert.Equal(Math.Log(200), measure.LogThreshold, 1e-9));

        // 4.96 of 5.30: enough for one way alone, not for one of two.
        var fewer = Cell(2, 1_000, candidate: 560, stable: 5_400);
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Assess(Canary(OnePercent), fewer).Verdict);
        Assert.Equal(JudgeVerdict.NoWorse, Assess(BlueGreen(OnePercent), fewer with { Weight = Weight.All }).Verdict);
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Assess(Canary(NoGuard), cell).Verdict);
    }

    [Fact]
    public void With_a_latency_budget_the_candidate_must_keep_both_bounds()
    {
        var fast = Cell(2, 1_000, candidate: 600, stable: 5_400);
        Assert.Equal(JudgeVerdict.NoWorse, Assess(Canary(Both), fast).Verdict);
        var slow = fast with { Candidate = fast.Candidate with { OverBudget = 6 } };
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Assess(Canary(Both), slow).Verdict);
        Assert.Equal(RateGuard.LogEBelow(1 - 0.99, 6, 600), Assess(Canary(Both), slow).Promotion[1].LogE, 1e-9);
    }

    [Fact]
    public void Guards_hold_the_candidate_to_its_own_rates_whatever_the_stable_version_does()
    {
        var cell = Cell(2, 1_000, candidate: 1_000, stable: 9_000) is var bare ? bare with { Candidate = bare.Candidate with { BadRequests = 40 }, Stable = bare.Stable with { BadRequests = 900 } } : null!;
        var report = Assess(Canary(OnePercent), cell);
        Assert.Equal((JudgeVerdict.Harm, "guard error-rate: 40 of 1,000 (4 %) of the candidate's answers were bad, and 1 % may be"), (report.Verdict, report.Reason));
        Assert.Equal(RateGuard.LogEAbove(0.01, 40, 1_000), report.HarmByKind[^1].LogE, 1e-9);
        Assert.NotEqual(JudgeVerdict.Harm, Assess(Canary(), cell).Verdict);

        var slow = bare with { Candidate = bare.Candidate with { OverBudget = 60 } };
        Assert.Equal("guard latency: 60 of 1,000 (6 %) of the candidate's answers took longer than 50 ms, and 1 % may", Assess(Canary(Both), slow).Reason);
    }

    [Fact]
    public void An_unknown_outcome_forbids_no_worse_and_not_harm()
    {
        var good = Cell(2, 1_000, candidate: 6_000, stable: 54_000);
        var report = Judge.Assess("r1", 5, 0, Canary(OnePercent), new([good], 1, 1, null));
        Assert.Equal((JudgeVerdict.InsufficientEvidence, 1), (report.Verdict, report.Missing.Length));
        Assert.StartsWith("what became of 1 or more requests is not known", report.Reason);
        var bad = Cell(2, 1_000, 1_000, 9_000, new KindEvidence(BadKind.Error, 30, 10));
        Assert.Equal(JudgeVerdict.Harm, Judge.Assess("r1", 5, 0, Canary(OnePercent), new([bad], 1, 1, null)).Verdict);
    }

    [Fact]
    public void Harm_wins_over_no_worse()
    {
        var cell = Cell(2, 5_000, 400_000, 400_000, new KindEvidence(BadKind.Error, 3_000, 3_000), new KindEvidence(BadKind.Crash, 40, 0));
        var report = Assess(Canary(OnePercent), cell);
        Assert.True(report.Promotion[0].LogE >= report.Promotion[0].LogThreshold);
        Assert.Equal(JudgeVerdict.Harm, report.Verdict);
    }

    [Fact]
    public void Without_the_other_arm_only_guards_speak()
    {
        var all = new KindEvidence(BadKind.Error, 5_000, 0);
        Assert.Equal(0, Assess(Canary(), Cell(2, Weight.All, 10_000, 0, all)).Harm.LogE);
        Assert.Equal(0, Assess(Canary(), Cell(1, 0, 0, 10_000, new KindEvidence(BadKind.Error, 5, 5_000))).Harm.LogE);
        Assert.NotEqual(0, Assess(Canary(), Cell(2, Weight.All - 1, 10_000, 0, all)).Harm.LogE);

        var report = Assess(BlueGreen(NoGuard), Cell(2, Weight.All, 10_000, 0));
        Assert.Empty(report.Promotion);
        Assert.Equal("there is no stable version beside the candidate to compare it with, and the plan has no guard on the error rate that it could be held to", report.Missing.Single());
        Assert.Equal(JudgeVerdict.NoWorse, Assess(BlueGreen(OnePercent), Cell(2, Weight.All, 10_000, 0)).Verdict);
    }

    [Fact]
    public void Evidence_of_earlier_weights_alone_does_not_end_a_step()
    {
        var earlier = Cell(2, 1_000, candidate: 6_000, stable: 54_000);
        var report = Assess(Canary(OnePercent), earlier, Cell(3, 5_000, candidate: 97, stable: 90));
        Assert.Equal((JudgeVerdict.InsufficientEvidence, "3 more requests to the candidate at 50 %: it has had 97, and 100 are due at each weight"), (report.Verdict, report.Reason));
        Assert.Equal(JudgeVerdict.NoWorse, Assess(Canary(OnePercent), earlier, Cell(3, 5_000, candidate: 100, stable: 90)).Verdict);
    }

    [Fact]
    public void A_shadow_is_held_to_its_guard_on_what_the_stable_version_answered()
    {
        Assert.Equal("no answer of the shadow was compared yet", Shadow(OnePercent, null).Reason);
        Assert.Equal("the plan has no guard on the error rate that the shadow could be held to", Shadow(NoGuard, new(5_000, 0, 0, 0, 0)).Reason);
        Assert.Equal((JudgeVerdict.NoWorse, "absolute bound: the shadow failed on 0 of 560 (0 %), and less than 1 % is to be shown; 500 of 560 (89.2857 %) of its answers differed"),
            (Shadow(OnePercent, new(560, 500, 0, 100, 1)).Verdict, Shadow(OnePercent, new(560, 500, 0, 100, 1)).Reason));
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Shadow(OnePercent, new(560, 0, 0, 561, 0)).Verdict);
        Assert.Equal(JudgeVerdict.Harm, Shadow(OnePercent, new(960, 0, 40, 0, 0)).Verdict);
        Assert.Equal(JudgeVerdict.InsufficientEvidence, Shadow(NoGuard, new(960, 0, 900, 0, 0)).Verdict);

        static JudgeReport Shadow(Guard guard, ShadowCounts? counts) => Judge.Assess("r1", 5, 0, Canary(guard) with { Strategy = Strategy.Shadow }, new([Cell(1, 0)], 0, 1, counts));
    }

    [Fact]
    public void A_report_is_computed_again_from_its_own_numbers_to_the_byte()
    {
        foreach (var report in new[] { Assess(Canary(Both), Cell(2, 1_000, 70, 600, new KindEvidence(BadKind.Error, 3, 40)), Cell(3, 5_000, 50, 50)), Assess(Canary()), Assess(Canary(new(new Ratio(0), null)), Cell(2, 1_000, 700, 6_000) is var c ? c with { Candidate = c.Candidate with { BadRequests = 1 } } : null!) })
        {
            var json = CanonicalJson.Serialize(report, RolloutJson.Default.JudgeReport);
            Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(CanonicalJson.Serialize(Judge.Recompute(report), RolloutJson.Default.JudgeReport)));
            Assert.NotEqual(JudgeVerdict.NoWorse, Judge.Recompute(report with { Verdict = JudgeVerdict.NoWorse }).Verdict);
        }
    }

    /// <summary>Read by <c>slipway judge</c>'s tests as well.</summary>
    [Theory]
    [InlineData("insufficient-evidence", JudgeVerdict.InsufficientEvidence, 900, 2, 0)]
    [InlineData("no-worse", JudgeVerdict.NoWorse, 9_000, 2, 0)]
    [InlineData("harm", JudgeVerdict.Harm, 900, 2, 9)]
    public void A_report_that_was_kept_is_computed_the_same_by_every_build(string name, JudgeVerdict verdict, int requests, int late, int invalid)
    {
        var candidate = new ArmEvidence(requests, 3 + invalid, late, [.. new long[24], requests - 40, 38, .. new long[18], 2, .. new long[20]]);
        var report = Judge.Assess("01JDCANARY", 1_767_323_045_000, 1, Canary(Both), new(
            [
                Cell(1, 0, 0, 500),
                Cell(2, 100, 120, 11_880, new KindEvidence(BadKind.Error, 0, 14)),
                new(3, 1_000, candidate, Of(8_100) with { BadRequests = 11 }, [new(BadKind.Error, 2, 9), new(BadKind.Latency, late, 0), new(BadKind.InvalidOutput, invalid, 0)]),
            ],
            0, 2, null));
        var json = Encoding.UTF8.GetString(CanonicalJson.Serialize(report, RolloutJson.Default.JudgeReport));
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Server/Judging/vectors", name + ".json")), json);
        Assert.Equal(verdict, report.Verdict);
    }

    [Fact]
    public void Latencies_have_bands_once_there_are_enough()
    {
        var latency = new long[LatencyBuckets.Count];
        (latency[10], latency[20], latency[^1]) = (9_000, 900, 100);
        var arm = new ArmEvidence(10_000, 0, 0, [.. latency]);
        var bands = Assess(Canary(), new EvidenceCell(2, 1_000, arm, arm with { Requests = 99, Latency = [99, .. new long[LatencyBuckets.Count - 1]] }, [])).Latency;

        // The radius is 0.85 √((ln(1 + ln 100) + C(1.25 %))/10,000) = 0.0275 with C = 9.124. Bounds are 100 µs · 2^(i/4).
        Assert.Equal(new LatencyBand(Arm.Candidate, 0.5, 0.000565685424949, 0.000475682846001, 0.000565685424949, 10_000), bands[0]);
        Assert.Equal(new LatencyBand(Arm.Candidate, 0.95, 0.0032, 0.00269086852881, 0.0032, 10_000), bands[1]);
        Assert.Equal(new LatencyBand(Arm.Candidate, 0.99, 0.0032, 0.00269086852881, null, 10_000), bands[2]);
        Assert.Equal(new LatencyBand(Arm.Stable, 0.5, 0.0001, null, null, 99), bands[3]);
        Assert.Null(Assess(Canary(), Cell(2, 1_000)).Latency[0].Seconds);
    }

    private static JudgeReport Assess(ChannelPlan plan, params EvidenceCell[] cells) => Judge.Assess("r1", 5, 0, plan, new([.. cells], 0, 1, null));

    private static ChannelPlan Canary(Guard? guard = null) => new(Strategy.Canary, [], ChannelPlan.RequestId, guard ?? NoGuard, JudgeSettings.Default, [], default);

    private static ChannelPlan BlueGreen(Guard guard) => Canary(guard) with { Strategy = Strategy.BlueGreen };

    private static EvidenceCell Cell(long revision, int weight, long candidate = 0, long stable = 0, params KindEvidence[] bad) => new(revision, weight, Of(candidate), Of(stable), [.. bad]);

    private static ArmEvidence Of(long requests) => new(requests, 0, 0, [requests, .. new long[LatencyBuckets.Count - 1]]);

    private sealed class Near : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) x, (double, double) y) => Math.Abs(x.Item1 - y.Item1) + Math.Abs(x.Item2 - y.Item2) < 1e-9;

        public int GetHashCode((double, double) obj) => 0;
    }
}
