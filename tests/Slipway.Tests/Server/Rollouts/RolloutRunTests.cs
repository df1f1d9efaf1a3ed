using Slipway.Documents.Rollouts;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>Whole rollouts: a real server on both stores, gateways that speak the real documents.</summary>
public sealed class RolloutRunTests
{
    private static readonly ChannelPlan Canary = Sample.Plan(
        Strategy.Canary,
        new RolloutStep(1_000, Sample.Seconds(0.2), null, 0, null),
        new RolloutStep(5_000, Sample.Seconds(0.2), null, 0, null),
        new RolloutStep(Weight.All, Sample.Seconds(0.2), null, 0, null)) with { Judge = JudgeSettings.Default with { PromoteMargin = 2 } };

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_canary_that_is_no_worse_is_promoted_step_by_step(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(Promoted, view.State.Phase);
        Assert.Equal([0, 1_000, 5_000, Weight.All], view.State.Weights.Select(weight => weight.Weight));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(Sample.Version(2), gateway.Route!.Stable);
        Assert.Equal([Sample.Version(1)], gateway.Route.Warm);
        var history = await stage.HistoryAsync();
        Assert.Equal(["rollout.promoted", "rollout.step", "rollout.step", "rollout.step", "rollout.started"], history.Take(5).Select(entry => entry.Action));
        Assert.Equal(JudgeVerdict.NoWorse, history[2].Report!.Verdict);
        Assert.Equal((Sample.Version(1), Sample.Version(2), Sample.Version(2)), (history[0].From, history[0].To, history[0].Live));
    }
}
