using System.Collections.Immutable;
using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>What a model does on a channel over a span of time, drawn.</summary>
/// <param name="Now">When the view was read, Unix milliseconds: the window that holds it still ran.</param>
/// <param name="Range">The chosen span's name; null where it was given by its ends.</param>
/// <param name="Version">What the parts of a single version are about; null where no version had traffic.</param>
/// <param name="History">What happened to the channel, newest first: the marks in the charts.</param>
/// <param name="Evaluation">What the chosen version was sealed with; null for none, or where it is not at hand.</param>
public sealed record MonitoringPageView(MonitoringView View, long Now, TimeRange? Range, VersionMonitoring? Version, ImmutableArray<HistoryEntry> History, Evaluation? Evaluation = null) : ICharted
{
    /// <summary>Which data the sealed figures are of; null where that is not known.</summary>
    public string? SealedOn { get; init; }

    public string Path => $"/models/{View.Model}/channels/{View.Channel}/monitoring";

    public IEnumerable<Chart> Charts => [Traffic, Errors, Kinds, .. Latency, .. Quality?.Chart is { } change ? [change] : ImmutableArray<Chart>.Empty, .. QualityNow, .. QualityByTime, .. Drift is { } drift ? [drift] : ImmutableArray<Chart>.Empty, .. Features.SelectMany(feature => feature.Charts)];

    /// <summary>Newest first is how they come; the live one leads.</summary>
    private IEnumerable<VersionMonitoring> Versions => View.Versions.OrderByDescending(version => version.Version == View.Live?.Number);

    /// <summary>Milliseconds of a window that must be over before its requests are a rate.</summary>
    private const long Shortest = 1_000;

    private ImmutableArray<TimeMarker> Markers =>
    [
        .. History.Where(entry => Words.Action(entry) is "promoted" or "returned" or "rolled back" or "started" && entry.At >= View.From && entry.At < View.To)
            .Select(entry => new TimeMarker(entry.At, $"{(Words.Action(entry) == "started" ? "rollout of" : Words.Action(entry))} {entry.To.Number}")).Reverse(),
    ];

    private string Windows => $"Windows of {TimeText.Span(View.Step)}; where nothing came, the line is broken.";

    public TimeChart Traffic => Times(
        "traffic", "Requests per second by version", $"{Words.Count(View.Versions.Sum(version => version.Total.Requests))} requests in all. They are counted, not estimated, so there is no interval. {Windows}{Running}", ChartUnit.PerSecond,
        version => window => new TimePoint(window.Start, PerSecond(window), N: window.Requests));

    /// <summary>By the time of the window that is over; null where that is too short to tell.</summary>
    private double? PerSecond(WindowFigures window) => Math.Min(window.Start + window.Length, Now) - window.Start is >= Shortest and var over ? window.Requests / (over / 1_000.0) : null;

    /// <summary>Of the window that was running when the view was read; empty for none.</summary>
    private string Running => View.Versions.SelectMany(version => version.Windows).FirstOrDefault(window => window.Start <= Now && window.Start + window.Length > Now) is { } last
        ? $" The last window was still running: its rate is by the {TimeText.Span(Now - last.Start)} of it that were over, and what gateways had yet to tell is not in it."
        : "";

    public TimeChart Errors => Times(
        "errors", "Bad answers as share of the requests, by version", $"Bad are errors, timeouts, answers later than the budget, answers that break the signature, and ends of the whole gateway; what was refused for its input is not. The share of each window by itself, the band its interval of 95 %: the fewer requests, the wider. {Windows}", ChartUnit.Share,
        version => window => Point(window.Start, window.ErrorRate));

    public StackedBars Kinds => new(
        "kinds", "Bad answers by kind, by version", "Counted over the whole span, and drawn as share of the requests: errors, timeouts, answers later than the budget, answers that break the signature, and ends of the whole gateway.",
        [.. Enum.GetValues<BadKind>().Select(kind => Words.Spaced(kind.Word()))],
        [.. Versions.Select(version => new StackedRow($"version {version.Version}", [.. Enum.GetValues<BadKind>().Select((_, i) => i < version.Total.Bad.Length ? version.Total.Bad[i] : 0)], version.Total.Requests))]);

