using System.Globalization;
using Slipway.Documents.Rollouts;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Server.Rollouts;

/// <summary>The changes of phase, each with the sentence that tells why.</summary>
internal static partial class Rollout
{
    private static Decision Enter(RolloutState s, int step, long at, string why, JudgeReport? evidence)
    {
        var course = Course.Of(s);
        var weight = course.WeightOf(step);
        var reason = course.IsShadow
            ? $"{why}: it gets a copy of every request, and its answers are thrown away"
            : $"{why}: step {step + 1} of {course.Count} sends it {Weight.Text(weight)} of the requests";
        return new(
            s with { Phase = course.HoldsBack(step) ? HoldingBack : Stepping, PausedIn = null, Step = step, Weight = weight, Weights = Order(s, weight, at), StepSince = null, Reason = reason },
            [new Tell("rollout.step", reason, evidence)]);
    }

    private static Decision Leave(RolloutState s, Judged j)
    {
        var course = Course.Of(s);
        var why = course.HasControl(s.Step) ? $"version {s.Candidate.Number} is no worse: {j.Report.Reason}" : $"version {s.Candidate.Number} had its time at {Weight.Text(s.Weight)}: {WithoutHarm(j.Report)}";
        if (s.Step + 1 < course.Count)
            return Enter(s, s.Step + 1, j.At, why, j.Report);
        return course.IsShadow
            ? End(s, Completed, j.At, "rollout.completed", $"{why}; a shadow changes no live version: release it with another strategy", j.Report)
            : Promote(s, j.At, why, j.Report);
    }

    /// <summary>What can be said where nothing was compared: no bound was broken, by so many requests, or nobody asked.</summary>
    private static string WithoutHarm(JudgeReport report) => report.Evidence.Cells.Sum(cell => cell.Candidate.Requests) is > 0 and var requests
        ? $"no harm was shown by {requests.ToString("N0", CultureInfo.InvariantCulture)} requests, and there is no other version to compare it with at this weight"
        : "there was no other version to compare it with, and no request has come to judge it by";

    private static Decision Promote(RolloutState s, long at, string reason, JudgeReport? evidence)
    {
        long? keepWarmUntil = s.Stable is null ? null : at + (long)s.Plan.KeepWarm.Value.TotalMilliseconds;
        return new(
            s with { Phase = Promoted, PausedIn = null, EndedAt = at, KeepWarmUntil = keepWarmUntil, Reason = reason },
            [new GoLive(s.Candidate, keepWarmUntil), new Tell("rollout.promoted", reason, evidence)]);
    }

    /// <summary>A return is a switch of the live version itself: gateways hold it ready, and nothing is judged.</summary>
    private static Decision Switch(RolloutState s, long at)
    {
        var reason = $"{s.Channel} is back at version {s.Candidate.Number}: {s.Reason}";
        return new(s with { Phase = Promoted, EndedAt = at, Reason = reason }, [new GoLive(s.Candidate, null), new Tell("rollout.returned", reason, null)]);
    }

    private static Decision GoBack(RolloutState s, long at, string reason, JudgeReport? evidence) => new(
        s with { Phase = RollingBack, PausedIn = null, Weight = 0, Weights = Order(s, 0, at), StepSince = at, Reason = reason },
        [new Tell("rollout.rolling-back", reason, evidence)]);

    private static Decision RolledBackNow(RolloutState s, long at, string how) => End(s, RolledBack, at, "rollout.rolled-back", $"{s.Reason}; {how}");

    private static Decision End(RolloutState s, RolloutPhase phase, long at, string action, string reason, JudgeReport? evidence = null) => new(
        s with { Phase = phase, PausedIn = null, Weight = 0, Weights = s.Weight == 0 ? s.Weights : Order(s, 0, at), EndedAt = at, Reason = reason },
        [new Tell(action, reason, evidence)]);

    private static Decision Halt(RolloutState s, string reason, string action, JudgeReport? evidence) =>
        new(s with { Phase = Paused, PausedIn = s.Phase, Reason = reason }, [new Tell(action, reason, evidence)]);

    /// <summary>The step's time begins again: what was too long before the pause must not be too long at once after it.</summary>
    private static Decision Continue(RolloutState s, Resume o)
    {
        var reason = $"{o.By} resumes: {o.Why}";
        return new(s with { Phase = s.PausedIn!.Value, PausedIn = null, StepSince = s.StepSince is null ? null : o.At, Reason = reason }, [new Tell("rollout.resumed", reason, null)]);
    }

    private static Decision GiveUp(RolloutState s, long at)
    {
        var reason = $"step {s.Step + 1} has had its {Course.Of(s).PatienceOf(s.Step)!.Value.TotalSeconds:0.###} s without enough evidence";
        return s.Plan.Judge.OnInsufficient == OnInsufficient.Rollback
            ? GoBack(s, at, $"{reason}, and the plan rolls back then", null)
            : Halt(s, $"{reason}, and the plan holds then: resume, abort or roll back", "rollout.held", null);
    }
}
