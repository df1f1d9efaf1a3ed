using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Cli;

/// <summary>Rollouts in words for people.</summary>
internal static class RolloutText
{
    /// <summary>Of the intervals that rates are shown with; they hold at all looks together.</summary>
    private const double Alpha = 0.05;

    public static string Title(RolloutState s) =>
        $"{(s.Kind == RolloutKind.Return ? "return" : "rollout")} {s.Id}: {s.Model} {s.Channel} {(s.Stable is { } stable ? $"from version {stable.Number} " : "")}to version {s.Candidate.Number}";

    /// <summary>Where it stands, in one line.</summary>
    public static string Standing(RolloutState s) => $"{s.Phase.Word(),-13} {(s.Phase is RolloutPhase.Promoted ? Weight.Text(Weight.All) : Weight.Text(s.Weight)),6}  {s.Reason}";

    /// <summary>What was counted under the weight now, and what follows from all of it.</summary>
    public static string Evidence(JudgeReport report)
    {
        if (report.Evidence.Shadow is { } shadow)
            return $"{report.Verdict.Word()}: {Amounts.Count(shadow.Compared)} answers compared, {Amounts.Count(shadow.Different)} differ, {Amounts.Count(shadow.Failed)} failed; {report.Reason}";
        var counts = report.Evidence.Cells is [.., { Weight: > 0 } now] ? $"at {Weight.Text(now.Weight)} the candidate had {Rate(now.Candidate)}, the stable version {Rate(now.Stable)}; " : "";
        return $"{report.Verdict.Word()}: {counts}{report.Reason}";
    }

    public static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Good once a candidate is live, or a shadow has run; bad when it was taken back or given up.</summary>
    public static bool IsGood(RolloutState s) => s.Phase is RolloutPhase.Promoted or RolloutPhase.Completed;

    private static string Rate(ArmEvidence arm)
    {
        var bad = arm.BadRequests + arm.OverBudget;
        if (arm.Requests == 0)
            return "no requests";
        var (low, high) = RateGuard.Interval(bad, arm.Requests, Alpha);
        return string.Create(CultureInfo.InvariantCulture, $"{bad:N0} bad answers to {arm.Requests:N0} requests, {100.0 * bad / arm.Requests:0.##} % [{100 * low:0.##}, {100 * high:0.##}] (anytime-valid)");
    }
}
