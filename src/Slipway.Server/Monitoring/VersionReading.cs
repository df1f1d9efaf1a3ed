using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Monitoring;

/// <summary>One version's part of a view: its stored windows, as they come by time, put together to the windows that were asked for. No more than one of those is in memory in parts. Not thread-safe.</summary>
/// <param name="step">Milliseconds.</param>
internal sealed class VersionReading(WatchedVersion version, MonitorPlan plan, long step)
{
    private readonly DriftReading drift = new(version, plan.DriftLimit);
    private readonly WindowSum total = new();
    private readonly SortedDictionary<long, WindowFigures> windows = [];
    private readonly List<(long Start, long Length, ImmutableArray<DriftReading.Judged> Judged)> series = [];
    private List<QualitySum> labelled = [];
    private long labelledFrom = long.MaxValue, labelledTo;
    private readonly List<StoredWindow> traffic = [];
    private readonly List<StoredQuality> quality = [];

    public int Version => version.Version;

    /// <param name="window">None before the one before it.</param>
    public void Add(StoredWindow window)
    {
        if (traffic.Count > 0 && StepOf(traffic[0].Start) != StepOf(window.Start))
            CloseTraffic();
        traffic.Add(window);
    }

    /// <inheritdoc cref="Add(StoredWindow)"/>
    public void Add(StoredQuality window)
    {
        if (quality.Count > 0 && StepOf(quality[0].Start) != StepOf(window.Start))
            CloseQuality();
        quality.Add(window);
    }

    /// <summary>Where labels are told of, on borders of the view's windows, if these are fewer than intervals over windows take; null where they are enough, or there is none.</summary>
    public (long From, long To)? SparseQuality
    {
        get
        {
            CloseQuality();
            return labelled.Count is > 0 and < QualityFigures.LeastParts ? (labelledFrom, labelledTo) : null;
        }
    }

    /// <summary>Lets the whole span's quality rest on shorter windows: what an interval rests on is not for the length of a chart's windows to say.</summary>
    /// <param name="parts">Of <see cref="SparseQuality"/>, all of it.</param>
    public void RestOn(IEnumerable<QualitySum> parts) => labelled = [.. parts];

    /// <summary>Finds the beginning of drift within the view's window that it is seen in first.</summary>
    /// <param name="features">As <see cref="Tell"/> has them.</param>
    /// <param name="since">Start of that window.</param>
    /// <param name="shorter">The windows of this version in that one.</param>
    public ImmutableArray<FeatureDrift> WithBeginning(ImmutableArray<FeatureDrift> features, long since, IEnumerable<StoredWindow> shorter)
    {
        (long Start, ImmutableArray<DriftReading.Judged> Judged)[] windows =
            [.. shorter.GroupBy(window => window.Start).OrderBy(group => group.Key).Select(group => (group.Key, drift.Judge([Whole([.. group.Select(window => window.Sum)])])))];
        return
        [
            .. features.Select((feature, i) => feature.Since == since && DriftReading.Since([.. windows.Select(window => (window.Start, window.Judged[i].Verdict))]) is ({ } begin, var orBefore)
                ? feature with { Since = begin, SinceOrBefore = orBefore && feature.SinceOrBefore }
                : feature),
        ];
    }

    /// <summary>All are added.</summary>
    /// <param name="from">Unix milliseconds.</param>
    /// <param name="last">The windows that drift is judged on.</param>
    public VersionMonitoring Tell(long from, long to, IEnumerable<StoredWindow> last, ImmutableArray<Exemplar> exemplars)
    {
        CloseTraffic();
        CloseQuality();
        var parts = Parts(last);
        var judged = drift.Judge(parts);
        return new(
            version.Version,
            version.Bundle,
            WithQuality(TrafficOf(from, to - from, total, judged), labelled),
            [.. windows.Values],
            drift.Tell(judged, Whole(parts), series),
            version.SealedMetrics,
            total.Misfits,
            total.Unkept,
            exemplars);
    }

    private long StepOf(long start) => WindowLength.Floor(start, step);

    private void CloseTraffic()
    {
        if (traffic.Count == 0)
            return;
        var start = StepOf(traffic[0].Start);
        var parts = Parts(traffic);
        var (whole, judged) = (Whole(parts), drift.Judge(parts));
        total.Add(whole);
        if (whole.Requests > 0)
            series.Add((start, step, judged));
        var counted = TrafficOf(start, step, whole, judged);
        windows[start] = windows.TryGetValue(start, out var known)
            ? counted with { Labelled = known.Labelled, Unlabelled = known.Unlabelled, Quality = known.Quality, Basis = known.Basis }
            : counted;
        traffic.Clear();
    }

    private void CloseQuality()
    {
        if (quality.Count == 0)
            return;
        var start = StepOf(quality[0].Start);
        var known = windows.GetValueOrDefault(start) ?? TrafficOf(start, step, new WindowSum(), drift.Judge([]));
        windows[start] = WithQuality(known, [.. quality.Select(window => window.Sum)]);
        // Of a long step as one: neighbours in time are the less alike, and a year has hundreds of them.
        labelled.Add(Whole(quality.Select(window => window.Sum)));
        (labelledFrom, labelledTo) = (Math.Min(labelledFrom, start), Math.Max(labelledTo, start + step));
        quality.Clear();
    }

    private WindowFigures TrafficOf(long start, long length, WindowSum sum, ImmutableArray<DriftReading.Judged> judged)
    {
        var (furthest, of) = drift.Largest(judged);
        return new(
            start, length, sum.Requests, [.. sum.Bad], TrafficFigures.ErrorRate(sum), TrafficFigures.Latency(sum), furthest, 0, 0, ImmutableSortedDictionary<string, Figure>.Empty, IntervalBasis.None)
        {
            Refused = sum.Refused,
            DriftMaxOf = of,
        };
    }

    private static WindowFigures WithQuality(WindowFigures counted, IReadOnlyList<QualitySum> parts)
    {
        var whole = Whole(parts);
        var (metrics, basis) = QualityFigures.Of(whole, parts);
        return counted with { Labelled = whole.Labelled, Unlabelled = Math.Max(0, whole.Kept - whole.Labelled), Quality = metrics, Basis = basis };
    }

    private static QualitySum Whole(IEnumerable<QualitySum> parts)
    {
        var whole = new QualitySum();
        foreach (var part in parts)
            whole.Add(part);
        return whole;
    }

    /// <summary>All arms of each stored window together, by start.</summary>
    private static ImmutableArray<WindowSum> Parts(IEnumerable<StoredWindow> windows) =>
        [.. windows.GroupBy(window => window.Start).OrderBy(group => group.Key).Select(group => Whole([.. group.Select(window => window.Sum)]))];

    private static WindowSum Whole(ImmutableArray<WindowSum> parts)
    {
        if (parts is [var only])
            return only;
        var whole = new WindowSum();
        foreach (var part in parts)
            whole.Add(part);
        return whole;
    }
}
