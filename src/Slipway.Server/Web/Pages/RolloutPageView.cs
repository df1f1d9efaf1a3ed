using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>A rollout: where it stands, how it came there, and on which evidence.</summary>
/// <param name="Series">How the evidence grew, oldest first.</param>
/// <param name="History">Newest first.</param>
/// <param name="Told">What gateways told of the candidate by now; null for nothing.</param>
/// <param name="Incident">Its id; null where none was opened.</param>
/// <param name="Now">Unix milliseconds.</param>
public sealed record RolloutPageView(RolloutView View, ImmutableArray<EvidencePoint> Series, ImmutableArray<HistoryEntry> History, TellCount? Told, string? Incident, long Now) : ICharted
{
    public RolloutState State => View.State;

    public string Path => $"/models/{State.Model}/channels/{State.Channel}/rollouts/{State.Id}";

    public IEnumerable<Chart> Charts => [Weights, Evidence, .. Arms is { } arms ? [arms] : ImmutableArray<Chart>.Empty, .. Bounds, .. Kinds is { } kinds ? [kinds] : ImmutableArray<Chart>.Empty, .. Latency is { } latency ? [latency] : ImmutableArray<Chart>.Empty];

    private long End => Math.Max(State.EndedAt ?? Now, State.StartedAt + 1_000);

    private ImmutableArray<TimeMarker> Markers => State.EndedAt is { } ended ? [new(ended, Words.Spaced(State.Phase.Word()))] : [];

    public TimeChart Weights => new(
        "weights", "Share of the requests that the candidate was ordered to get",
        $"Version {State.Candidate.Number} was ordered {Words.Some(State.Weights.Length, "weight")}; the last is {Weight.Text(State.Weights[^1].Weight)}.",
        ChartUnit.Share, State.StartedAt, End,
        [new TimeSeries("ordered weight", [.. State.Weights.Select(weight => new TimePoint(weight.At, weight.Weight / (double)Weight.All))], IsStep: true)], [], Markers);

    public TimeChart Evidence
    {
        get
        {
            var limits = ImmutableArray.CreateBuilder<ReferenceLine>();
            if (!Series.IsEmpty)
            {
                // Two lines that the eye cannot tell apart are one.
                var harmAt = Series[^1].HarmAt;
                var noWorseAt = Series[^1].NoWorseAt is { } other && Math.Abs(other - harmAt) > 0.05 ? other : (double?)null;
                limits.Add(new(harmAt, $"{(noWorseAt is null && Series[^1].NoWorseAt is not null ? "harm, and no worse," : "harm")} from {NumberText.Short(harmAt, ChartUnit.Number)}"));
                if (noWorseAt is { } at)
                    limits.Add(new(at, $"no worse from {NumberText.Short(at, ChartUnit.Number)}"));
            }

            var highest = limits.Select(limit => limit.Value).DefaultIfEmpty(1).Max();
            return new(
                "evidence", "Evidence against its threshold, natural logarithm of the e-value",
                Series.IsEmpty
                    ? "Nothing has been judged yet."
                    : $"0 is no evidence. Harm stands at {NumberText.Short(Series[^1].Harm, ChartUnit.Number)} and decides at {NumberText.Short(Series[^1].HarmAt, ChartUnit.Number)}{(Series[^1].NoWorse is { } noWorse ? $"; no worse stands at {NumberText.Short(noWorse, ChartUnit.Number)} and decides at {NumberText.Short(Series[^1].NoWorseAt!.Value, ChartUnit.Number)}" : "")}. It may be looked at as often as one likes: that is what e-values are for, so there is no interval. What is far above or below is drawn at the border.",
                ChartUnit.Number, State.StartedAt, End,
                [
                    new TimeSeries("harm", [.. Series.Select(point => new TimePoint(point.At, point.Harm, N: point.Candidate + point.Stable))]),
                    .. Series.Any(point => point.NoWorse is not null)
                        ? [new TimeSeries("no worse", [.. Series.Select(point => new TimePoint(point.At, point.NoWorse, N: point.Candidate + point.Stable))])]
                        : ImmutableArray<TimeSeries>.Empty,
                ],
                limits.ToImmutable(), Markers, Ceiling: highest * 2, Floor: -highest);
        }
    }

    private ArmEvidence Sum(Func<EvidenceCell, ArmEvidence> arm) => View.Report is not { } report ? new(0, 0, 0, []) : new(
        report.Evidence.Cells.Sum(cell => arm(cell).Requests), report.Evidence.Cells.Sum(cell => arm(cell).BadRequests), report.Evidence.Cells.Sum(cell => arm(cell).OverBudget), []);

    /// <summary>The candidate, and the stable version where there is one.</summary>
    private IEnumerable<(string Label, ArmEvidence Sum, bool IsCandidate)> Both =>
    [
        ($"candidate, version {State.Candidate.Number}", Sum(cell => cell.Candidate), true),
        .. State.Stable is { } stable ? [($"stable, version {stable.Number}", Sum(cell => cell.Stable), false)] : ImmutableArray<(string, ArmEvidence, bool)>.Empty,
    ];

    /// <summary>Which answers are bad ones, in words.</summary>
    private string KindsOfBad => $"Bad are errors, timeouts, answers that break the signature and ends of the whole gateway{(State.Plan.Guard.Latency is { } late ? $", and answers later than the budget of {NumberText.Short(late.Limit.Value.TotalSeconds, ChartUnit.Seconds)}" : "")}.";