    /// <summary>Quantiles of the chosen version.</summary>
    public IEnumerable<TimeChart> Latency => Version is not { } version ? [] :
    [
        new(
            "latency", $"Latency quantiles of version {version.Version}", $"The bands hold the bucket that a quantile falls in, and what the number of answers leaves open (95 %). {Windows}", ChartUnit.Seconds, View.From, View.To,
            [
                .. version.Windows.SelectMany(window => window.Latency.Keys).Distinct().Order(StringComparer.Ordinal)
                    .Select(quantile => new TimeSeries(quantile, [.. version.Windows.Select(window => Point(window.Start, window.Latency.GetValueOrDefault(quantile)))], View.Step)),
            ],
            [], Markers),
    ];

    /// <summary>Whether the chosen version is still as good as it was sealed; null without one.</summary>
    public QualitySummary? Quality => Version is null ? null : new(Version, Evaluation, SealedOn);

    /// <summary>The whole span beside what was sealed, metric by metric and version by version.</summary>
    public IEnumerable<IntervalChart> QualityNow => Measured.Select(metric => new IntervalChart(
        $"quality-{metric.Replace('_', '-')}", Held(metric) is null ? $"{metric}, live" : $"{metric}: live and sealed",
        $"{MetricMeaning.Of(metric)} {(Held(metric) is null ? "Nothing is sealed of it." : "Both as they are; whether they differ is told by their difference.")}{(Held(metric) is not null && SealedOn is { } table ? $" Version {Version?.Version} was sealed on {table}." : "")}{(Versions.Count(version => version.Total.Quality.ContainsKey(metric)) > 1 ? " Versions answered other requests, at other times: between them this is no comparison." : "")}", ChartUnit.Number,
        [
            .. Versions.Where(version => version.Total.Quality.ContainsKey(metric)).SelectMany(version => new[]
            {
                new IntervalRow($"version {version.Version}, live", version.Total.Quality[metric], IsMain: true),
                new IntervalRow($"version {version.Version}, sealed", version.SealedMetrics.GetValueOrDefault(metric), "nothing is sealed"),
            }),
        ],
        Held(metric) is { } held ? new ReferenceLine(held.Value, "sealed") : null));

    public IEnumerable<TimeChart> QualityByTime => Measured.Select(metric => Times(
        $"quality-{metric.Replace('_', '-')}-by-time", $"{metric} by version and window",
        $"By when the prediction was made, not when its label came: late labels fill in.{(Held(metric) is null ? "" : $" The dashed line is what version {Version?.Version} was sealed with.")} {Windows}", ChartUnit.Number,
        _ => window => Point(window.Start, window.Quality.GetValueOrDefault(metric)),
        Held(metric) is { } held ? [new ReferenceLine(held.Value, "sealed")] : [], fromZero: false));

    /// <summary>All features of the chosen version at once; null without a reference.</summary>
    public IntervalChart? Drift => Version is not { Drift.IsEmpty: false } version ? null : new(
        "drift", $"Drift by feature of version {version.Version}, population stability index (PSI)",
        $"How far live values are from the sealed reference; 0 is the same. Over the plan's window of {View.Plan.Window}, up to {TimeText.Full(version.DriftTo)}, where its traffic in this span ends. The dashed line is the limit; whether it is passed is told by the verdict below, which allows for how many features are looked at.",
        ChartUnit.Number,
        [.. version.Drift.Select(feature => new IntervalRow(feature.Feature, feature.Current.Count == 0 ? null : feature.Distance, "no value was profiled", IsMain: feature.Verdict == DriftVerdict.Drift))],
        new ReferenceLine(View.Plan.DriftLimit, "limit"));

    public IEnumerable<FeatureView> Features => Version is { } version ? version.Drift.Select((feature, i) => new FeatureView(feature, i + 1, View)) : [];

    private IEnumerable<string> Measured => View.Versions.SelectMany(version => version.Total.Quality.Keys).Distinct().Order(StringComparer.Ordinal);

    /// <summary>What the chosen version was sealed with; null for nothing.</summary>
    private Figure? Held(string metric) => Version?.SealedMetrics.GetValueOrDefault(metric);

    private TimeChart Times(string name, string title, string description, ChartUnit unit, Func<VersionMonitoring, Func<WindowFigures, TimePoint>> point, ImmutableArray<ReferenceLine>? limits = null, bool fromZero = true) => new(
        name, title, description, unit, View.From, View.To,
        [.. Versions.Select(version => new TimeSeries($"version {version.Version}{(version.Version == View.Live?.Number ? " (live)" : "")}", [.. version.Windows.Select(point(version))], View.Step))],
        limits ?? [], Markers, fromZero);

    private static TimePoint Point(long at, Figure? figure) => new(at, figure?.Value, figure?.Low, figure?.High, figure?.N);
}
