using Slipway.Documents.Incidents;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Monitoring;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class RolloutReader
{
    /// <summary>Of one rollout: a step or an order each.</summary>
    private const int ShownHistory = 100;

    /// <summary>Milliseconds after a rollout's end in which its last answers come and are told: longer than any gateway waits for an answer.</summary>
    public const long Settling = 60_000;

    public static async Task<RolloutPageView> ReadAsync(PageCall call, Session session)
    {
        var (model, channel, id) = (call.Segment("model"), Require.Channel(call.Segment("channel")), call.Segment("rollout"));
        var view = await RolloutOrders.ViewAsync(session, model, channel, id, call.Now);
        return new RolloutPageView(
            view, await EvidenceSeries.ListAsync(session, id), await ChannelHistory.OfRolloutAsync(session, id, ShownHistory), await ToldAsync(session, view.State, call.Now),
            await IncidentTable.FindAsync(session, model, IncidentKind.Rollback, id), call.Now);
    }

    /// <summary>What gateways told of the candidate, from its first request until some time after its last.</summary>
    private static async Task<TellCount?> ToldAsync(Session session, RolloutState s, long now)
    {
        if (s.Weights.FirstOrDefault(weight => weight.Weight > 0) is not { } first)
            return null;
        var sum = await WindowTable.SumAsync(session, s.Model, s.Channel, s.Candidate.Number, first.At, s.EndedAt is { } ended ? ended + Settling : now + 1);
        return sum.Requests == 0 ? null : new(s.IsOver ? "by the gateways, all that it got in this rollout" : "by the gateways, up to now", sum.Requests, sum.Bad, null);
    }
}