    /// <summary>Share of bad answers by arm; null without a judgement.</summary>
    public IntervalChart? Arms => View.Report is null ? null : new(
        "arms", "Bad answers by arm, as share of its requests",
        $"{KindsOfBad} Counted when the judge last looked. Wilson's intervals of 95 %, for people: the judge goes by the e-values above, since it compares both arms at the same time and weight.",
        ChartUnit.Share,
        [.. Both.Select(arm => new IntervalRow(arm.Label, Figure.OfShare(arm.Sum.BadRequests + arm.Sum.OverBudget, arm.Sum.Requests), "no request yet", arm.IsCandidate))],
        State.Plan.Guard is { ErrorRate: { } most, Latency: null } ? new ReferenceLine(most.Value, "bound") : null);

    /// <summary>The plan's absolute bounds, each with what it is about alone; empty without a judgement or a bound.</summary>
    public IEnumerable<IntervalChart> Bounds
    {
        get
        {
            if (View.Report is null)
                yield break;
            if (State.Plan.Guard is { ErrorRate: { } most, Latency: not null })
            {
                yield return new(
                    "bound-error-rate", $"Against the bound of {NumberText.Short(most.Value, ChartUnit.Share)} on bad answers, late ones not counted",
                    "Errors, timeouts, answers that break the signature and ends of the whole gateway. Wilson's intervals of 95 %.", ChartUnit.Share,
                    [.. Both.Select(arm => new IntervalRow(arm.Label, Figure.OfShare(arm.Sum.BadRequests, arm.Sum.Requests), "no request yet", arm.IsCandidate))], new ReferenceLine(most.Value, "bound"));
            }

            if (State.Plan.Guard.Latency is { } guard)
            {
                var (limit, share) = (NumberText.Short(guard.Limit.Value.TotalSeconds, ChartUnit.Seconds), 1 - guard.Quantile);
                yield return new(
                    "bound-latency", $"Against the bound of {NumberText.Short(share, ChartUnit.Share)} on answers later than {limit}",
                    $"At most {NumberText.Short(share, ChartUnit.Share)} of the answers may take longer than {limit}. Wilson's intervals of 95 %.", ChartUnit.Share,
                    [.. Both.Select(arm => new IntervalRow(arm.Label, Figure.OfShare(arm.Sum.OverBudget, arm.Sum.Requests), "no request yet", arm.IsCandidate))], new ReferenceLine(share, "bound"));
            }
        }
    }

    /// <summary>The candidate's requests, as the judge counted them and as gateways told them by now; empty without a judgement, or where it got none.</summary>
    public ImmutableArray<TellCount> Counts
    {
        get
        {
            if (View.Report is not { } report || Told is null)
                return [];
            var judged = Sum(cell => cell.Candidate);
            return
            [
                new($"by the judge, up to {TimeText.Full(report.At)}", judged.Requests, judged.BadRequests + judged.OverBudget, judged.OverBudget),
                Told,
            ];
        }
    }

    public StackedBars? Kinds => View.Report is not { } report ? null : new(
        "kinds", "Bad answers by kind, the first of each user",
        "The first bad answer of each user that is followed counts as evidence; later ones of the same user do not. A bar is the share of all the arm's requests.",
        [.. Enum.GetValues<BadKind>().Select(kind => Words.Spaced(kind.Word()))],
        [
            new StackedRow($"candidate, version {State.Candidate.Number}", [.. Enum.GetValues<BadKind>().Select(kind => Bad(report, kind).Sum(bad => bad.Candidate))], Sum(cell => cell.Candidate).Requests),
            .. State.Stable is { } stable
                ? [new StackedRow($"stable, version {stable.Number}", [.. Enum.GetValues<BadKind>().Select(kind => Bad(report, kind).Sum(bad => bad.Stable))], Sum(cell => cell.Stable).Requests)]
                : ImmutableArray<StackedRow>.Empty,
        ]);

    /// <summary>Quantiles under the weight now; null where nothing was answered.</summary>
    public IntervalChart? Latency => View.Report is not { Latency.IsEmpty: false } report || report.Latency.All(band => band.Seconds is null) ? null : new(
        "latency", "Latency by arm and quantile, under the weight now",
        "Bands that hold at every moment at once (95 %), to the width of a bucket: a quantile is known to 19 %.",
        ChartUnit.Seconds,
        [
            .. report.Latency.Select(band => new IntervalRow(
                $"{band.Arm.ToString().ToLowerInvariant()} {NumberText.Short(band.Quantile, ChartUnit.Share)}",
                band.Seconds is { } seconds ? new Figure(seconds, band.High is null ? null : band.Low, band.Low is null ? null : band.High, band.N, "too few answers") : null,
                "beyond 5.5 s, or no answer", band.Arm == Arm.Candidate)),
        ],
        State.Plan.Guard.Latency is { } guard ? new ReferenceLine(guard.Limit.Value.TotalSeconds, "budget") : null);

    private static IEnumerable<KindEvidence> Bad(JudgeReport report, BadKind kind) => report.Evidence.Cells.SelectMany(cell => cell.Bad).Where(bad => bad.Kind == kind);
}
