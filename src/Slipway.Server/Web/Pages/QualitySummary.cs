using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>Whether a version is still as good as it was sealed: over all its metrics, and one by one.</summary>
/// <param name="Version">With live figures, or sealed ones, or neither.</param>
/// <param name="Evaluation">What the sealed figures are from; null where that is not at hand.</param>
/// <param name="Measured">Which data those are of; null where that is not known.</param>
public sealed record QualitySummary(VersionMonitoring Version, Evaluation? Evaluation, string? Measured = null)
{
    /// <summary>The question that people come with leads.</summary>
    private const string First = "accuracy";

    /// <summary>Every metric that is measured live; and, where none is, every one that is sealed.</summary>
    public ImmutableArray<QualityChange> Changes { get; } =
    [
        .. (Version.Total.Quality.IsEmpty ? Version.SealedMetrics.Keys : Version.Total.Quality.Keys).OrderBy(metric => metric != First).ThenBy(metric => metric, StringComparer.Ordinal)
            .Select(metric => new QualityChange(metric, Version.Total.Quality.GetValueOrDefault(metric), Version.SealedMetrics.GetValueOrDefault(metric))),
    ];

    public Mood Mood => Headline.Mood;

    public string Badge => Headline.Badge;

    /// <summary>Over all metrics.</summary>
    public string Sentence => Headline.Sentence;

    private ImmutableArray<QualityChange> Worse => [.. Changes.Where(change => change.Verdict == QualityVerdict.Worse)];

    private (Mood Mood, string Badge, string Sentence) Headline
    {
        get
        {
            var (who, compared) = ($"Version {Version.Version}", Changes.Count(change => change.Verdict != QualityVerdict.Unknown));
            if (Version.Total.Quality.IsEmpty)
                return (Kit.Mood.Unsure, "not known", $"No label has met a prediction of {who.ToLowerInvariant()} in this span, so nobody can tell whether it is as good as it was sealed.");
            if (Version.SealedMetrics.IsEmpty)
                return (Kit.Mood.Unsure, "nothing to hold against", $"{who} was sealed without an evaluation, so its live figures have nothing to be held against.");
            if (compared == 0)
                return (Kit.Mood.Unsure, "not known", $"Nobody can tell whether {who.ToLowerInvariant()} is as good as it was sealed: there are too few labels for an interval, or other metrics were sealed than are measured.");
            if (!Worse.IsEmpty)
                return (Kit.Mood.Bad, "does not hold", $"{who} is worse than it was sealed: {string.Join(", ", Worse.Select(change => change.Metric))} of {Words.Some(compared, "metric")} that can be compared.");
            var better = Changes.Count(change => change.Verdict == QualityVerdict.Better);
            return (Kit.Mood.Plain, "no loss shown", $"{who} is not shown to be worse than it was sealed by any of {Words.Some(compared, "metric")} that can be compared{(better > 0 ? $"; {Words.Count(better)} got better" : "")}. How much worse it may still be stands below.");
        }
    }

    /// <summary>What the two sides rest on.</summary>
    public string Basis =>
        $"Live: {Words.Some(Version.Total.Labelled, "prediction")} with a label, intervals of 95 % by {(Version.Total.Basis == IntervalBasis.None ? "nothing yet" : Version.Total.Basis.Word())}."
        + (Version.Total.Basis == IntervalBasis.Rows ? " These take every prediction for independent of the others: they are too narrow where neighbours in time go wrong together." : "")
        + (Version.SealedMetrics.IsEmpty ? "" : Evaluation is { } held
            ? $" Sealed: {Words.Some(held.Rows, "held-out row")}{(Measured is null ? "" : $" ({Measured})")}, intervals of {NumberText.Short(held.Confidence, ChartUnit.Share)} by {(held.Unit is { } unit ? $"{Words.Count(held.Units)} values of {unit}" : "rows")}."
            : " Sealed: as the bundle's evaluation has it.")
        + " Each metric is judged by itself: of twenty that hold, about one is called otherwise by chance.";

    /// <summary>All differences at once; null where none is known.</summary>
    public IntervalChart? Chart => Changes.All(change => change.Difference is null) ? null : new(
        "quality-change", $"Live minus sealed, by metric, version {Version.Version}",
        "0 is as sealed. A metric whose interval lies wholly on its worse side is worse; where it holds 0, it is not shown to differ.",
        ChartUnit.Number,
        [.. Changes.Where(change => change.Difference is not null).Select(change => new IntervalRow($"{change.Metric} ({change.WorseWay})", change.Difference, IsMain: change.Verdict == QualityVerdict.Worse))],
        new ReferenceLine(0, "as sealed"));
}
