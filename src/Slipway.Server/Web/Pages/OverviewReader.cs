using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Web.Kit;
using Slipway.Stats.Intervals;

namespace Slipway.Server.Web.Pages;

/// <summary>Reads the first page in a handful of queries, however many models and versions there are.</summary>
internal static class OverviewReader
{
    /// <summary>Open ones, newest first: who has more of them looks at their own page.</summary>
    private const int ShownIncidents = 10;

    /// <summary>Of traffic.</summary>
    private const int Hours = 24;

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
        var hours = WindowLength.Longest;
        var first = hours.StartOf(call.Now) - Hours * hours.Milliseconds;
        var traffic = (await WindowTable.CountAsync(session, hours.Milliseconds, first)).ToLookup(count => (count.Model, count.Channel));
        var running = await RolloutTable.ListRunningAsync(session);
        var models = seen.Select(model => new OverviewModel(
            model,
            [
                .. ReleasePlan.ChannelNames.Reverse().Select(channel => new OverviewChannel(
                    channel, live.GetValueOrDefault((model, channel))?.Live, live.GetValueOrDefault((model, channel))?.Since, last.GetValueOrDefault((model, channel)),
                    Sparkline(model, channel, traffic[(model, channel)], first), ErrorRate(traffic[(model, channel)]))),
            ]));
        return new OverviewView(
            [.. models],
            [.. running.Where(rollout => seen.Contains(rollout.State.Model)).OrderBy(rollout => rollout.State.StartedAt).Select(rollout => new RunningRollout(rollout.State, rollout.Report))],
            [.. (await AlertsReader.ReadAsync(call, session)).Alerts.Where(alert => alert.State is AlertState.Firing or AlertState.Pending)],
            await IncidentTable.ListAsync(session, call.Caller.ModelsOf(Permission.Read), true, ShownIncidents));
    }

    /// <summary>Whole hours: the one that runs is not over, and would look like a fall.</summary>
    private static Sparkline? Sparkline(string model, string channel, IEnumerable<TrafficCount> counts, long first)
    {
        var byHour = counts.Where(count => count.Start < first + Hours * WindowLength.Longest.Milliseconds).ToDictionary(count => count.Start, count => count.Requests);
        if (byHour.Count == 0)
            return null;
        return new Sparkline(
            $"traffic-{model}-{channel}", $"Requests by hour to {model} on {channel}, last 24 h",
            $"{Words.Count(byHour.Values.Sum())} requests in 24 h; at most {Words.Count(byHour.Values.Max())} in an hour.", ChartUnit.Count,
            [.. Enumerable.Range(0, Hours).Select(hour => (double?)byHour.GetValueOrDefault(first + hour * WindowLength.Longest.Milliseconds))]);
    }

    private static Figure? ErrorRate(IEnumerable<TrafficCount> counts) => Figure.OfShare(counts.Sum(count => count.Bad), counts.Sum(count => count.Requests));
}
