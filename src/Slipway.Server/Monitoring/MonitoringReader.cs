using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What a model does on a channel: the one reading that the API, pages, conditions and incidents share.</summary>
internal static class MonitoringReader
{
    /// <summary>Windows of one answer, as many as a chart can show, when the reader chooses their length.</summary>
    private const int AboutWindows = 300;

    /// <summary>Windows of one answer when the asker chooses; more could not be told in a moment.</summary>
    public const int MostWindows = 2_000;

    /// <summary>The plan's window that ends now: what conditions are judged by. Its last part is the one that runs now, and it has at least two, so that it never begins anew.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public static async Task<MonitoringView> LastAsync(Session session, string model, string channel, long now)
    {
        var plan = await PlanAsync(session, model);
        var (span, horizons) = ((long)plan.Window.Value.TotalMilliseconds, await WindowTable.HorizonsAsync(session));
        var length = Choose(now - span, now, horizons);
        var to = Ceiling(now, length);
        return await ReadAsync(session, model, channel, Math.Min(WindowLength.Floor(to - span, length), to - (2 * length)), to, length, plan, horizons, endsNow: true);
    }

    /// <param name="from">Unix milliseconds; the window that holds it is the first.</param>
    /// <param name="to">After <paramref name="from"/>; the window that holds the millisecond before it is the last.</param>
    /// <param name="step">Milliseconds, one of <see cref="WindowLength.Steps"/>; null takes the shortest that is still kept and gives at most some 300 windows.</param>
    public static async Task<MonitoringView> ReadAsync(Session session, string model, string channel, long from, long to, long? step)
    {
        var horizons = await WindowTable.HorizonsAsync(session);
        var length = step ?? Choose(from, to, horizons);
        return await ReadAsync(session, model, channel, WindowLength.Floor(from, length), Ceiling(to, length), length, await PlanAsync(session, model), horizons, endsNow: false);
    }

    /// <param name="from">On a border of windows of that length; likewise <paramref name="to"/>.</param>
    /// <param name="endsNow">Whether drift is judged on the span, traffic or not; else on the plan's window up to each version's last traffic in it.</param>
    private static async Task<MonitoringView> ReadAsync(
        Session session, string model, string channel, long from, long to, long length, MonitorPlan plan, ImmutableDictionary<long, long> horizons, bool endsNow)
    {
        var readings = new Dictionary<int, VersionReading?>();
        await foreach (var window in QualityTable.ReadAsync(session, model, channel, Stored(length), from, to))
            (await ReadingAsync(window.Version))?.Add(window);
        await foreach (var window in WindowTable.ReadAsync(session, model, channel, Stored(length), from, to))
            (await ReadingAsync(window.Version))?.Add(window);
        var exemplars = await ExemplarTable.ListAsync(session, model, channel, from, to);
        var versions = ImmutableArray.CreateBuilder<VersionMonitoring>();
        foreach (var reading in readings.Values.OfType<VersionReading>().OrderByDescending(reading => reading.Version))
        {
            var end = endsNow ? to : await LastTrafficAsync(session, model, channel, reading.Version, from, to, plan, horizons);
            var begin = endsNow ? from : end - (long)plan.Window.Value.TotalMilliseconds;
            var last = await WindowsAsync(session, model, channel, reading.Version, begin, end, Stored(endsNow ? length : Choose(begin, end, horizons)));
            if (reading.SparseQuality is { } sparse)
                reading.RestOn(await QualityAsync(session, model, channel, reading.Version, sparse.From, sparse.To, Stored(length), horizons));
            var told = reading.Tell(from, to, last, exemplars.GetValueOrDefault(reading.Version, []));
            versions.Add(told with { DriftTo = end, Drift = await WithBeginningsAsync(session, model, channel, reading, told.Drift, length, horizons) });
        }

        return new(
            model, channel, from, to, length, plan, (await LiveVersionTable.FindAsync(session, model, channel))?.Live, versions.ToImmutable(),
            await TelemetrySources.LoadsAsync(session, channel), await TelemetryLosses.SumAsync(session, channel, model, from, to));

        async Task<VersionReading?> ReadingAsync(int version)
        {
            if (!readings.TryGetValue(version, out var reading))
                reading = readings[version] = await WatchedVersion.FindAsync(session, model, version) is { } watched ? new VersionReading(watched, plan, length) : null;
            return reading;
        }
    }

