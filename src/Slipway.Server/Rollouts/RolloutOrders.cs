using Microsoft.AspNetCore.Http;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What people order, each inside one change: looked at, decided and recorded without anything in between.</summary>
internal sealed partial class RolloutOrders(RolloutChanges changes)
{
    /// <summary>Characters of a person's reason; it stands in sentences and in the ledger.</summary>
    private const int LongestReason = 2_000;

    /// <summary>Tells a rollout what a person wants of it; asking for what is so already is no conflict.</summary>
    /// <exception cref="ApiProblem">No such rollout (404); it cannot do that now (409); no reason (400).</exception>
    public async Task<RolloutState> TellAsync(Session session, string model, string channel, string id, RolloutOrder order, Caller by)
    {
        CheckReason(order.Why);
        if (await RolloutTable.FindAsync(session, id) is not { } stored || stored.State.Model != model || stored.State.Channel != channel)
            throw Unknown(model, channel, id);
        var s = stored.State;
        if (order.IsFulfilledIn(s.Phase))
            return s;
        var told = await changes.TellAsync(session, s, order, by);
        return ReferenceEquals(told, s) ? throw Conflict(s, order) : told;
    }

    private static ApiProblem Conflict(RolloutState s, RolloutOrder order) => new(StatusCodes.Status409Conflict, new Fault(
        "rollout-phase",
        $"rollout {s.Id} of {s.Model} is {PhaseText(s.Phase)}, and cannot be told to {order.GetType().Name.ToLowerInvariant()} now: {s.Reason}",
        Help: s.Phase == RolloutPhase.Promoted ? $"to take {s.Channel} back: slipway rollback {s.Model} --channel {s.Channel} --reason TEXT" : null));

    private static string PhaseText(RolloutPhase phase) => phase switch
    {
        RolloutPhase.RollingBack => "rolling back",
        RolloutPhase.RolledBack => "rolled back",
        RolloutPhase.HoldingBack => "holding back a control",
        RolloutPhase.Stepping => "in progress",
        _ => phase.ToString().ToLowerInvariant(),
    };

    private static void CheckReason(string reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
            throw new ApiProblem(StatusCodes.Status400BadRequest, new Fault("no-reason", "this is a change, and a change needs a reason", Help: "say --reason TEXT; the ledger keeps it"));
        if (reason.Length > LongestReason)
            throw new ApiProblem(StatusCodes.Status400BadRequest, new Fault("long-reason", $"the reason has {reason.Length} characters, allowed are {LongestReason}"));
    }
}
