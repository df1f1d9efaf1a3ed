using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>
/// A change of a rollout that is stopped at any of the things that it does: nothing of it is to be seen, and once it can be done it is done,
/// once. What stops it is the store itself, by a trigger.
/// </summary>
public sealed class StoppedChangeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Every table that a step or a promotion writes, in that order.</summary>
    [Theory]
    [InlineData("rollouts", "UPDATE")]
    [InlineData("ledger_entries", "INSERT")]
    [InlineData("ledger_subjects", "INSERT")]
    [InlineData("channel_history", "INSERT")]
    [InlineData("desired_states", "UPDATE")]
    [InlineData("event_batches", "DELETE")]
    public async Task A_step_that_is_stopped_has_not_happened_and_is_taken_later(string table, string write)
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        await StopAsync(stage, table, write);
        var before = await SeenAsync(stage);
        for (var i = 0; i < 8; i++)
            await gateway.ServeAsync(2_000, _ => 0.02);
        await Eventually.True(() => stage.Log.Any(line => line.Contains("rollouts rest")), Patience);
        Assert.Equal(before, await SeenAsync(stage));
        Assert.Equal(1_000, gateway.Route!.Rollout!.Weight);

        await LetGoAsync(stage);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(Promoted, view.State.Phase);
        await AssertOnceAsync(stage);
    }

    [Theory]
    [InlineData("rollouts", "UPDATE")]
    [InlineData("live_versions", "UPDATE")]
    [InlineData("live_before", "INSERT")]
    [InlineData("ledger_entries", "INSERT")]
    [InlineData("channel_history", "INSERT")]
    [InlineData("desired_states", "UPDATE")]
    public async Task A_promotion_that_is_stopped_has_not_happened_and_happens_later(string table, string write)
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var plan = RolloutRunTests.Canary with { Steps = RolloutRunTests.Canary.Steps.SetItem(2, new(Weight.All, Sample.Seconds(1), null, 0, null)) };
        var rollout = await stage.StartAsync(plan, 2);
        await stage.UntilAsync(rollout.Id, view => view.State is { Step: 2, StepSince: not null }, () => gateway.ServeAsync(2_000, _ => 0.02));
        await StopAsync(stage, table, write);
        var before = await SeenAsync(stage);
        await Eventually.True(() => stage.Log.Any(line => line.Contains("rollouts rest")), Patience);
        Assert.Equal(before, await SeenAsync(stage));
        Assert.Equal(Sample.Version(1), (await stage.ChannelAsync()).Live);

        await LetGoAsync(stage);
        await stage.UntilAsync(rollout.Id, view => view.State.Phase == Promoted);
        await stage.UntilServedAsync(2);
        await AssertOnceAsync(stage);
    }

    [Fact]
    public async Task A_server_that_cannot_take_a_pass_does_not_hold_on_to_the_lease()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await StopAsync(stage, "rollouts", "UPDATE");
        await stage.StartAsync(Sample.BlueGreen, 2);
        await Eventually.TrueAsync(() => stage.Database.ReadAsync(async session => await Lease.VacantForAsync(session, RolloutChanges.DriverLease) > TimeSpan.Zero, Cancellation), Patience);
        await LetGoAsync(stage);
        await stage.UntilServedAsync(2);
        await Eventually.TrueAsync(() => stage.Database.ReadAsync(async session => await Lease.VacantForAsync(session, RolloutChanges.DriverLease) == TimeSpan.Zero, Cancellation), Patience);
    }

    private static async Task AssertOnceAsync(RolloutStage stage) =>
        Assert.Equal(
            ["rollout.promoted", "rollout.step", "rollout.step", "rollout.step", "rollout.started"],
            (await stage.HistoryAsync()).Where(entry => entry.To.Number == 2).Select(entry => entry.Action));

    private static Task StopAsync(RolloutStage stage, string table, string write) => stage.Database.ChangeAsync(
        session => session.ExecuteAsync($"CREATE TRIGGER stopped BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, 'stopped here'); END"), Cancellation);

    private static Task LetGoAsync(RolloutStage stage) => stage.Database.ChangeAsync(session => session.ExecuteAsync("DROP TRIGGER stopped"), Cancellation);

    /// <summary>All that a rollout's changes leave behind, as one text.</summary>
    private static Task<string> SeenAsync(RolloutStage stage) => stage.Database.ReadAsync(
        async session => string.Join(
            '\n',
            [
                .. await session.QueryAsync<string>("SELECT state FROM rollouts ORDER BY id"),
                .. await session.QueryAsync<string>("SELECT document FROM desired_states ORDER BY channel"),
                .. await session.QueryAsync<string>("SELECT live FROM live_versions ORDER BY model, channel"),
                .. await session.QueryAsync<string>("SELECT entry FROM channel_history ORDER BY position"),
                $"{await session.FindAsync<long>("SELECT COUNT(*) FROM ledger_entries")}",
            ]),
        Cancellation);
}
