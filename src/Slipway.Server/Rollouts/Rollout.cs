using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Server.Rollouts;

/// <summary>What a rollout does next. Pure: no clock, no I/O. Late and repeated events are normal and change nothing.</summary>
/// <remarks>
/// Only here is a candidate promoted, and only on three grounds: a judgement of no-worse in each step that has a control to compare with;
/// for a step without one (blue-green, a first release, the last 100 %) its time at full weight without harm; for a return, a person's
/// order. Harm ends every phase, a pause too. The way back is open in every phase that is not over.
/// </remarks>
internal static partial class Rollout
{
    /// <summary>Rolling back is over at the latest then, though no live gateway confirms it: every gateway's lease on the weight has run out.</summary>
    private static readonly TimeSpan WeightLapse = 2 * DesiredState.DefaultLease.Value;

    /// <summary>Most notes that are kept; later ones are dropped, since the first tell what went wrong.</summary>
    private const int MaxNotes = 20;

    public static Decision Decide(RolloutState s, RolloutEvent e) => (s.Phase, e) switch
    {
        _ when s.IsOver => Same(s),
        (_, Noted n) => s.Notes.Contains(n.Note) || s.Notes.Length >= MaxNotes ? Same(s) : new(s with { Notes = s.Notes.Add(n.Note) }, []),
        (_, Overtake o) => End(s, RolledBack, o.At, "rollout.rolled-back", $"{o.By} takes {s.Channel} back to another version: {o.Why}"),

        (RollingBack, WeightInForce w) when w.Revision == s.WeightRevision => RolledBackNow(s, w.At, "every live gateway confirms it"),
        (RollingBack, TimePassed t) when Elapsed(s, t.At) >= WeightLapse => RolledBackNow(s, t.At, "no live gateway is there to confirm it, and every lease on the candidate's weight has run out"),
        (RollingBack, TimePassed t) => HealClock(s, t.At),
        (RollingBack, _) => Same(s),

        (_, RollBack o) => GoBack(s, o.At, $"{o.By} rolls back: {o.Why}", null),
        (_, CandidateQuarantined q) => GoBack(s, q.At, $"version {s.Candidate.Number} ended the process of gateway {q.Gateway}: {q.Why}", null),
        (_, Judged { Report.Verdict: JudgeVerdict.Harm } j) when j.Report.Rollout == s.Id => GoBack(s, j.At, $"version {s.Candidate.Number} does harm: {j.Report.Reason}", j.Report),
        (_, Abort o) => End(s, Aborted, o.At, "rollout.aborted", $"{o.By} aborts: {o.Why}"),
        (_, CandidateRefused r) when s.Phase is Preparing || s.PausedIn is Preparing => End(s, Aborted, r.At, "rollout.aborted", $"no gateway takes version {s.Candidate.Number}: {r.Why}"),
        (_, CandidateRefused r) => GoBack(s, r.At, $"no gateway takes version {s.Candidate.Number} any more: {r.Why}", null),

        (Paused, Resume o) => Continue(s, o),
        (Paused, WeightInForce w) => InForce(s, w),
        (Paused, _) => Same(s),
        (_, Pause o) => Halt(s, $"{o.By} pauses: {o.Why}", "rollout.paused", null),

        (Preparing, GatewaysReady r) => s.Kind == RolloutKind.Return ? Switch(s, r.At) : Enter(s, 0, r.At, $"every live gateway holds version {s.Candidate.Number} ready", null),
        (Preparing, _) => Same(s),

        (_, WeightInForce w) => InForce(s, w),
        (_, Judged j) when MayLeave(s, j) => Leave(s, j),
        (_, TimePassed t) when IsTooLong(s, t.At) => GiveUp(s, t.At),
        (_, TimePassed t) => HealClock(s, t.At),
        _ => Same(s),
    };

    private static Decision Same(RolloutState s) => new(s, []);

    /// <summary>Whether the step has had its time, and its judgement speaks for going on.</summary>
    private static bool MayLeave(RolloutState s, Judged j) =>
        j.Report.Rollout == s.Id
        && j.Report.Step == s.Step
        && Elapsed(s, j.At) >= Course.Of(s).StayOf(s.Step)
        && (Course.Of(s).HasControl(s.Step)
            ? j.Report.Verdict == JudgeVerdict.NoWorse && SawTraffic(s, j.Report)
            : j.Report.Verdict != JudgeVerdict.Harm);

    /// <summary>A verdict that rests on earlier steps alone says nothing of this one.</summary>
    private static bool SawTraffic(RolloutState s, JudgeReport report) => Course.Of(s).IsShadow
        ? report.Evidence.Shadow is { Compared: > 0 }
        : report.Evidence.Cells.Any(cell => cell.WeightRevision == s.WeightRevision && cell.Candidate.Requests > 0);

    private static bool IsTooLong(RolloutState s, long at) =>
        Course.Of(s) is var course && course.HasControl(s.Step) && course.PatienceOf(s.Step) is { } patience && Elapsed(s, at) >= patience;

    /// <summary>A step's time counts from when it is in force; negative after the clock stepped back.</summary>
    private static TimeSpan? Elapsed(RolloutState s, long at) => s.StepSince is { } since ? TimeSpan.FromMilliseconds(at - since) : null;

    /// <summary>After the clock stepped back, the phase's time begins again: late, but not by as much as the clock moved.</summary>
    private static Decision HealClock(RolloutState s, long at) => s.StepSince > at ? new(s with { StepSince = at }, []) : Same(s);

    private static Decision InForce(RolloutState s, WeightInForce w) =>
        s.StepSince is null && s.Phase is not Preparing && s.PausedIn is not Preparing && w.Revision == s.WeightRevision
            ? new(s with { StepSince = w.At }, [])
            : Same(s);

    private static ImmutableArray<WeightChange> Order(RolloutState s, int weight, long at) => s.Weights.Add(new(s.WeightRevision + 1, weight, at));
}
