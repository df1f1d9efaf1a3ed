using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What each channel of a model serves at this moment.</summary>
internal static class ChannelStates
{
    /// <returns>Every channel there is, also those that serve nothing yet.</returns>
    public static async Task<ImmutableArray<ChannelState>> OfAsync(Session session, string model)
    {
        var states = ImmutableArray.CreateBuilder<ChannelState>();
        foreach (var channel in ReleasePlan.ChannelNames)
        {
            var live = await LiveVersionTable.FindAsync(session, model, channel);
            var rollout = await RolloutTable.FindRunningAsync(session, model, channel);
            states.Add(new ChannelState(model, channel, live?.Live, live?.Since, live?.Previous, rollout?.State.Id));
        }

        return states.ToImmutable();
    }
}
