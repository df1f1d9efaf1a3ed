using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Stats.Sketches;

namespace Slipway.Documents.Monitoring;

/// <summary>What a model does on a channel, over a span of time: what the API answers, pages show and conditions read.</summary>
/// <param name="From">Unix milliseconds, UTC, on the border of a window; likewise <paramref name="To"/>, which is not included.</param>
/// <param name="Step">Length of the windows in milliseconds.</param>
/// <param name="Plan">In force now.</param>
/// <param name="Live">The version that answers now; null for none.</param>
/// <param name="Versions">Those with any traffic or kept prediction in the span, newest first.</param>
/// <param name="Gateways">With the host's load, as last told.</param>
/// <param name="Lost">Requests that gateways counted and could not tell, in the span.</param>
public sealed record MonitoringView(
    string Model, string Channel, long From, long To, long Step, MonitorPlan Plan, VersionRef? Live, ImmutableArray<VersionMonitoring> Versions, ImmutableArray<GatewayLoad> Gateways, long Lost);

/// <param name="Total">Of the whole span.</param>
/// <param name="Windows">Oldest first; those without traffic are left out.</param>
/// <param name="Drift">By feature, inputs first, over the plan's window up to <see cref="DriftTo"/>; empty without a sealed reference.</param>
/// <param name="SealedMetrics">By name, as the bundle's evaluation has them: what live quality is compared with. Empty without an evaluation.</param>
/// <param name="Misfits">
/// Profiles of the span that gateways sent and that fit no feature of this version: an unknown name, another type, other bins. They are in no figure.
/// </param>
/// <param name="Unkept">Predictions of the span that should have been kept for their labels and were not: there was no room, or the score is none.</param>
/// <param name="Exemplars">Traces of bad requests of the span, newest first; at most 20.</param>
public sealed record VersionMonitoring(
    int Version,
    Digest Bundle,
    WindowFigures Total,
    ImmutableArray<WindowFigures> Windows,
    ImmutableArray<FeatureDrift> Drift,
    ImmutableSortedDictionary<string, Figure> SealedMetrics,
    long Misfits,
    long Unkept,
    ImmutableArray<Exemplar> Exemplars)
{
    /// <summary>Where the window ends that drift is judged on, Unix milliseconds: the end of the version's last traffic in the span; for conditions, that of the span itself.</summary>
    public long DriftTo { get; init; }
}

/// <summary>Figures of one version in one window, all arms but shadow.</summary>
/// <param name="Start">Unix milliseconds.</param>
/// <param name="Length">Milliseconds.</param>
/// <param name="Bad">By <see cref="BadKind"/> in its order.</param>
/// <param name="ErrorRate">Share of bad answers, with an interval.</param>
/// <param name="Latency">Quantiles 0.5, 0.95 and 0.99 in seconds, bounded by the buckets that they may fall in and by the sample's size: too few answers, or too late ones, have no upper end. Empty without answers.</param>
/// <param name="DriftMax">The largest drift of any input, with an interval that holds for all of them together; null where none is known.</param>
/// <param name="Labelled">Predictions of this window that have their label.</param>
/// <param name="Unlabelled">Those that are kept and wait for one.</param>
/// <param name="Quality">By metric: accuracy, auc, brier, ece, log_loss; of a regression mae, rmse, bias. Empty without labels. A shadow's predictions count here.</param>
/// <param name="Basis">What the intervals of <paramref name="Quality"/> rest on.</param>
public sealed record WindowFigures(
    long Start,
    long Length,
    long Requests,
    ImmutableArray<long> Bad,
    Figure? ErrorRate,
    ImmutableSortedDictionary<string, Figure> Latency,
    Figure? DriftMax,
    long Labelled,
    long Unlabelled,
    ImmutableSortedDictionary<string, Figure> Quality,
    IntervalBasis Basis)
{
    /// <summary>The input whose distance <see cref="DriftMax"/> is; null where that is.</summary>
    public string? DriftMaxOf { get; init; }

    /// <summary>Requests whose input this version does not take, beside <see cref="Requests"/>: the caller's fault, unless data upstream have changed.</summary>
    public long Refused { get; init; }
}

/// <summary>What was taken as independent of each other.</summary>
[JsonConverter(typeof(NamedEnum<IntervalBasis>))]
public enum IntervalBasis
{
    /// <summary>There are no intervals.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>Single predictions: too narrow where neighbours in time go wrong together.</summary>
    [JsonStringEnumMemberName("rows")] Rows,

    /// <summary>Windows, at least 10 of them, each left out once; never narrower than by rows.</summary>
    [JsonStringEnumMemberName("windows")] Windows,
}

public static class IntervalBasisWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this IntervalBasis basis) => NamedEnum<IntervalBasis>.Word(basis);
}

/// <param name="IsOutput">Of the model's outputs: a shift of those is reported, and never called harm by itself.</param>
/// <param name="Measure">Always <c>psi</c>: over the bins of the sealed reference and one for what is missing.</param>
/// <param name="Distance">With its interval; the one of the verdict is adjusted for the number of features.</param>
/// <param name="Since">Start of the first window of the span, Unix milliseconds, that is called drift and after which none is called no drift; null unless it is drift now.</param>
/// <param name="Current">What was seen in the window.</param>
/// <param name="Series">Over the span, oldest first.</param>
public sealed record FeatureDrift(
    string Feature, bool IsOutput, string Measure, Figure Distance, double Limit, DriftVerdict Verdict, long? Since, ReferenceFeature Reference, ColumnProfile Current, ImmutableArray<DriftPoint> Series)
{
    /// <summary>Whether it may have begun before <see cref="Since"/>: no window of the span before that is called no drift.</summary>
    public bool SinceOrBefore { get; init; }
}

public sealed record DriftPoint(long Start, long Length, Figure Distance, DriftVerdict Verdict);

[JsonConverter(typeof(NamedEnum<DriftVerdict>))]
public enum DriftVerdict
{
    [JsonStringEnumMemberName("insufficient-evidence")] InsufficientEvidence,
    [JsonStringEnumMemberName("no-drift")] NoDrift,
    [JsonStringEnumMemberName("drift")] Drift,
}

public static class DriftVerdictWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this DriftVerdict verdict) => NamedEnum<DriftVerdict>.Word(verdict);
}

/// <param name="SeenAt">Unix milliseconds.</param>
/// <param name="ClockOff">Milliseconds that the gateway's clock is ahead of the server's; null while it is within seconds.</param>
public sealed record GatewayLoad(string Gateway, long SeenAt, HostLoad Load, long? ClockOff);
