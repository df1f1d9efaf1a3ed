using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Web.Kit;

/// <summary>How pages word what documents name, and which mood each word is in.</summary>
internal static class Words
{
    public static string Count(long count) => CountText.Count(count);

    public static string Some(long count, string thing) => CountText.Some(count, thing);

    public static Mood Mood(Verdict verdict) => verdict switch
    {
        Verdict.Pass => Kit.Mood.Good,
        Verdict.Fail => Kit.Mood.Bad,
        _ => Kit.Mood.Unsure,
    };

    public static Mood Mood(JudgeVerdict verdict) => verdict switch
    {
        JudgeVerdict.NoWorse => Kit.Mood.Good,
        JudgeVerdict.Harm => Kit.Mood.Bad,
        _ => Kit.Mood.Unsure,
    };

    public static Mood Mood(PromotionState state) => state switch
    {
        PromotionState.Approved => Kit.Mood.Good,
        PromotionState.Rejected => Kit.Mood.Bad,
        PromotionState.Replaced => Kit.Mood.Plain,
        _ => Kit.Mood.Unsure,
    };

    public static Mood Mood(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Promoted or RolloutPhase.Completed => Kit.Mood.Good,
        RolloutPhase.RollingBack or RolloutPhase.RolledBack or RolloutPhase.Aborted => Kit.Mood.Bad,
        RolloutPhase.Paused => Kit.Mood.Unsure,
        _ => Kit.Mood.Busy,
    };

    public static Mood Mood(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Drift => Kit.Mood.Bad,
        DriftVerdict.NoDrift => Kit.Mood.Good,
        _ => Kit.Mood.Unsure,
    };

    public static Mood Mood(AlertState state) => state switch
    {
        AlertState.Firing => Kit.Mood.Bad,
        AlertState.Pending => Kit.Mood.Unsure,
        AlertState.InsufficientEvidence => Kit.Mood.Unsure,
        _ => Kit.Mood.Good,
    };

    /// <summary>The action without what all of them begin with: <c>rolled back</c>.</summary>
    public static string Action(HistoryEntry entry) => entry.Action[(entry.Action.IndexOf('.') + 1)..].Replace('-', ' ');

    public static Mood Mood(HistoryEntry entry) => Action(entry) switch
    {
        "promoted" or "completed" or "returned" => Kit.Mood.Good,
        "rolling back" or "rolled back" or "aborted" => Kit.Mood.Bad,
        "paused" or "held" => Kit.Mood.Unsure,
        _ => Kit.Mood.Plain,
    };

    /// <summary>A document's word with spaces for hyphens: <c>insufficient evidence</c>.</summary>
    public static string Spaced(string word) => word.Replace('-', ' ');
}

/// <summary>How a word stands out: by its sign and its colour, never by colour alone.</summary>
public enum Mood
{
    Plain,
    Good,
    Bad,
    Unsure,
    Busy,
}
