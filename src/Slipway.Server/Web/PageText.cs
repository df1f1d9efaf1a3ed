using System.Globalization;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Web;

/// <summary>How pages word times and numbers, and colour verdicts.</summary>
internal static class PageText
{
    public static string Time(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(double number) => number.ToString("0.00", CultureInfo.InvariantCulture);

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

    /// <summary>The action without what all of them begin with: <c>rolled-back</c>.</summary>
    public static string Action(HistoryEntry entry) => entry.Action[(entry.Action.IndexOf('.') + 1)..];

    public static string Class(HistoryEntry entry) => Action(entry) switch
    {
        "promoted" or "completed" or "returned" => "good",
        "rolling-back" or "rolled-back" or "aborted" => "bad",
        _ => "",
    };

    public static string Class(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Promoted or RolloutPhase.Completed => "good",
        RolloutPhase.RollingBack or RolloutPhase.RolledBack or RolloutPhase.Aborted => "bad",
        _ => "unsure",
    };
}