    /// <summary>
    /// The end of a version's last traffic in a span, by windows as short as the plan's own is judged by, since the span's step may be longer than that whole
    /// window; where those are deleted, by the shortest that are left.
    /// </summary>
    private static async Task<long> LastTrafficAsync(Session session, string model, string channel, int version, long from, long to, MonitorPlan plan, ImmutableDictionary<long, long> horizons)
    {
        var part = Stored(Choose(to - (long)plan.Window.Value.TotalMilliseconds, to, horizons));
        foreach (var length in WindowLength.All.Select(length => length.Milliseconds).Where(length => length >= part))
        {
            if (await WindowTable.LastAsync(session, model, channel, length, version, from, to) is { } start)
                return Math.Min(to, start + length);
        }

        return to;
    }

    /// <summary>What drift is judged on.</summary>
    /// <param name="part">Length of the stored windows; the one that holds <paramref name="from"/> is the first.</param>
    private static async Task<List<StoredWindow>> WindowsAsync(Session session, string model, string channel, int version, long from, long to, long part)
    {
        var last = new List<StoredWindow>();
        await foreach (var window in WindowTable.ReadAsync(session, model, channel, part, WindowLength.Floor(from, part), to, version))
            last.Add(window);
        return last;
    }

    /// <summary>Quality in parts that are shorter than a view's windows: the longest that are as many as intervals over windows take, else the shortest that are kept.</summary>
    private static async Task<List<QualitySum>> QualityAsync(Session session, string model, string channel, int version, long from, long to, long length, ImmutableDictionary<long, long> horizons)
    {
        var parts = new List<QualitySum>();
        foreach (var part in WindowLength.All.Select(part => part.Milliseconds).Where(part => part <= length && from >= horizons.GetValueOrDefault(part)).OrderDescending())
        {
            parts.Clear();
            await foreach (var window in QualityTable.ReadAsync(session, model, channel, part, from, to))
            {
                if (window.Version == version)
                    parts.Add(window.Sum);
            }

            if (parts.Count(sum => sum.Labelled > 0) >= QualityFigures.LeastParts)
                break;
        }

        return parts;
    }

    /// <summary>Looks for the beginning of drift in windows that are shorter than the view's: since when is not for the length of a chart's windows to say.</summary>
    private static async Task<ImmutableArray<FeatureDrift>> WithBeginningsAsync(
        Session session, string model, string channel, VersionReading reading, ImmutableArray<FeatureDrift> features, long length, ImmutableDictionary<long, long> horizons)
    {
        foreach (var since in features.Select(feature => feature.Since).OfType<long>().Distinct().ToArray())
        {
            var part = WindowLength.All.Select(part => part.Milliseconds).FirstOrDefault(part => since >= horizons.GetValueOrDefault(part) && length / part <= MostWindows, length);
            if (part < length)
                features = reading.WithBeginning(features, since, await WindowsAsync(session, model, channel, reading.Version, since, since + length, part));
        }

        return features;
    }

    private static async Task<MonitorPlan> PlanAsync(Session session, string model) => (await PlanTable.LatestAsync(session, model))?.Plan.Monitor ?? MonitorPlan.Default;

    /// <summary>The shortest that gives few enough windows, and of which the whole span is still there.</summary>
    private static long Choose(long from, long to, ImmutableDictionary<long, long> horizons)
    {
        foreach (var step in WindowLength.Steps)
        {
            if ((to - from) / step <= AboutWindows && WindowLength.Floor(from, step) >= horizons.GetValueOrDefault(step))
                return step;
        }

        return WindowLength.Steps[^1];
    }

    private static long Ceiling(long at, long step) => WindowLength.Floor(at + step - 1, step);

    /// <summary>The length that a step is read from.</summary>
    private static long Stored(long step) => Math.Min(step, WindowLength.Longest.Milliseconds);
}
