using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class RolloutReader
{
    /// <summary>Of one rollout: a step or an order each.</summary>
    private const int ShownHistory = 100;

    public static async Task<RolloutPageView> ReadAsync(PageCall call, Session session)
    {
        var (model, channel, id) = (call.Segment("model"), Require.Channel(call.Segment("channel")), call.Segment("rollout"));
        return new RolloutPageView(
            await RolloutOrders.ViewAsync(session, model, channel, id, call.Now), await EvidenceSeries.ListAsync(session, id), await ChannelHistory.OfRolloutAsync(session, id, ShownHistory), call.Now);
    }
}
