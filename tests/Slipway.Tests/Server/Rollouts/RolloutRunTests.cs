using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Rollouts;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>Whole rollouts: a real server on both stores, gateways that speak the real documents.</summary>
public sealed class RolloutRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal static ChannelPlan Canary { get; } = Sample.Plan(
        Strategy.Canary,
        new RolloutStep(1_000, Sample.Seconds(0.2), null, 0, null),
        new RolloutStep(5_000, Sample.Seconds(0.2), null, 0, null),
        new RolloutStep(Weight.All, Sample.Seconds(0.2), null, 0, null)) with
    { Judge = JudgeSettings.Default with { PromoteMargin = 2 } };

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
        await stage.UntilServedAsync(2);
        Assert.Equal([Sample.Version(1)], gateway.Route!.Warm);

        var history = await stage.HistoryAsync();
        Assert.Equal(["rollout.promoted", "rollout.step", "rollout.step", "rollout.step", "rollout.started"], history.Take(5).Select(entry => entry.Action));
        Assert.Equal(JudgeVerdict.NoWorse, history[2].Report!.Verdict);
        Assert.Equal((Sample.Version(1), Sample.Version(2), Sample.Version(2)), (history[0].From, history[0].To, history[0].Live));
        Assert.Equal(("Olga", "a better model"), (history[4].ByName, history[4].Reason));
        var channel = await stage.ChannelAsync();
        Assert.Equal((Sample.Version(2), Sample.Version(1)), (channel.Live, channel.Previous));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_harmful_canary_is_rolled_back_by_itself(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(1_000, arm => arm == Arm.Candidate ? 0.5 : 0.01, BadKind.InvalidOutput));
        Assert.Equal(RolledBack, view.State.Phase);
        Assert.Equal(JudgeVerdict.Harm, view.Report!.Verdict);
        await stage.UntilServedAsync(1);
        var harm = (await stage.HistoryAsync()).Single(entry => entry.Action == "rollout.rolling-back");
        Assert.Equal((JudgeVerdict.Harm, "server"), (harm.Report!.Verdict, harm.By));
        Assert.Contains("does harm", harm.Reason);
        // After harm no state that a gateway was ever given has a weight for it.
        Assert.DoesNotContain(gateway.InForce.Reverse().TakeWhile(state => state.Models is not [{ Rollout.Weight: 1_000 }]), state => state.Models is [{ Rollout.Weight: > 0 }]);

        // Who approved it did not know: it is not released again on that.
        var again = new ReleaseRequest(2, "it was a fluke");
        Assert.Equal((409, "not-approved"), await stage.RefusedAsync("releases", again, RolloutJson.Default.ReleaseRequest));
        await stage.ApproveAsync(Canary, 2);
        Assert.Equal(Preparing, (await stage.PostAsync("releases", again, RolloutJson.Default.ReleaseRequest)).Phase);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Nobody_speaks_under_the_name_of_a_live_gateway_of_another(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.StartAsync(Canary, 2);
        await Eventually.True(() => gateway.Route is { Rollout.Weight: > 0 }, Patience);

        var other = stage.Server.As((await stage.Server.NewTokenAsync("other-gateways", [], new RoleGrant(Role.Gateway, RoleGrant.AllModels))).Token);
        var batch = gateway.Batch(gateway.Route!.Rollout!, 1_000, arm => arm == Arm.Candidate ? 1 : 0);
        var report = new GatewayReport(gateway.Name, "another boot", Sample.Channel, 1, 1, []);
        foreach (var forged in new[] { batch, batch with { Boot = "another boot", Sequence = 1 } })
            Assert.Equal("409 gateway-name-taken", await SayAsync(other, "events", TestServer.Json(forged, RolloutJson.Default.EventBatch)));
        Assert.Equal("409 gateway-name-taken", await SayAsync(other, "report", TestServer.Json(report, RolloutJson.Default.GatewayReport)));
        Assert.Equal("200 ", await SayAsync(stage.GatewayClient, "events", TestServer.Json(batch, RolloutJson.Default.EventBatch)));
        Assert.Equal("204 ", await SayAsync(other, "report", TestServer.Json(report with { Gateway = "its own name" }, RolloutJson.Default.GatewayReport)));
    }

    private static async Task<string> SayAsync(HttpClient client, string what, HttpContent body)
    {
        using var response = await client.PostAsync($"/api/v1/gateway/{what}", body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {(response.IsSuccessStatusCode ? "" : JsonSerializer.Deserialize(text, RegistryJson.Default.ErrorDocument)!.Faults[0].Code)}";
    }

    [Fact]
    public async Task What_a_person_orders_and_what_ends_for_want_of_evidence_is_kept_with_the_judgement_of_that_moment()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Sample.Plan(Strategy.Canary, new RolloutStep(1_000, Sample.Seconds(600), null, 0, null), new RolloutStep(Weight.All, Sample.Seconds(0.2), null, 0, null)), 2);
        await stage.UntilAsync(rollout.Id, view => view.Report?.Evidence.Cells.Sum(cell => cell.Candidate.Requests) >= 100, () => gateway.ServeAsync(200, _ => 0.02));
        await stage.TellAsync(rollout.Id, "pause");
        await stage.TellAsync(rollout.Id, "resume");
        await stage.RollBackAsync();
        await stage.UntilAsync(rollout.Id, view => view.State.IsOver);
        await CheckAsync("rollout.rolled-back", "rollout.rolling-back", "rollout.resumed", "rollout.paused");

        await stage.StartAsync(Canary with { Steps = [Canary.Steps[0] with { AtMost = Sample.Seconds(0.5) }, Canary.Steps[^1]] }, 3);
        await Eventually.TrueAsync(async () => (await stage.HistoryAsync())[0].Action == "rollout.held", Patience);
        await CheckAsync("rollout.held");

        async Task CheckAsync(params string[] actions)
        {
            var entries = (await stage.HistoryAsync()).Take(actions.Length).ToArray();
            Assert.Equal(actions, entries.Select(entry => entry.Action));
            Assert.All(entries, entry => Assert.Equal(Digest.Of(CanonicalJson.Serialize(entry.Report!, RolloutJson.Default.JudgeReport)), entry.Evidence));
            Assert.All(entries, entry => Assert.Equal(entry.Rollout, entry.Report!.Rollout));
        }
    }

    [Fact]
    public async Task Without_requests_it_waits_and_says_what_is_missing()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null && view.Report is not null);
        await Task.Delay(1_000, TestContext.Current.CancellationToken);
        view = await stage.ShowAsync(rollout.Id);
        Assert.Equal((Stepping, 1_000, JudgeVerdict.InsufficientEvidence), (view.State.Phase, view.State.Weight, view.Report!.Verdict));
        Assert.Contains(view.Waiting, waiting => waiting.Contains("no request has reached the candidate"));
        Assert.Equal(Sample.Version(1), gateway.Route!.Stable);
    }

    [Fact]
    public async Task Without_a_gateway_it_does_not_even_begin()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var rollout = await stage.StartAsync(Sample.BlueGreen, 1);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        var view = await stage.ShowAsync(rollout.Id);
        Assert.Equal(Preparing, view.State.Phase);
        Assert.Contains(view.Waiting, waiting => waiting.Contains("no gateway of production is live"));
    }

    [Fact]
    public async Task A_paused_rollout_keeps_its_weight_until_it_is_resumed()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        await stage.TellAsync(rollout.Id, "pause");
        for (var i = 0; i < 20; i++)
            await gateway.ServeAsync(2_000, _ => 0.02);
        var view = await stage.UntilAsync(rollout.Id, view => view.Report is { Verdict: JudgeVerdict.NoWorse });
        Assert.Equal((Paused, 1_000), (view.State.Phase, view.State.Weight));
        Assert.Contains("a person", Assert.Single(view.Waiting));
        Assert.Equal(Stepping, (await stage.TellAsync(rollout.Id, "resume")).Phase);
        await stage.UntilAsync(rollout.Id, view => view.State.Phase == Promoted, () => gateway.ServeAsync(2_000, _ => 0.02));
    }

    [Fact]
    public async Task A_shadow_gets_copies_and_then_is_complete_without_being_live()
    {
        await using var stage = await RolloutStage.OpenAsync(with: options => options with { Time = new SteppedClock() });
        var clock = (SteppedClock)stage.Options.Time;
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Sample.Shadow with { Guard = new(new(0.05), null) }, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        clock.Step(Course.Watch);
        await stage.UntilAsync(rollout.Id, view => view.State.Phase == Completed, () => gateway.ServeAsync(500));
        Assert.Contains(gateway.InForce, state => state.Models is [{ Rollout: { Shadow: true, Weight: 0 } }]);
        await stage.UntilServedAsync(1);

        // Only now may it be released by another strategy than the plan's.
        var release = await stage.PostAsync("releases", new ReleaseRequest(2, "its shadow was good", Strategy.BlueGreen), RolloutJson.Default.ReleaseRequest);
        await stage.UntilAsync(release.Id, view => view.State.StepSince is not null);
        clock.Step(Course.Watch);
        await stage.UntilAsync(release.Id, view => view.State.Phase == Promoted, () => gateway.ServeAsync(500));
    }

    [Fact]
    public async Task A_candidate_that_no_gateway_takes_is_not_released()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        gateway.Versions[2] = VersionState.Refused;
        var rollout = await stage.StartAsync(Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver);
        Assert.Equal(Aborted, view.State.Phase);
        Assert.Contains("so it was scripted", view.State.Reason);
        await stage.UntilServedAsync(1);
    }

    [Fact]
    public async Task A_candidate_that_one_of_two_gateways_refuses_waits()
    {
        await using var stage = await RolloutStage.OpenAsync();
        stage.AddGateway();
        var refusing = stage.AddGateway("g2");
        await stage.ReleaseAsync(1);
        refusing.Versions[2] = VersionState.Refused;
        var rollout = await stage.StartAsync(Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.Gateways.Any(gateway => gateway.Candidate == VersionState.Refused) && view.Gateways.Any(gateway => gateway.Candidate == VersionState.Ready));
        Assert.Equal(Preparing, view.State.Phase);
        Assert.Contains(view.Waiting, waiting => waiting.Contains("gateway g2 refuses the candidate"));
    }

    [Fact]
    public async Task A_candidate_that_ends_a_gateway_is_rolled_back()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        gateway.Versions[2] = VersionState.Quarantined;
        await gateway.ReportAsync();
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver);
        Assert.Equal(RolledBack, view.State.Phase);
        Assert.Contains("ended the process of gateway g1", view.State.Reason);
    }

    [Fact]
    public async Task A_server_that_was_started_again_goes_on_where_it_was()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.Step == 1, () => gateway.ServeAsync(2_000, _ => 0.02));
        var epoch = gateway.State.Epoch;
        await stage.Server.RestartAsync();
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(Promoted, view.State.Phase);
        Assert.Equal([0, 1_000, 5_000, Weight.All], view.State.Weights.Select(weight => weight.Weight));
        await Eventually.True(() => gateway.State.Epoch > epoch, Patience);
    }

    [Fact]
    public async Task A_rollout_goes_on_when_its_PostgreSQL_was_restarted()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        await using var stage = await RolloutStage.OpenAsync(DatabaseKind.Postgres, own: cluster);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.Step == 1, () => gateway.ServeAsync(2_000, _ => 0.02));
        await cluster.StopServerAsync();
        await Eventually.True(() => stage.Log.Any(line => line.Contains("rollouts rest")), Patience);
        await cluster.StartServerAsync();
        await Eventually.TrueAsync(async () => (await stage.Operator.GetAsync($"/api/v1/models/{Sample.Model}/channels", TestContext.Current.CancellationToken)).IsSuccessStatusCode, Patience);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(Promoted, view.State.Phase);
        Assert.Equal([0, 1_000, 5_000, Weight.All], view.State.Weights.Select(weight => weight.Weight));
    }

    [Fact]
    public async Task A_gateway_that_is_lost_is_told_of_and_the_others_go_on()
    {
        await using var stage = await RolloutStage.OpenAsync(with: options => options with { Time = new SteppedClock() });
        var clock = (SteppedClock)stage.Options.Time;
        var gateway = stage.AddGateway();
        var lost = stage.AddGateway("g2");
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        await lost.ServeAsync(1_000);
        await lost.DisposeAsync();
        clock.Step(TimeSpan.FromSeconds(31));
        await gateway.ReportAsync();
        var view = await stage.UntilAsync(rollout.Id, view => view.State.Notes.Length > 0, gateway.ReportAsync);
        Assert.Contains("gateway g2 was last heard of", Assert.Single(view.State.Notes));
        // What it served and did not tell is unknown: harm can still be shown, nothing else.
        view = await stage.UntilAsync(rollout.Id, view => view.Report is { Evidence.Lost: > 0 }, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal((Stepping, JudgeVerdict.InsufficientEvidence), (view.State.Phase, view.Report!.Verdict));
        await stage.UntilAsync(rollout.Id, view => view.State.Phase == RolledBack, () => gateway.ServeAsync(1_000, arm => arm == Arm.Candidate ? 0.9 : 0.01));
    }

    [Fact]
    public async Task A_clock_that_steps_back_an_hour_delays_a_step_and_breaks_nothing()
    {
        await using var stage = await RolloutStage.OpenAsync(with: options => options with { Time = new SteppedClock() });
        var clock = (SteppedClock)stage.Options.Time;
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        clock.Step(TimeSpan.FromHours(-1));
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, async () =>
        {
            await gateway.ReportAsync();
            await gateway.ServeAsync(2_000, _ => 0.02);
        });
        Assert.Equal(Promoted, view.State.Phase);
    }
}
