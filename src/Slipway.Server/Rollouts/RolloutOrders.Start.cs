using System.Collections.Immutable;
using System.Security.Cryptography;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Starting a rollout: forward, of what is approved; or back, to what was live before.</summary>
internal sealed partial class RolloutOrders
{
    private const int IdDigits = 12, SaltDigits = 32;

    /// <summary>Rollouts that a version's shadow is looked for among, newest first.</summary>
    private const int MostShadows = 500;

    /// <summary>Starts a release. Asking for the one that runs already gives that one.</summary>
    /// <exception cref="ApiProblem">Not approved, live already, or another rollout runs (409); no such version (404).</exception>
    public async Task<RolloutState> ReleaseAsync(Session session, string model, string channel, ReleaseRequest request, Caller by, long now)
    {
        var approved = await Promotions.RequireApprovedAsync(session, model, request.Version, channel);
        var live = await LiveVersionTable.FindAsync(session, model, channel);
        if (await RolloutTable.FindRunningAsync(session, model, channel) is { } running)
            return running.State is { Kind: RolloutKind.Release } same && same.Candidate.Number == request.Version ? same : throw Busy(running.State);
        if (live?.Live.Number == request.Version)
            throw ApiProblem.Conflict("live-already", $"version {request.Version} of {model} is what {channel} serves already");
        var plan = await PlanAsync(session, approved, model, channel, request.Strategy);
        if (plan.Strategy == Strategy.Shadow && live is null)
            throw ApiProblem.Conflict("nothing-to-shadow", $"nothing is live on {channel}, so there are no requests that a shadow could get copies of", "release a first version by blue-green or canary");

        var candidate = new VersionRef(approved.Version.Number, approved.Version.Bundle);
        var state = New(RolloutKind.Release, model, channel, candidate, live?.Live, plan, approved.Promotion.Plan, by, request.Reason, approved.Notes, now);
        await changes.StartAsync(session, state, by, request.Reason);
        return state;
    }

    /// <summary>Takes a channel back: whatever it takes in the phase that it is in.</summary>
    /// <returns>The rollout that does it: the one that runs, now rolling back; or a return, which is over at once when the version is still warm.</returns>
    /// <exception cref="ApiProblem">The target was never live there, or is live already (409); nothing to go back to (409).</exception>
    public async Task<RolloutState> RollBackAsync(Session session, string model, string channel, RollbackRequest request, Caller by, long now)
    {
        var live = await LiveVersionTable.FindAsync(session, model, channel);
        var running = (await RolloutTable.FindRunningAsync(session, model, channel))?.State;
        if (request.From is { } seen && seen != (running?.Candidate ?? live?.Live)?.Number)
            throw ApiProblem.Conflict("moved-on", $"version {seen} of {model} was to be left, and {channel} {(running is null ? $"serves version {live?.Live.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing"}" : $"is being taken to version {running.Candidate.Number}")} now", $"look at `slipway history {model}`, and say it again if it is still wanted");
        if (running is { Kind: RolloutKind.Return } && (request.To ?? running.Candidate.Number) == running.Candidate.Number)
            return running;
        if (running is { Kind: RolloutKind.Release } && (request.To is null || request.To == running.Stable?.Number))
            return await changes.TellAsync(session, running, new RollBack(now, by.Name, request.Reason), by);

        var target = await TargetAsync(session, model, channel, live, request.To);
        if (running is not null)
            await changes.TellAsync(session, running, new Overtake(now, by.Name, request.Reason), by);
        return await ReturnAsync(session, model, channel, target, live!.Live, by, request.Reason, now);
    }

    private async Task<RolloutState> ReturnAsync(Session session, string model, string channel, VersionRef target, VersionRef live, Caller by, string reason, long now)
    {
        var remarks = await Promotions.RemarksAsync(session, model, target.Number, channel);
        var (plan, digest) = await PlanOfAsync(session, model, channel);
        var state = New(RolloutKind.Return, model, channel, target, live, plan, digest, by, reason, remarks, now);
        await changes.StartAsync(session, state, by, reason);
        // What is still warm is only a change of weights: it must not wait for anybody.
        var stored = (await RolloutTable.FindAsync(session, state.Id))!;
        foreach (var ready in new Fleet(stored, await GatewayTable.ListAsync(session, channel), now).Events().OfType<GatewaysReady>())
            state = await changes.TellAsync(session, state, ready, by);
        return state;
    }

