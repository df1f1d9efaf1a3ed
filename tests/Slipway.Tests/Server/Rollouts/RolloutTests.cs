using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

public sealed class RolloutTests
{
    private static readonly VersionRef Old = Sample.Version(1), New = Sample.Version(2);

    [Fact]
    public void A_canary_goes_by_its_steps_each_judged_and_is_then_live()
    {
        var play = new Play(Sample.State(Sample.Canary, Old));
        play.Tell(new GatewaysReady(0)).Is(Stepping, weight: 100).InForce(1_000);
        play.Judge(3_999, JudgeVerdict.NoWorse).Is(Stepping, weight: 100);
        play.Judge(4_000, JudgeVerdict.NoWorse).Is(Stepping, weight: 5_000).InForce(5_000);
        play.Judge(8_000, JudgeVerdict.InsufficientEvidence).Is(Stepping, weight: 5_000);
        play.Judge(8_001, JudgeVerdict.NoWorse).Is(Stepping, weight: Weight.All);
        Assert.Null(play.Live);
        // Nothing can be compared any more: its time without harm suffices.
        play.InForce(9_000).Judge(10_000, JudgeVerdict.InsufficientEvidence).Is(Promoted, weight: Weight.All);
        Assert.Equal(New, play.Live);
        Assert.Equal(10_000 + 3_600_000, play.State.KeepWarmUntil);
        Assert.Equal(["rollout.step", "rollout.step", "rollout.step", "rollout.promoted"], play.Told);
    }

    [Fact]
    public void A_late_word_of_an_earlier_weight_does_not_start_a_steps_time()
    {
        var play = Stepped().Judge(3_000, JudgeVerdict.NoWorse).Is(Stepping, weight: 5_000);
        play.Tell(new WeightInForce(3_000, 2)).Judge(60_000, JudgeVerdict.NoWorse).Is(Stepping, weight: 5_000);
        play.InForce(60_000).Judge(63_000, JudgeVerdict.NoWorse).Is(Stepping, weight: Weight.All);
    }

    [Fact]
    public void A_control_is_held_back_and_judged_before_all_goes_over()
    {
        var plan = Sample.Plan(Strategy.Canary, new RolloutStep(Weight.All, Sample.Seconds(1), null, 200, Sample.Seconds(60)));
        var play = new Play(Sample.State(plan, Old)).Tell(new GatewaysReady(0)).Is(HoldingBack, weight: 9_800).InForce(0);
        play.Judge(59_999, JudgeVerdict.NoWorse).Is(HoldingBack, weight: 9_800);
        play.Judge(60_000, JudgeVerdict.InsufficientEvidence).Is(HoldingBack, weight: 9_800);
        play.Judge(60_000, JudgeVerdict.NoWorse).Is(Promoted, weight: 9_800);
    }

    [Fact]
    public void Blue_green_switches_when_all_are_ready_and_is_promoted_without_harm_in_its_watch()
    {
        var plan = Sample.BlueGreen with { Guard = new(new(0.01), null) };
        var play = new Play(Sample.State(plan, Old)).Tell(new GatewaysReady(0)).Is(Stepping, weight: Weight.All).InForce(0);
        play.Judge(9_999, JudgeVerdict.InsufficientEvidence).Is(Stepping, weight: Weight.All);
        play.Judge(10_000, JudgeVerdict.InsufficientEvidence).Is(Promoted, weight: Weight.All);
    }

    [Fact]
    public void A_first_release_waits_for_gateways_and_takes_everything_whatever_the_plan_says()
    {
        var play = new Play(Sample.State(Sample.Canary, stable: null)).Judge(0, JudgeVerdict.NoWorse).Is(Preparing, weight: 0);
        play.Tell(new GatewaysReady(0)).Is(Stepping, weight: Weight.All).InForce(0).Judge(3_000, JudgeVerdict.InsufficientEvidence).Is(Promoted, weight: Weight.All);
        Assert.Null(play.State.KeepWarmUntil);
    }

    [Fact]
    public void A_shadow_takes_no_traffic_and_changes_no_live_version()
    {
        var play = new Play(Sample.State(Sample.Shadow, Old)).Tell(new GatewaysReady(0)).Is(Stepping, weight: 0).InForce(0);
        play.Judge(1, JudgeVerdict.NoWorse, requests: 0).Is(Stepping, weight: 0);
        play.Judge(1, JudgeVerdict.NoWorse).Is(Completed, weight: 0);
        Assert.Null(play.Live);
    }

    [Fact]
    public void No_traffic_neither_promotes_nor_rolls_back()
    {
        var play = Stepped();
        play.Judge(50_000, JudgeVerdict.InsufficientEvidence, requests: 0).Is(Stepping, weight: 100);
        // What was collected at an earlier weight says nothing of this one.
        play.Judge(50_000, JudgeVerdict.NoWorse, requests: 0).Is(Stepping, weight: 100);
    }

