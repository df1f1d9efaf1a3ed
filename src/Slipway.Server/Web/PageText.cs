using System.Globalization;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Web;

/// <summary>How pages word times, numbers and verdicts.</summary>
internal static class PageText
{
    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(double number) => number.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Pass => "pass",
        Verdict.Fail => "fail",
        Verdict.NotEvaluated => "not evaluated",
        _ => "insufficient evidence",
    };

    public static string Word(JudgeVerdict verdict) => verdict switch
    {
        JudgeVerdict.Harm => "harm",
        JudgeVerdict.NoWorse => "no worse",
        _ => "insufficient evidence",
    };

    public static string Word(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Preparing => "preparing",
        RolloutPhase.Stepping => "in progress",
        RolloutPhase.HoldingBack => "holding back a control",
        RolloutPhase.Paused => "paused",
        RolloutPhase.RollingBack => "rolling back",
        RolloutPhase.Promoted => "promoted",
        RolloutPhase.RolledBack => "rolled back",
        RolloutPhase.Completed => "completed",
        _ => "aborted",
    };

    public static string Word(VersionState? state) => state switch
    {
        VersionState.Ready => "ready",
        VersionState.Preparing => "preparing",
        VersionState.Refused => "refused:",
        VersionState.Quarantined => "quarantined:",
        _ => "not heard of",
    };

    public static string Strategy(Strategy strategy) => strategy switch
    {
        Documents.Rollouts.Strategy.BlueGreen => "Blue-green",
        Documents.Rollouts.Strategy.Shadow => "Shadow",
        _ => "Canary",
    };

    public static string Class(Verdict verdict) => verdict switch
    {
        Verdict.Pass => "good",
        Verdict.Fail => "bad",
        _ => "unsure",
    };

    public static string Class(JudgeVerdict verdict) => verdict switch
    {
        JudgeVerdict.NoWorse => "good",
        JudgeVerdict.Harm => "bad",
        _ => "unsure",
    };

    public static string Class(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Promoted or RolloutPhase.Completed => "good",
        RolloutPhase.RollingBack or RolloutPhase.RolledBack or RolloutPhase.Aborted => "bad",
        _ => "unsure",
    };
}
