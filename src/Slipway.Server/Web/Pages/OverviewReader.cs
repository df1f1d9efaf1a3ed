using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Alerting;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>Reads the first page in a handful of queries, however many models and versions there are.</summary>
internal static class OverviewReader
{
    /// <summary>Open ones, newest first: who has more of them looks at their own page.</summary>
    private const int ShownIncidents = 10;

    /// <summary>Of traffic.</summary>
    private const int Hours = 24;

    /// <summary>Milliseconds without a request after which a live version is said to get none: gateways tell once a second, and models that are asked now and then are not called dead at once.</summary>
    private const long Silence = 5 * 60_000;

    public static async Task<OverviewView> ReadAsync(PageCall call, Session session)
    {
        var seen = (await VersionTable.ModelsAsync(session)).Where(model => call.Caller.May(Permission.Read, model)).ToArray();
        var live = new Dictionary<(string, string), LiveVersion>();
        foreach (var channel in ReleasePlan.ChannelNames)
        {
            foreach (var version in await LiveVersionTable.ListAsync(session, channel))
                live[(version.Model, channel)] = version;
        }

        var last = (await ChannelHistory.LatestAsync(session)).ToDictionary(entry => (entry.Model, entry.Channel));
        var why = (await ChannelHistory.LatestArrivalsAsync(session)).ToDictionary(entry => (entry.Model, entry.Channel));
        var hours = WindowLength.Longest;
        var first = hours.StartOf(call.Now) - Hours * hours.Milliseconds;
        var traffic = (await WindowTable.CountAsync(session, hours.Milliseconds, first)).ToLookup(count => (count.Model, count.Channel));
        // An hour in which a channel's gateways told of any model was counted; one in which nobody told is not known.
        var told = traffic.SelectMany(channel => channel).Select(count => (count.Channel, count.Start)).ToHashSet();
        var until = (await WindowTable.LastOfLiveAsync(session)).ToDictionary(last => (last.Model, last.Channel), last => last.Until);
        var running = await RolloutTable.ListRunningAsync(session);
        var alerts = (await AlertsReader.ReadAsync(call, session)).Alerts;
        var models = seen.Select(model => new OverviewModel(
            model,
            [
                .. ReleasePlan.ChannelNames.Reverse().Select(channel => new OverviewChannel(
                    channel, live.GetValueOrDefault((model, channel))?.Live, live.GetValueOrDefault((model, channel))?.Since,
                    why.GetValueOrDefault((model, channel)) is { } arrival && arrival.To.Number == live.GetValueOrDefault((model, channel))?.Live.Number ? arrival : null, last.GetValueOrDefault((model, channel)),
                    Sparkline(model, channel, traffic[(model, channel)], told, first), ErrorRate(traffic[(model, channel)]), first, until.GetValueOrDefault((model, channel)),
                    live.ContainsKey((model, channel)) && !IsAsked(until.GetValueOrDefault((model, channel)), live[(model, channel)].Since, call.Now))),
            ]));
        return new OverviewView(
            [.. models],
            [.. running.Where(rollout => seen.Contains(rollout.State.Model)).OrderBy(rollout => rollout.State.StartedAt).Select(rollout => new RunningRollout(rollout.State, rollout.Report))],
            [.. alerts.Where(alert => alert.State is AlertState.Firing or AlertState.Pending)],
            alerts.Count(alert => alert.State is not (AlertState.Firing or AlertState.Pending) && AlertCourse.IsUnjudged(alert)),
            await IncidentTable.ListAsync(session, call.Caller.ModelsOf(Permission.Read), true, ShownIncidents));
    }

    /// <summary>Whether requests come: there was one a short while ago, or the version is live for no longer than that.</summary>
    private static bool IsAsked(long? until, long since, long now) => Math.Max(until ?? 0, since) >= now - Silence;

    /// <summary>Whole hours: the one that runs is not over, and would look like a fall.</summary>
    private static Sparkline? Sparkline(string model, string channel, IEnumerable<TrafficCount> counts, HashSet<(string Channel, long Start)> told, long first)
    {
        var byHour = counts.Where(count => count.Start < first + Hours * WindowLength.Longest.Milliseconds).ToDictionary(count => count.Start, count => count.Requests);
        if (byHour.Count == 0)
            return null;
        var end = first + Hours * WindowLength.Longest.Milliseconds;
        return new Sparkline(
            $"traffic-{model}-{channel}", $"Requests by hour to {model} on {channel}, {Hours} whole hours up to {TimeText.Minute(end)} UTC",
            $"{Words.Count(byHour.Values.Sum())} requests in the {Hours} whole hours up to {TimeText.Minute(end)} UTC; at most {Words.Count(byHour.Values.Max())} in an hour. Where no gateway told anything, the line is broken.", ChartUnit.Count,
            [.. Enumerable.Range(0, Hours).Select(hour => first + hour * WindowLength.Longest.Milliseconds).Select(at => byHour.TryGetValue(at, out var requests) ? requests : told.Contains((channel, at)) ? 0 : (double?)null)],
            first, WindowLength.Longest.Milliseconds);
    }

    private static Figure? ErrorRate(IEnumerable<TrafficCount> counts) => Figure.OfShare(counts.Sum(count => count.Bad), counts.Sum(count => count.Requests));
}