    private static async Task<VersionRef> TargetAsync(Session session, string model, string channel, LiveVersion? live, int? to)
    {
        if (live is null)
            throw ApiProblem.Conflict("nothing-live", $"nothing of {model} is live on {channel}, so there is nothing to take back");
        if (to is null)
            return live.Previous ?? throw ApiProblem.Conflict("no-way-back", $"version {live.Live.Number} of {model} is the first that was live on {channel}", "release another version");
        if (to == live.Live.Number)
            throw ApiProblem.Conflict("live-already", $"version {to} of {model} is what {channel} serves already");
        return await LiveVersionTable.FindFormerAsync(session, model, channel, to.Value) ?? throw ApiProblem.Conflict(
            "never-live", $"version {to} of {model} was never live on {channel}; {string.Join(", ", await LiveVersionTable.FormerNumbersAsync(session, model, channel))} were", $"a version that is new there is released: slipway release {model}@{to} --to {channel} --reason TEXT");
    }

    /// <summary>The plan that was approved; with another strategy only where that takes less from the plan, never more.</summary>
    private static async Task<ChannelPlan> PlanAsync(Session session, ApprovedRelease approved, string model, string channel, Strategy? strategy)
    {
        var plan = approved.Plan;
        if (strategy is not { } other || other == plan.Strategy)
            return plan;
        if (other != Strategy.Shadow)
        {
            var shadows = await RolloutTable.ListAsync(session, model, channel, MostShadows);
            if (plan.Strategy != Strategy.Shadow || !shadows.Any(shadow => shadow.Phase == RolloutPhase.Completed && shadow.Candidate.Bundle == approved.Version.Bundle))
                throw ApiProblem.Conflict("plan-strategy", $"the approved plan's strategy is {plan.Strategy.Word()}, and another is allowed for a shadow beforehand, or after the plan's own shadow is complete", "change strategy in the spec's release, push and promote again");
        }

        var steps = other == Strategy.Canary ? ChannelPlan.Canary.Steps : [];
        var tightened = (await PolicyTable.FloorAsync(session, model, channel)).Tighten(plan with { Strategy = other, Steps = steps });
        if (tightened.Plan is { Strategy: Strategy.Shadow, Guard.ErrorRate: null })
            throw ApiProblem.Conflict("shadow-without-guard", "the approved plan has no guard on the error rate, and nothing else could ever show that a shadow is no worse", "write guard: { error-rate: 1 % } in the spec's release, push and promote again");
        return tightened.Plan ?? throw ApiProblem.Conflict(tightened.Faults);
    }

    /// <summary>A return is not judged, and needs of a plan only what says how gateways assign.</summary>
    private static async Task<(ChannelPlan Plan, Primitives.Bytes.Digest Digest)> PlanOfAsync(Session session, string model, string channel)
    {
        var plan = (await PlanTable.LatestAsync(session, model))?.Plan ?? ReleasePlan.Default;
        return (plan.Channels[channel], plan.Digest);
    }

    private static RolloutState New(
        RolloutKind kind, string model, string channel, VersionRef candidate, VersionRef? stable, ChannelPlan plan, Primitives.Bytes.Digest digest, Caller by, string reason,
        ImmutableArray<string> notes, long now) => new(
        RandomNumberGenerator.GetHexString(IdDigits, lowercase: true), model, channel, kind, candidate, stable, plan, digest, RolloutPhase.Preparing, null, 0, 0, [new(1, 0, now)],
        RandomNumberGenerator.GetHexString(SaltDigits, lowercase: true), now, null, null, null, by.Id, by.Name, reason, notes);

    private static ApiProblem Busy(RolloutState running) => ApiProblem.Conflict(
        "rollout-running",
        $"rollout {running.Id} of {running.Model} to version {running.Candidate.Number} runs on {running.Channel}: {running.StartedByName} started it, and it is {running.Phase.Word()}",
        $"wait for its end, or end it: slipway release abort {running.Model} --to {running.Channel} --reason TEXT");
}
