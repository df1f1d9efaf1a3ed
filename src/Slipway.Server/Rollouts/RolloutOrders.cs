using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What people order, each inside one change: looked at, decided and recorded without anything in between.</summary>
internal sealed partial class RolloutOrders(RolloutChanges changes)
{
    /// <summary>Tells a rollout what a person wants of it; asking for what is so already is no conflict.</summary>
    /// <exception cref="ApiProblem">No such rollout (404); it cannot do that now (409).</exception>
    public async Task<RolloutState> TellAsync(Session session, string model, string channel, string id, RolloutOrder order, Caller by)
    {
        if (await RolloutTable.FindAsync(session, id) is not { } stored || stored.State.Model != model || stored.State.Channel != channel)
            throw NoRollout(model, channel, id);
        var s = stored.State;
        if (order.IsFulfilledIn(s.Phase))
            return s;
        var told = await changes.TellAsync(session, s, order, by);
        return ReferenceEquals(told, s) ? throw CannotNow(s, order) : told;
    }

    private static ApiProblem CannotNow(RolloutState s, RolloutOrder order) => ApiProblem.Conflict(
        "rollout-phase",
        $"rollout {s.Id} of {s.Model} is {s.Phase.Word()}, and cannot be told to {order.GetType().Name.ToLowerInvariant()} now: {s.Reason}",
        help: s.Phase == RolloutPhase.Promoted ? $"to take {s.Channel} back: slipway rollback {s.Model} --channel {s.Channel} --reason TEXT" : null);
}