    [Theory]
    [InlineData(OnInsufficient.Hold, Paused, "rollout.held")]
    [InlineData(OnInsufficient.Rollback, RollingBack, "rollout.rolling-back")]
    internal void A_step_that_lasts_too_long_ends_as_the_plan_says(OnInsufficient rule, RolloutPhase phase, string told)
    {
        var play = new Play(Sample.State(Sample.Canary with { Judge = JudgeSettings.Default with { OnInsufficient = rule } }, Old)).Tell(new GatewaysReady(0)).InForce(0);
        play.Tell(new TimePassed(59_999)).Is(Stepping, weight: 100);
        play.Tell(new TimePassed(60_000));
        Assert.Equal((phase, told), (play.State.Phase, play.Told[^1]));
    }

    [Fact]
    public void A_resumed_step_has_its_whole_time_again()
    {
        var play = Stepped().Tell(new TimePassed(60_000)).Is(Paused, weight: 100).Tell(new Resume(70_000, "Olga", "traffic is back")).Is(Stepping, weight: 100);
        play.Tell(new TimePassed(129_999)).Is(Stepping, weight: 100).Tell(new TimePassed(130_000)).Is(Paused, weight: 100);
    }

    [Fact]
    public void Harm_takes_everything_back_and_ends_when_gateways_confirm_it()
    {
        var play = Stepped().Judge(1, JudgeVerdict.Harm).Is(RollingBack, weight: 0);
        play.Tell(new WeightInForce(2, 2)).Is(RollingBack, weight: 0);   // of the weight before
        play.Judge(3, JudgeVerdict.NoWorse).Tell(new Resume(3, "Olga", "really?")).Is(RollingBack, weight: 0);
        play.InForce(4).Is(RolledBack, weight: 0);
        Assert.Contains("does harm", play.State.Reason);
        Assert.Null(play.Live);
    }

    [Fact]
    public void Harm_in_a_pause_rolls_back() => Stepped().Tell(new Pause(1, "Olga", "lunch")).Judge(2, JudgeVerdict.Harm).Is(RollingBack, weight: 0);

    [Fact]
    public void A_judgement_of_another_rollout_is_none()
    {
        var play = Stepped();
        play.Tell(new Judged(5_000, Sample.Report(play.State, JudgeVerdict.Harm) with { Rollout = "r0" })).Is(Stepping, weight: 100);
        play.Tell(new Judged(5_000, Sample.Report(play.State, JudgeVerdict.NoWorse, step: 1))).Is(Stepping, weight: 100);
    }

    [Fact]
    public void Without_a_gateway_to_confirm_it_a_way_back_ends_when_all_leases_have_run_out() =>
        Stepped().Tell(new RollBack(0, "Olga", "no")).Tell(new TimePassed(59_999)).Is(RollingBack, weight: 0).Tell(new TimePassed(60_000)).Is(RolledBack, weight: 0);

    [Fact]
    public void A_candidate_that_no_gateway_takes_is_not_released() =>
        new Play(Sample.State(Sample.Canary, Old)).Tell(new CandidateRefused(1, "its signature is by nobody known")).Is(Aborted, weight: 0);

    [Fact]
    public void A_candidate_that_ends_a_gateway_is_harmful() =>
        Stepped().Tell(new CandidateQuarantined(1, "g1", "it ended the process")).Is(RollingBack, weight: 0);

    [Fact]
    public void A_clock_that_steps_back_starts_the_steps_time_again()
    {
        var play = Stepped(inForce: 1_000_000);
        play.Judge(10_000, JudgeVerdict.NoWorse).Is(Stepping, weight: 100);
        play.Tell(new TimePassed(10_000)).Judge(13_000, JudgeVerdict.NoWorse).Is(Stepping, weight: 5_000);
    }

    [Fact]
    public void A_return_is_switched_to_when_gateways_hold_it_and_is_not_judged()
    {
        var play = new Play(Sample.State(Sample.Canary, Old, RolloutKind.Return)).Tell(new GatewaysReady(1)).Is(Promoted, weight: 0);
        Assert.Equal(New, play.Live);
        Assert.Equal(["rollout.returned"], play.Told);
    }

    [Fact]
    public void A_note_is_kept_once()
    {
        var play = Stepped().Tell(new Noted(1, "gateway g2 is lost")).Tell(new Noted(2, "gateway g2 is lost"));
        Assert.Equal(["gateway g2 is lost"], play.State.Notes);
    }

    private static Play Stepped(long inForce = 0) => new Play(Sample.State(Sample.Canary, Old)).Tell(new GatewaysReady(0)).InForce(inForce).Is(Stepping, weight: 100);

    /// <summary>A rollout that is told one thing after the other.</summary>
    private sealed class Play(RolloutState state)
    {
        public RolloutState State { get; private set; } = state;

        public VersionRef? Live { get; private set; }

        public List<string> Told { get; } = [];

        public Play Tell(RolloutEvent e)
        {
            var decision = Rollout.Decide(State, e);
            State = decision.State;
            Live = decision.Actions.OfType<GoLive>().SingleOrDefault()?.Version ?? Live;
            Told.AddRange(decision.Actions.OfType<Tell>().Select(told => told.Action));
            return this;
        }

        public Play InForce(long at) => Tell(new WeightInForce(at, State.WeightRevision));

        public Play Judge(long at, JudgeVerdict verdict, long requests = 1_000) => Tell(new Judged(at, Sample.Report(State, verdict, requests)));

        public Play Is(RolloutPhase phase, int weight)
        {
            Assert.Equal((phase, weight), (State.Phase, State.Weight));
            return this;
        }
    }
}
