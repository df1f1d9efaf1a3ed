using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Server.Web;

namespace Slipway.Tests.Server.Web;

public sealed class OverviewPageTests
{
    private static readonly Digest Bundle = Digest.Of("a bundle"u8), Other = Digest.Of("another bundle"u8);

    [Fact]
    public async Task It_shows_channels_versions_gates_and_the_running_rollout_with_its_evidence()
    {
        var html = await RenderAsync(Example("auc = 0.688 [0.673, 0.713] is wholly ≥ 0.60"));

        Assert.Contains("auc = 0.688 [0.673, 0.713] is wholly", html, StringComparison.Ordinal);
        Assert.Contains("production: version 2 against version 1", html, StringComparison.Ordinal);
        Assert.Contains("10 %, step 1 of 2", html, StringComparison.Ordinal);
        Assert.Contains("insufficient-evidence", html, StringComparison.Ordinal);
        Assert.Contains("412 more requests", html, StringComparison.Ordinal);
        Assert.Contains(Bundle.ToString(), html, StringComparison.Ordinal);
        Assert.Contains("edge-1", html, StringComparison.Ordinal);
        Assert.Contains("<th scope=\"row\" class=\"bad\">rolled-back</th>", html, StringComparison.Ordinal);
        Assert.Contains("waits for evidence", html, StringComparison.Ordinal);
        Assert.Contains("2026-01-02 03:04:05 UTC", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_of_others_is_text_and_never_markup()
    {
        var html = await RenderAsync(Example("<script>alert(1)</script>\" onload=\"x"));

        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Without_models_it_says_how_the_first_one_gets_here()
    {
        var html = await RenderAsync(new Overview("ada", 0, []));

        Assert.Contains("slipway push", html, StringComparison.Ordinal);
    }

    private static Task<string> RenderAsync(Overview overview) =>
        new PageRenderer().RenderAsync<OverviewPage>(new Dictionary<string, object?> { [nameof(OverviewPage.Overview)] = overview });

    private static Overview Example(string reason)
    {
        const long at = 1_767_323_045_000;
        var gates = new GateReport(Bundle, null, Verdict.Pass, [new GateResult("good enough", "auc >= 0.60", Verdict.Pass, reason, ImmutableSortedDictionary<string, Figure>.Empty)]);
        ImmutableArray<ModelVersion> versions =
        [
            new("flights", 2, Other, Other, gates with { Bundle = Other }, ["k"], "user:a", "ada", at, "deeper trees"),
            new("flights", 1, Bundle, Bundle, gates, ["k"], "user:a", "ada", at, "the first"),
        ];
        var plan = new ChannelPlan(
            Strategy.Canary,
            [new RolloutStep(1_000, new(TimeSpan.FromSeconds(3)), null, 0, null), new RolloutStep(Weight.All, new(TimeSpan.FromSeconds(3)), null, 0, null)],
            ChannelPlan.RequestId,
            new Guard(new Ratio(0.01), null),
            JudgeSettings.Default,
            [],
            new Duration(TimeSpan.FromHours(1)));
        var state = new RolloutState(
            "r1", "flights", "production", RolloutKind.Release, new(2, Other), new(1, Bundle), plan, Other, RolloutPhase.Stepping, null, 0, 1_000,
            [new WeightChange(1, 0, at), new WeightChange(2, 1_000, at)], "00", at, at, null, null, "user:g", "grace", "Every gateway has 10 % in force.", ["gateway b was lost"]);
        var arm = new ArmEvidence(120, 1, 0, [.. new long[LatencyBuckets.Count]]);
        var report = new JudgeReport(
            "r1", at, 0, plan.Strategy, plan.Judge, plan.Guard,
            new RolloutEvidence([new EvidenceCell(2, 1_000, arm, arm with { Requests = 1_090 }, [])], 0, 1, null),
            JudgeVerdict.InsufficientEvidence,
            new EvidenceMeasure("harm", 0.3, 4.61, "no sign of harm"),
            [new EvidenceMeasure("error", 0.3, 4.61, "one bad answer of the candidate")],
            [new EvidenceMeasure("non-inferiority", -0.2, 4.61, "too few bad events to compare")],
            [],
            "The evidence does not suffice yet.",
            ["about 412 more requests to the candidate, if none of them is bad"]);
        return new Overview("ada", at, [new ModelOverview(
            "flights",
            [new("flights", "production", new(1, Bundle), at, null, "r1"), new("flights", "staging", null, null, null, null)],
            versions,
            [new RolloutView(state, report, [new("edge-1", "b1", at, true, VersionState.Ready, null, true)], ["waits for evidence"])],
            [new(at, "flights", "production", "r0", "rollout.rolled-back", null, new(1, Bundle), null, "server", "the server", reason, null, null, [])])]);
    }
}
