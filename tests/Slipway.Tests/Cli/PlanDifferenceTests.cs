using System.Collections.Immutable;
using Slipway.Cli;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Cli;

public sealed class PlanDifferenceTests
{
    private static readonly AlertRule Drift = new("drift", "drift.max > 0.2", "production", AlertSeverity.Warn, Minutes(10), null);

    [Fact]
    public void Plans_that_say_the_same_do_not_differ()
    {
        Assert.Empty(PlanDifference.Of(ReleasePlan.Default, ReleasePlan.Default));
        Assert.Empty(PlanDifference.Of(ReleasePlan.Default, ReleasePlan.Default with { Monitor = MonitorPlan.Default }));
    }

    [Fact]
    public void What_differs_is_told_key_by_key_as_specs_have_it()
    {
        var canary = ReleasePlan.Default.Channels[ReleasePlan.Production];
        var after = ReleasePlan.Of(
            ReleasePlan.Default.Channels[ReleasePlan.Staging] with { Strategy = Strategy.Shadow },
            canary with
            {
                KeepWarm = Minutes(120),
                Key = "header:user",
                Guard = new Guard(new Ratio(0.02), new LatencyGuard(0.99, new Duration(TimeSpan.FromMilliseconds(50)))),
                Steps = canary.Steps.SetItem(1, canary.Steps[1] with { Weight = 2_500 }).RemoveAt(2),
                Approvals = [new ApprovalRule("risk", 2)],
            });
        Assert.Equal(
            [
                "staging.strategy: blue-green → shadow",
                "production.steps 2.weight: 10 % → 25 %",
                "production.steps 3.weight: 50 % → 100 %",
                "production.steps 3.at-least: 10 min → 0 s",
                "production.steps 4: { weight: 100 %, at-least: 0 s, hold-back: 0 % } → nothing",
                "production.key: request-id → header:user",
                "production.guard.error-rate: nothing → 2 %",
                "production.guard.latency: nothing → { quantile: 0.99, limit: 50 ms }",
                "production.approvals 1: nothing → { group: risk, count: 2 }",
                "production.keep-warm: 1 h → 2 h",
            ],
            PlanDifference.Of(ReleasePlan.Default, after));
    }

    [Fact]
    public void Rules_are_compared_by_their_names_wherever_they_stand()
    {
        var other = Drift with { Name = "slow", When = "latency.p99 > 0.25" };
        Assert.Equal(
            [
                "monitor.window: 1 h → 30 d",
                "monitor.alerts 'drift'.when: drift.max > 0.2 → drift.max > 0.3",
                "monitor.alerts 'gone': { name: gone, when: drift.max > 0.2, channel: production, severity: warn, for: 10 min } → nothing",
                "monitor.capture: nothing → { share: 1 %, drop: nothing, mask: seat, keep: 7 d }",
            ],
            PlanDifference.Of(
                Watching(MonitorPlan.Default with { Alerts = [Drift, other, Drift with { Name = "gone" }] }),
                Watching(MonitorPlan.Default with
                {
                    Window = new Duration(TimeSpan.FromDays(30)),
                    Alerts = [other, Drift with { When = "drift.max > 0.3" }],
                    Capture = new CaptureRules(new Ratio(0.01), [], ["seat"], new Duration(TimeSpan.FromDays(7))),
                })));
    }

    /// <summary>A plan can have been set after a version whose every key was another; whichever key it is, it is told.</summary>
    [Fact]
    public void Whatever_changes_a_plans_digest_is_told()
    {
        ImmutableArray<MonitorPlan> others =
        [
            MonitorPlan.Default with { Sample = new Ratio(0.5) },
            MonitorPlan.Default with { Labels = new LabelRules(Minutes(5), new Ratio(1)) },
            MonitorPlan.Default with { DriftLimit = 0.3 },
            MonitorPlan.Default with { Alerts = [Drift] },
            MonitorPlan.Default with { Retrain = [new RetrainRule("again", "drift.max > 0.2", "production", "train", Minutes(60), 1)] },
        ];
        Assert.All(others, other => Assert.Single(PlanDifference.Of(Watching(MonitorPlan.Default), Watching(other))));
    }

    private static ReleasePlan Watching(MonitorPlan monitor) => ReleasePlan.Default with { Monitor = monitor };

    private static Duration Minutes(double minutes) => new(TimeSpan.FromMinutes(minutes));
}
