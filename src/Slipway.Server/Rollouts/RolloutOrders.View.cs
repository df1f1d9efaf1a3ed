using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What people are shown before they order.</summary>
internal sealed partial class RolloutOrders
{
    /// <exception cref="ApiProblem">No such rollout (404).</exception>
    public static async Task<RolloutView> ViewAsync(Session session, string model, string channel, string id, long now)
    {
        if (await RolloutTable.FindAsync(session, id) is not { } rollout || rollout.State.Model != model || rollout.State.Channel != channel)
            throw NoRollout(model, channel, id);
        var fleet = new Fleet(rollout, await GatewayTable.ListAsync(session, channel), now);
        var state = rollout.State;
        if (!state.IsOver)
            state = state with { Notes = [.. state.Notes.Union(await RolloutChanges.RemarksAsync(session, state))] };
        return new RolloutView(state, rollout.Report, rollout.State.IsOver ? [] : fleet.Gateways, rollout.State.IsOver ? [] : [.. fleet.Waiting(), .. WaitingForEvidence(rollout)]);
    }

    private static ImmutableArray<string> WaitingForEvidence(StoredRollout rollout) => rollout switch
    {
        { State.Phase: RolloutPhase.Paused } => ["a person, to resume, abort or roll back"],
        { State.StepSince: null } or { State.Phase: RolloutPhase.RollingBack } => [],
        { Report: { } report } when report.Step == rollout.State.Step && Course.Of(rollout.State).HasControl(rollout.State.Step) => report.Missing,
        _ => [],
    };

    private static ApiProblem NoRollout(string model, string channel, string id) =>
        ApiProblem.NotThere("no-rollout", $"{model} has no rollout {id} on {channel}", $"`slipway history {model}` lists them");
}
