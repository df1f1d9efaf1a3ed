using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Monitoring;

/// <summary>One version's part of a view: its stored windows put together to the windows that were asked for. Pure.</summary>
/// <param name="traffic">Of the span, by start.</param>
/// <param name="quality">Likewise.</param>
internal sealed class VersionReading(WatchedVersion version, MonitorPlan plan, ImmutableArray<StoredWindow> traffic, ImmutableArray<StoredQuality> quality)
{
    private readonly DriftReading drift = new(version, plan.DriftLimit);

    /// <param name="from">Unix milliseconds.</param>
    /// <param name="step">Milliseconds.</param>
    /// <param name="last">The windows that drift is judged on.</param>
    public VersionMonitoring Tell(long from, long to, long step, ImmutableArray<StoredWindow> last, ImmutableArray<Exemplar> exemplars)
    {
        var windows = Windows(step);
        var total = Whole([.. windows.Select(window => window.Traffic)]);
        var parts = Parts(last.Where(IsAnswered));
        var judged = drift.Judge(parts);
        return new(
            version.Version,
            version.Bundle,
            Figures(from, to - from, total, judged, [.. quality.Select(window => window.Sum)]),
            [.. windows.Select(window => Figures(window.Start, step, window.Traffic, window.Drift, window.Quality))],
            drift.Tell(judged, Whole(parts), [.. windows.Where(window => window.Traffic.Requests > 0).Select(window => (window.Start, step, window.Drift))]),
            version.SealedMetrics,
            total.Misfits,
            total.Unkept,
            exemplars);
    }

    private sealed record Window(long Start, WindowSum Traffic, ImmutableArray<DriftReading.Judged> Drift, ImmutableArray<QualitySum> Quality);

    private ImmutableArray<Window> Windows(long step)
    {
        var parts = traffic.Where(IsAnswered).ToLookup(window => WindowLength.Floor(window.Start, step));
        var labelled = quality.ToLookup(window => WindowLength.Floor(window.Start, step), window => window.Sum);
        return
        [
            .. parts.Select(group => group.Key).Union(labelled.Select(group => group.Key)).Order().Select(start =>
            {
                var sums = Parts(parts[start]);
                return new Window(start, Whole(sums), drift.Judge(sums), [.. labelled[start]]);
            }),
        ];
    }

    private WindowFigures Figures(long start, long length, WindowSum sum, ImmutableArray<DriftReading.Judged> judged, ImmutableArray<QualitySum> parts)
    {
        var whole = new QualitySum();
        foreach (var part in parts)
            whole.Add(part);
        var (metrics, basis) = QualityFigures.Of(whole, parts);
        return new(
            start, length, sum.Requests, [.. sum.Bad], TrafficFigures.ErrorRate(sum), TrafficFigures.Latency(sum), drift.Largest(judged),
            whole.Labelled, Math.Max(0, whole.Kept - whole.Labelled), metrics, basis)
        {
            Refused = sum.Refused,
        };
    }

    /// <summary>A shadow's answers went to nobody: they are no traffic. Its quality is what a shadow is for.</summary>
    private static bool IsAnswered(StoredWindow window) => window.Arm != TrafficArm.Shadow;

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
