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

    /// <summary>The plan's window that ends now: what conditions are judged by.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public static async Task<MonitoringView> LastAsync(Session session, string model, string channel, long now)
    {
        var plan = await PlanAsync(session, model);
        return await ReadAsync(session, model, channel, now - (long)plan.Window.Value.TotalMilliseconds, now, null, plan, endsNow: true);
    }

    /// <param name="from">Unix milliseconds; the window that holds it is the first.</param>
    /// <param name="to">After <paramref name="from"/>; the window that holds the millisecond before it is the last.</param>
    /// <param name="step">Milliseconds, one of <see cref="WindowLength.Steps"/>; null takes the shortest that is still kept and gives at most some 300 windows.</param>
    public static async Task<MonitoringView> ReadAsync(Session session, string model, string channel, long from, long to, long? step) =>
        await ReadAsync(session, model, channel, from, to, step, await PlanAsync(session, model), endsNow: false);

    /// <param name="endsNow">Whether drift is judged up to the end of the span, traffic or not; else up to each version's last traffic in it.</param>
    private static async Task<MonitoringView> ReadAsync(Session session, string model, string channel, long from, long to, long? step, MonitorPlan plan, bool endsNow)
    {
        var horizons = await WindowTable.HorizonsAsync(session);
        var length = step ?? Choose(from, to, horizons);
        (from, to) = (WindowLength.Floor(from, length), WindowLength.Floor(to + length - 1, length));
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
            var last = await LastWindowAsync(session, model, channel, reading.Version, end, plan, horizons);
            versions.Add(reading.Tell(from, to, last, exemplars.GetValueOrDefault(reading.Version, [])) with { DriftTo = end });
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

    /// <summary>The end of a version's last traffic in a span, by windows as short as the plan's own is judged by: the span's step may be longer than that whole window.</summary>
    private static async Task<long> LastTrafficAsync(Session session, string model, string channel, int version, long from, long to, MonitorPlan plan, ImmutableDictionary<long, long> horizons)
    {
        var part = Stored(Choose(to - (long)plan.Window.Value.TotalMilliseconds, to, horizons));
        return await WindowTable.LastAsync(session, model, channel, part, version, from, to) is { } start ? Math.Min(to, start + part) : to;
    }

    /// <summary>What drift is judged on: the plan's window up to a moment, in parts as short as are kept of it.</summary>
    private static async Task<List<StoredWindow>> LastWindowAsync(Session session, string model, string channel, int version, long to, MonitorPlan plan, ImmutableDictionary<long, long> horizons)
    {
        var begin = to - (long)plan.Window.Value.TotalMilliseconds;
        var part = Stored(Choose(begin, to, horizons));
        var last = new List<StoredWindow>();
        await foreach (var window in WindowTable.ReadAsync(session, model, channel, part, WindowLength.Floor(begin, part), to))
        {
            if (window.Version == version)
                last.Add(window);
        }

        return last;
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

    /// <summary>The length that a step is read from.</summary>
    private static long Stored(long step) => Math.Min(step, WindowLength.Longest.Milliseconds);
}
