using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

/// <summary>Reads the first page in a handful of queries, however many models and versions there are.</summary>
internal static class OverviewReader
{
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
        var running = await RolloutTable.ListRunningAsync(session);
        var models = seen.Select(model => new OverviewModel(
            model,
            [
                .. ReleasePlan.ChannelNames.Reverse().Select(channel => new OverviewChannel(
                    channel, live.GetValueOrDefault((model, channel))?.Live, live.GetValueOrDefault((model, channel))?.Since, last.GetValueOrDefault((model, channel)), null, null)),
            ]));
        return new OverviewView(
            [.. models],
            [.. running.Where(rollout => seen.Contains(rollout.State.Model)).OrderBy(rollout => rollout.State.StartedAt).Select(rollout => new RunningRollout(rollout.State, rollout.Report))]);
    }
}
