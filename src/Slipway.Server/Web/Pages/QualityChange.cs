using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>One metric of a version, live, against what its bundle was sealed with: by the difference of the two and its interval, as alerts go by it.</summary>
/// <param name="Live">Null without a label.</param>
/// <param name="Sealed">Null where nothing is sealed.</param>
public sealed record QualityChange(string Metric, Figure? Live, Figure? Sealed)
{
    /// <summary>Live minus sealed; null where either is missing.</summary>
    public Figure? Difference => Live is not null && Sealed is not null ? Live.Minus(Sealed) : null;

    public QualityVerdict Verdict => Difference switch
    {
        { Low: > 0 } => MetricMeaning.Way(Metric) switch { BetterWay.More => QualityVerdict.Better, BetterWay.Less => QualityVerdict.Worse, _ => QualityVerdict.Other },
        { High: < 0 } => MetricMeaning.Way(Metric) switch { BetterWay.More => QualityVerdict.Worse, BetterWay.Less => QualityVerdict.Better, _ => QualityVerdict.Other },
        { Low: not null, High: not null } => QualityVerdict.NotShown,
        _ => QualityVerdict.Unknown,
    };

    public Mood Mood => Verdict switch
    {
        QualityVerdict.Worse => Mood.Bad,
        QualityVerdict.Better => Mood.Good,
        QualityVerdict.Unknown => Mood.Unsure,
        _ => Mood.Plain,
    };

    public string Word => Verdict switch
    {
        QualityVerdict.Worse => "worse",
        QualityVerdict.Better => "better",
        QualityVerdict.NotShown => "no difference shown",
        QualityVerdict.Other => "differs",
        _ => "not known",
    };

    /// <summary>Such as <c>auc fell by 0.013 against what was sealed (difference −0.031 to +0.004): not shown to differ</c>.</summary>
    public string Sentence => Difference is not { } difference
        ? Sealed is null ? $"{Metric} is {Said(Live!)}; nothing is sealed to hold it against" : $"{Metric} was sealed at {Said(Sealed)}; no label has come that it could be held against"
        : $"{Metric} {Moved(difference.Value)} against what was sealed{(difference is { Low: { } low, High: { } high } ? $" (difference {Signed(low)} to {Signed(high)})" : "")}: {Conclusion(difference)}";

    /// <summary>Which way is worse, as far as that is known: <c>less is worse</c>.</summary>
    public string WorseWay => MetricMeaning.Way(Metric) switch
    {
        BetterWay.More => "less is worse",
        BetterWay.Less => "more is worse",
        _ => "neither way is worse by itself",
    };

    private string Conclusion(Figure difference) => Verdict switch
    {
        QualityVerdict.Worse => "worse",
        QualityVerdict.Better => "better",
        QualityVerdict.Other => "it differs",
        QualityVerdict.NotShown => $"not shown to differ{Hidden(difference)}",
        _ => $"nobody can tell, there is no interval: {difference.Lacks}",
    };

    /// <summary>What is not shown may still be there: as much of it as the interval leaves open.</summary>
    private string Hidden(Figure difference) => MetricMeaning.Way(Metric) switch
    {
        BetterWay.More when difference.Low < 0 => $", and a fall of up to {Number(-difference.Low!.Value)} is not excluded",
        BetterWay.Less when difference.High > 0 => $", and a rise of up to {Number(difference.High!.Value)} is not excluded",
        _ => "",
    };

    private static string Moved(double by) => by switch
    {
        0 => "is the same",
        < 0 => $"fell by {Number(-by)}",
        > 0 => $"rose by {Number(by)}",
        _ => "is no number",
    };

    private static string Signed(double value) => (value < 0 ? "−" : "+") + Number(Math.Abs(value));

    private static string Number(double value) => NumberText.Short(value, ChartUnit.Number);

    private static string Said(Figure figure) => FigureText.Of(figure, ChartUnit.Number);
}

/// <summary>Zero is not known, so an unset verdict says nothing good.</summary>
public enum QualityVerdict
{
    /// <summary>One of the two figures, or its interval, is missing.</summary>
    Unknown,

    /// <summary>The interval of the difference holds 0.</summary>
    NotShown,
    Worse,
    Better,

    /// <summary>It differs, and which way is worse is not known.</summary>
    Other,
}
