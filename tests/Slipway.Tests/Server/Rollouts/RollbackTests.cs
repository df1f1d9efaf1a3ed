using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>The way back: in every phase, after promotion too, warm or cold, and for two people at once.</summary>
public sealed class RollbackTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [InlineData(Preparing)]
    [InlineData(Stepping)]
    [InlineData(HoldingBack)]
    [InlineData(Paused)]
    [InlineData(RollingBack)]
    public async Task A_rollout_is_rolled_back_in_every_phase(RolloutPhase phase)
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        if (phase == Preparing)
            gateway.Versions[2] = VersionState.Preparing;
        var plan = phase == HoldingBack ? Sample.Plan(Strategy.Canary, new RolloutStep(Weight.All, default, null, 200, Sample.Seconds(3600))) : RolloutRunTests.Canary;
        var rollout = await stage.StartAsync(plan, 2);
        if (phase == Paused)
            await stage.TellAsync(rollout.Id, "pause");
        if (phase == RollingBack)
        {
            await stage.UntilAsync(rollout.Id, view => view.State.Phase == Stepping);
            await stage.TellAsync(rollout.Id, "rollback");
        }
        else
        {
            await stage.UntilAsync(rollout.Id, view => view.State.Phase == phase);
        }

        var answer = await stage.RollBackAsync(from: 2);
        Assert.True(answer is { Phase: RollingBack or RolledBack, Weight: 0 });
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver);
        Assert.Equal(RolledBack, view.State.Phase);
        await stage.UntilServedAsync(1);
        Assert.Equal(Sample.Version(1), (await stage.ChannelAsync()).Live);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task After_promotion_the_warm_version_before_is_back_in_one_change(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await gateway.ReportAsync();
        var back = await stage.RollBackAsync(from: 2);
        Assert.Equal((Promoted, RolloutKind.Return, Sample.Version(1)), (back.Phase, back.Kind, back.Candidate));
        Assert.Equal(Sample.Version(1), (await stage.ChannelAsync()).Live);
        await stage.UntilServedAsync(1);
        Assert.Empty(gateway.Route!.Warm);
        var entry = (await stage.HistoryAsync())[0];
        Assert.Equal(("rollout.returned", "Olga", 2, 1), (entry.Action, entry.ByName, entry.From!.Number, entry.To.Number));
    }

    [Fact]
    public async Task A_version_that_is_no_longer_warm_is_prepared_before_it_is_switched_to()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await stage.ReleaseAsync(3);
        gateway.Versions[1] = VersionState.Preparing;
        var back = await stage.RollBackAsync(to: 1);
        Assert.Equal(Preparing, back.Phase);
        Assert.Equal(Sample.Version(3), (await stage.ChannelAsync()).Live);
        gateway.Versions[1] = VersionState.Ready;
        await stage.UntilAsync(back.Id, view => view.State.Phase == Promoted, gateway.ReportAsync);
        await stage.UntilServedAsync(1);
    }

    [Fact]
    public async Task Going_back_twice_goes_on_to_the_version_before_that_one_and_not_to_the_bad_one()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await stage.ReleaseAsync(3);
        await stage.RollBackAsync(from: 3);
        await stage.UntilServedAsync(2);
        var back = await stage.RollBackAsync(from: 2);
        Assert.Equal(1, back.Candidate.Number);
        await stage.UntilServedAsync(1);
        Assert.Equal((409, "no-way-back"), await stage.RefusedAsync("rollback", new RollbackRequest("further", null), RolloutJson.Default.RollbackRequest));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Many_who_take_back_the_same_version_at_once_go_back_once(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await stage.ReleaseAsync(3);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => stage.TryAsync("rollback", new RollbackRequest("now", null, 3), RolloutJson.Default.RollbackRequest)));
        Assert.Equal(["200 ", "409 moved-on"], answers.Distinct().Order());
        Assert.Single(answers, "200 ");
        Assert.Equal(2, (await stage.ChannelAsync()).Live!.Number);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Two_who_release_at_once_start_one_rollout(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        await stage.ApproveAsync(RolloutRunTests.Canary, 1);
        await stage.ApproveAsync(RolloutRunTests.Canary, 2);
        var answers = await Task.WhenAll(new[] { 1, 2 }.Select(version => stage.TryAsync("releases", new ReleaseRequest(version, "mine"), RolloutJson.Default.ReleaseRequest)));
        Assert.Equal(["201 ", "409 rollout-running"], answers.Order());
    }

    [Fact]
    public async Task A_version_that_was_never_live_there_is_no_way_back()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        Assert.Equal((409, "nothing-live"), await stage.RefusedAsync("rollback", new RollbackRequest("back", null), RolloutJson.Default.RollbackRequest));
        await stage.ReleaseAsync(1);
        await stage.ApproveAsync(RolloutRunTests.Canary, 2);
        Assert.Equal((409, "never-live"), await stage.RefusedAsync("rollback", new RollbackRequest("forward, without a judge", 2), RolloutJson.Default.RollbackRequest));
        Assert.Equal((400, "no-reason"), await stage.RefusedAsync("rollback", new RollbackRequest(" ", 1), RolloutJson.Default.RollbackRequest));
    }

    [Fact]
    public async Task During_a_rollout_the_channel_goes_further_back_than_its_live_version()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        var canary = await stage.StartAsync(RolloutRunTests.Canary, 3);
        await stage.UntilAsync(canary.Id, view => view.State.Phase == Stepping);
        var back = await stage.RollBackAsync(to: 1, from: 3);
        Assert.Equal(RolledBack, (await stage.ShowAsync(canary.Id)).State.Phase);
        await stage.UntilAsync(back.Id, view => view.State.Phase == Promoted);
        await stage.UntilServedAsync(1);
    }

    [Fact]
    public async Task A_second_release_is_refused_and_the_same_one_is_the_same()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        Assert.Equal(rollout.Id, (await stage.PostAsync("releases", new ReleaseRequest(2, "me too"), RolloutJson.Default.ReleaseRequest)).Id);
        await stage.ApproveAsync(RolloutRunTests.Canary, 3);
        Assert.Equal((409, "rollout-running"), await stage.RefusedAsync("releases", new ReleaseRequest(3, "mine"), RolloutJson.Default.ReleaseRequest));
    }

    [Fact]
    public async Task What_is_not_approved_is_not_released()
    {
        await using var stage = await RolloutStage.OpenAsync();
        Assert.Equal((404, "no-version"), await stage.RefusedAsync("releases", new ReleaseRequest(1, "now"), RolloutJson.Default.ReleaseRequest));
        await stage.RegisterAsync(RolloutRunTests.Canary, 1);
        Assert.Equal((409, "not-promoted"), await stage.RefusedAsync("releases", new ReleaseRequest(1, "now"), RolloutJson.Default.ReleaseRequest));
    }

    [Fact]
    public async Task The_canary_of_a_plan_cannot_be_left_out_by_whoever_releases()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ApproveAsync(RolloutRunTests.Canary, 2);
        Assert.Equal((409, "plan-strategy"), await stage.RefusedAsync("releases", new ReleaseRequest(2, "fast", Strategy.BlueGreen), RolloutJson.Default.ReleaseRequest));
    }

    [Fact]
    public async Task A_shadow_beforehand_needs_a_guard_that_could_show_it_no_worse()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ApproveAsync(Sample.Canary, 2);
        Assert.Equal((409, "shadow-without-guard"), await stage.RefusedAsync("releases", new ReleaseRequest(2, "careful", Strategy.Shadow), RolloutJson.Default.ReleaseRequest));
        await stage.ApproveAsync(Sample.Canary with { Guard = new(new(0.05), null) }, 2);
        var shadow = await stage.PostAsync("releases", new ReleaseRequest(2, "careful", Strategy.Shadow), RolloutJson.Default.ReleaseRequest);
        Assert.Equal(Strategy.Shadow, shadow.Plan.Strategy);
    }

    [Fact]
    public async Task A_version_is_let_go_of_when_its_time_to_be_warm_is_over_and_can_still_be_gone_back_to()
    {
        await using var stage = await RolloutStage.OpenAsync(with: options => options with { Time = new SteppedClock() });
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        Assert.Equal([Sample.Version(1)], gateway.Route!.Warm);
        ((SteppedClock)stage.Options.Time).Step(TimeSpan.FromHours(1));
        await gateway.ReportAsync();
        await Primitives.Eventually.True(() => gateway.Route!.Warm.IsEmpty, TimeSpan.FromSeconds(60));
        var back = await stage.RollBackAsync();
        await stage.UntilAsync(back.Id, view => view.State.Phase == Promoted, gateway.ReportAsync);
        await stage.UntilServedAsync(1);
    }

    [Fact]
    public async Task A_key_revoked_meanwhile_is_told_and_does_not_close_the_way_back()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await stage.RevokeKeyAsync();
        var back = await stage.RollBackAsync(from: 2);
        Assert.Contains(back.Notes, note => note.Contains("was revoked"));
        await stage.UntilServedAsync(1);
        Assert.Equal((409, "not-approved"), await stage.RefusedAsync("releases", new ReleaseRequest(2, "again"), RolloutJson.Default.ReleaseRequest));
    }

    [Fact]
    public async Task A_policy_tightened_while_a_version_is_warm_is_told_and_does_not_close_the_way_back()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        await stage.SetPolicyAsync("{ '*': { production: { strategies: [canary], approvals: [{ group: security, count: 2 }] } } }");
        var promotions = await TestServer.GetAsync(stage.Operator, $"/api/v1/models/{Sample.Model}/promotions", Slipway.Documents.Registry.RegistryJson.Default.ImmutableArrayPromotion);
        Assert.Equal(2, promotions.Length);
        Assert.All(promotions, promotion =>
        {
            Assert.NotEqual(Slipway.Documents.Registry.PromotionState.Approved, promotion.State);
            Assert.Contains(promotion.Missing, missing => missing.Contains("security"));
            Assert.Contains(promotion.Missing, missing => missing.Contains("blue-green"));
        });

        var back = await stage.RollBackAsync(from: 2);
        Assert.Equal((Promoted, Sample.Version(1)), (back.Phase, back.Candidate));
        Assert.Contains(back.Notes, note => note.StartsWith("version 1 would not be let through to production now: ", StringComparison.Ordinal) && note.Contains("security"));
        await stage.UntilServedAsync(1);
        var entry = (await stage.HistoryAsync())[0];
        Assert.Equal("rollout.returned", entry.Action);
        Assert.Equal(back.Notes, entry.Notes.Take(back.Notes.Length));
        Assert.Contains(entry.Notes, note => note.StartsWith("version 2 would not be let through to production now: ", StringComparison.Ordinal));
        Assert.Equal((409, "not-approved"), await stage.RefusedAsync("releases", new ReleaseRequest(2, "again"), RolloutJson.Default.ReleaseRequest));
    }

    [Fact]
    public async Task A_policy_tightened_while_a_rollout_runs_is_told_and_left_to_people()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.Phase == Stepping);
        await stage.SetPolicyAsync("{ '*': { production: { approvals: [{ group: security, count: 2 }] } } }");
        var view = await stage.ShowAsync(rollout.Id);
        Assert.Equal(Stepping, view.State.Phase);
        Assert.Contains(view.State.Notes, note => note.Contains("version 2 would not be let through"));
        await stage.RollBackAsync(from: 2);
        await stage.UntilAsync(rollout.Id, view => view.State.IsOver);
        await stage.UntilServedAsync(1);
        Assert.Contains((await stage.HistoryAsync())[0].Notes, note => note.Contains("version 2 would not be let through"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Pause_and_abort_at_once_end_it_aborted(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        var other = await stage.NewOperatorAsync("Otto");
        for (var round = 2; round < 8; round++)
        {
            var rollout = await stage.StartAsync(RolloutRunTests.Canary, round);
            await stage.UntilAsync(rollout.Id, view => view.State.Phase == Stepping);
            var pausing = stage.TryAsync($"rollouts/{rollout.Id}/pause", new RolloutCommand("wait"), RolloutJson.Default.RolloutCommand);
            var aborting = stage.TryAsync($"rollouts/{rollout.Id}/abort", new RolloutCommand("away"), RolloutJson.Default.RolloutCommand, other);
            var (paused, aborted) = (await pausing, await aborting);

            Assert.Equal("200 ", aborted);
            Assert.Contains(paused, new[] { "200 ", "409 rollout-phase" });
            var state = (await stage.ShowAsync(rollout.Id)).State;
            Assert.Equal((Aborted, 0), (state.Phase, state.Weight));
            string[] told = [.. (await stage.HistoryAsync()).Where(entry => entry.Rollout == rollout.Id && entry.ByName is "Olga" or "Otto").Select(entry => $"{entry.ByName} {entry.Action}")];
            Assert.Equal(paused == "200 " ? ["Otto rollout.aborted", "Olga rollout.paused", "Olga rollout.started"] : ["Otto rollout.aborted", "Olga rollout.started"], told);
            await stage.UntilServedAsync(1);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Release_and_rollback_at_once_are_one_after_the_other(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.ReleaseAsync(2);
        var other = await stage.NewOperatorAsync("Otto");
        for (var round = 3; round < 9; round++)
        {
            await stage.ApproveAsync(RolloutRunTests.Canary, round);
            await gateway.ReportAsync();
            var releasing = stage.TryAsync("releases", new ReleaseRequest(round, "forward"), RolloutJson.Default.ReleaseRequest);
            var returning = stage.TryAsync("rollback", new RollbackRequest("back", null, 2), RolloutJson.Default.RollbackRequest, other);
            var (released, returned) = (await releasing, await returning);

            var (live, running) = (await stage.ChannelAsync() is var channel ? (channel.Live!.Number, channel.Rollout) : default);
            if (returned == "200 ")
            {
                // The way back came first; a release after it starts from what is live then, or waited in vain for a return that is not over.
                Assert.Contains(released, new[] { "201 ", "409 rollout-running" });
                if (released == "201 ")
                    Assert.Equal((1, 1), (live, (await stage.ShowAsync(running!)).State.Stable!.Number));
            }
            else
            {
                Assert.Equal(("201 ", "409 moved-on", 2), (released, returned, live));
                Assert.Equal((round, 2), (await stage.ShowAsync(running!)).State is var s ? (s.Candidate.Number, s.Stable!.Number) : default);
            }

            await stage.SettleAsync();
            if ((await stage.ChannelAsync()).Live!.Number == 1)
                await stage.ReleaseAsync(2);
            // What is warm now is version 1, which the next round goes back to.
            await stage.UntilServedAsync(2);
        }
    }

    [Fact]
    public async Task A_key_revoked_while_a_rollout_runs_is_told_and_left_to_people()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.Phase == Stepping);
        Assert.Empty(view.State.Notes);
        await stage.RevokeKeyAsync();
        view = await stage.ShowAsync(rollout.Id);
        Assert.Contains(view.State.Notes, note => note.Contains("which signed version 2, was revoked: the laptop was stolen"));
        Assert.Equal(Stepping, view.State.Phase);
    }

    [Fact]
    public async Task Staging_and_production_are_two_channels()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        await stage.ReleaseAsync(1);
        var states = await TestServer.GetAsync(stage.Operator, $"/api/v1/models/{Sample.Model}/channels", Slipway.Documents.Registry.RegistryJson.Default.ImmutableArrayChannelState);
        Assert.Equal([("staging", null), ("production", 1)], states.Select(state => (state.Channel, state.Live?.Number)));
        Assert.Empty((await stage.Database.ReadAsync(session => DesiredStateTable.FindAsync(session, "staging"), TestContext.Current.CancellationToken)).Models);
    }
}
