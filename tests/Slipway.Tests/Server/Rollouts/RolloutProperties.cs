using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>What holds whatever a rollout is told, and in whatever order.</summary>
public sealed class RolloutProperties
{
    private static readonly (RolloutPhase From, RolloutPhase To)[] Ways =
    [
        (Preparing, Stepping), (Preparing, HoldingBack), (Preparing, Paused), (Preparing, RollingBack), (Preparing, RolledBack), (Preparing, Aborted), (Preparing, Promoted),
        (Stepping, HoldingBack), (Stepping, Paused), (Stepping, RollingBack), (Stepping, RolledBack), (Stepping, Aborted), (Stepping, Promoted), (Stepping, Completed),
        (HoldingBack, Paused), (HoldingBack, RollingBack), (HoldingBack, RolledBack), (HoldingBack, Aborted), (HoldingBack, Promoted),
        (Paused, Preparing), (Paused, Stepping), (Paused, HoldingBack), (Paused, RollingBack), (Paused, RolledBack), (Paused, Aborted),
        (RollingBack, RolledBack),
    ];

    [Fact]
    public void Phases_go_only_the_known_ways_and_what_is_over_stays_over() => Holds(trace =>
        trace.All(move => move.Before.Phase == move.After.Phase || Ways.Contains((move.Before.Phase, move.After.Phase)))
        && trace.All(move => !move.Before.IsOver || ReferenceEquals(move.Before, move.After) && move.Actions.IsEmpty));

    [Fact]
    public void After_harm_the_weight_is_nothing_in_all_later_states() => Holds(trace =>
        trace.SkipWhile(move => move.Before.IsOver || move.Before.Phase == RollingBack || !IsHarm(move)).All(move => move.After is { Weight: 0, Phase: RollingBack or RolledBack or Aborted }));

    [Fact]
    public void Weights_come_from_the_plan_alone_and_their_revisions_grow() => Holds(trace => trace.All(move =>
        Allowed(move.After).Contains(move.After.Weight)
        && move.After.Weights[^1].Weight == move.After.Weight
        && move.After.Weights.Zip(move.After.Weights.Skip(1)).All(pair => pair.First.Revision < pair.Second.Revision)
        && move.After.Weights.Length >= move.Before.Weights.Length));

    [Fact]
    public void A_step_with_a_control_is_left_forward_by_a_good_judgement_of_its_own_requests_alone() => Holds(trace => trace
        .Where(move => Course.Of(move.Before).HasControl(move.Before.Step) && (move.After.Step > move.Before.Step || !move.Before.IsOver && move.After.Phase is (Promoted or Completed)))
        .All(move => move.Told is Judged { Report: { Verdict: JudgeVerdict.NoWorse } report } && report.Step == move.Before.Step && Requests(report) > 0));

    [Fact]
    public void Nothing_is_promoted_but_by_a_judgement_without_harm_after_every_step_or_as_a_return() => Holds(trace => trace
        .Where(move => move.Actions.OfType<GoLive>().Any())
        .All(move => move.Before.Kind == RolloutKind.Return
            ? move.Told is GatewaysReady
            : move.Told is Judged { Report.Verdict: not JudgeVerdict.Harm } && !Course.Of(move.Before).IsShadow && move.Before.Step == Course.Of(move.Before).Count - 1));

    [Fact]
    public void A_steps_time_counts_only_from_its_own_weight_in_force() => Holds(trace => trace
        .Where(move => move.Before.StepSince is null && move.After is { StepSince: not null, Phase: not RollingBack })
        .All(move => move.Told is WeightInForce told && told.Revision == move.After.WeightRevision && told.At == move.After.StepSince));

    [Fact]
    public void One_version_goes_live_at_most_once_and_only_the_candidate() => Holds(trace =>
        trace.SelectMany(move => move.Actions.OfType<GoLive>().Select(live => (live, move))).ToArray() is var gone
        && gone.Length <= 1
        && gone.All(one => one.live.Version == one.move.Before.Candidate && one.move.After.Phase == Promoted)
        && trace.All(move => move.After.Phase != Promoted || gone.Length == 1));

    [Fact]
    public void The_way_back_is_open_in_every_phase_that_is_not_over() => Holds(trace => trace.All(move =>
        move.After.IsOver || Rollout.Decide(move.After, new RollBack(0, "Olga", "enough")).State is { Phase: RollingBack or RolledBack, Weight: 0 }));

    [Fact]
    public void What_was_told_changes_nothing_when_it_is_told_again() => Holds(trace => trace.All(move =>
        move.Told is RolloutOrder || move.Told is Judged && move.Before.Step != move.After.Step
        || Rollout.Decide(move.After, move.Told) is var again && (again.State == move.After || move.Told is WeightInForce or TimePassed) && again.Actions.IsEmpty));

    [Fact]
    public void Every_transition_has_a_reason() => Holds(trace => trace.All(move =>
        move.Before.Phase == move.After.Phase || move.Actions.OfType<Tell>().Any(tell => tell.Reason == move.After.Reason && tell.Reason.Length > 0)));

    [Fact]
    public void Every_phase_is_reached()
    {
        // Without this the properties above might hold of nothing.
        var seen = new HashSet<RolloutPhase>();
        Holds(trace =>
        {
            seen.UnionWith(trace.Select(move => move.After.Phase));
            return true;
        });
        Assert.Equal(Enum.GetValues<RolloutPhase>().Order(), seen.Order());
    }

    private static long Requests(JudgeReport report) => report.Evidence.Shadow?.Compared ?? report.Evidence.Cells[^1].Candidate.Requests;

    private static bool IsHarm(Move move) => move.Told is CandidateQuarantined or Judged { Report.Verdict: JudgeVerdict.Harm };

    private static IEnumerable<int> Allowed(RolloutState s) => Enumerable.Range(0, Course.Of(s).Count).Select(Course.Of(s).WeightOf).Append(0);

    private static void Holds(Func<ImmutableArray<Move>, bool> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithStartSize(1).WithEndSize(60), Prop.ForAll(Traces.ToArbitrary(), property));

    private static Gen<RolloutState> Starts { get; } =
        from plan in Gen.Elements(
            Sample.Canary,
            Sample.Canary with { Judge = JudgeSettings.Default with { OnInsufficient = OnInsufficient.Rollback } },
            Sample.Plan(Strategy.Canary, new RolloutStep(1_000, Sample.Seconds(0), Sample.Seconds(5), 0, null), new RolloutStep(Weight.All, Sample.Seconds(0), null, 200, Sample.Seconds(2))),
            Sample.BlueGreen,
            Sample.Shadow)
        from stable in Gen.Frequency((4, Gen.Constant<VersionRef?>(Sample.Version(1))), (1, Gen.Constant<VersionRef?>(null)))
        from kind in Gen.Frequency((5, Gen.Constant(RolloutKind.Release)), (1, Gen.Constant(RolloutKind.Return)))
        select Sample.State(plan, stable, kind);

    /// <summary>What may be told next; it looks at the state only to hit often enough, and misses often too.</summary>
    private static Gen<Func<RolloutState, RolloutEvent>> Events { get; } =
        from at in Gen.Choose(0, 90_000).Select(at => (long)at)
        from off in Gen.Frequency((6, Gen.Constant(0)), (1, Gen.Choose(-1, 1)))
        from requests in Gen.Frequency((5, Gen.Constant(1_000L)), (1, Gen.Constant(0L)))
        from verdict in Gen.Frequency((8, Gen.Constant(JudgeVerdict.NoWorse)), (4, Gen.Constant(JudgeVerdict.InsufficientEvidence)), (1, Gen.Constant(JudgeVerdict.Harm)))
        from told in Gen.Frequency<Func<RolloutState, RolloutEvent>>(
            (4, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new GatewaysReady(at))),
            (12, Gen.Constant<Func<RolloutState, RolloutEvent>>(s => new WeightInForce(at, s.WeightRevision + off))),
            (20, Gen.Constant<Func<RolloutState, RolloutEvent>>(s => new Judged(at, Sample.Report(s, verdict, requests, s.Step + off)))),
            (6, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new TimePassed(at))),
            (1, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new CandidateRefused(at, "unsigned"))),
            (1, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new CandidateQuarantined(at, "g1", "it crashed"))),
            (2, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new Noted(at, $"note {off}"))),
            (2, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new Pause(at, "Olga", "wait"))),
            (3, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new Resume(at, "Olga", "go on"))),
            (1, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new Abort(at, "Olga", "no"))),
            (1, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new RollBack(at, "Olga", "back"))),
            (1, Gen.Constant<Func<RolloutState, RolloutEvent>>(_ => new Overtake(at, "Olga", "further back"))))
        select told;

    private static Gen<ImmutableArray<Move>> Traces { get; } =
        from start in Starts
        from events in Events.ListOf()
        select Run(start, events);

    private static ImmutableArray<Move> Run(RolloutState state, IEnumerable<Func<RolloutState, RolloutEvent>> events)
    {
        var moves = ImmutableArray.CreateBuilder<Move>();
        foreach (var make in events)
        {
            var told = make(state);
            var decision = Rollout.Decide(state, told);
            moves.Add(new(state, told, decision.State, decision.Actions));
            state = decision.State;
        }

        return moves.ToImmutable();
    }

    internal sealed record Move(RolloutState Before, RolloutEvent Told, RolloutState After, ImmutableArray<RolloutAction> Actions);
}
