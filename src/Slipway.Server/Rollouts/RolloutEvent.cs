using Slipway.Documents.Rollouts;

namespace Slipway.Server.Rollouts;

/// <summary>Something that a rollout is told. It may come late, twice, or out of turn.</summary>
/// <param name="At">Unix milliseconds by the server's clock, which may step back.</param>
internal abstract record RolloutEvent(long At);

/// <summary>Every live gateway of the channel, at least one, holds the candidate loaded and warmed.</summary>
internal sealed record GatewaysReady(long At) : RolloutEvent(At);

/// <summary>Every live gateway that takes the candidate, at least one, assigns requests by this weight.</summary>
/// <param name="Revision">See <see cref="WeightChange.Revision"/>.</param>
internal sealed record WeightInForce(long At, long Revision) : RolloutEvent(At);

/// <summary>The evidence was judged.</summary>
internal sealed record Judged(long At, JudgeReport Report) : RolloutEvent(At);

internal sealed record TimePassed(long At) : RolloutEvent(At);

/// <summary>No live gateway takes the candidate: each says that it does not verify, load or warm up.</summary>
/// <param name="Why">A gateway's own words.</param>
internal sealed record CandidateRefused(long At, string Why) : RolloutEvent(At);

/// <summary>The candidate ended a gateway's process: that is harm, whatever the counts say.</summary>
internal sealed record CandidateQuarantined(long At, string Gateway, string Why) : RolloutEvent(At);

/// <summary>Something that a person should know and that changes nothing by itself.</summary>
/// <param name="Note">A sentence; one that is noted already is not noted again.</param>
internal sealed record Noted(long At, string Note) : RolloutEvent(At);

/// <summary>What a person orders.</summary>
/// <param name="By">Name, for the sentence that tells why.</param>
/// <param name="Why">In the person's own words.</param>
internal abstract record RolloutOrder(long At, string By, string Why) : RolloutEvent(At)
{
    /// <summary>Whether the order is fulfilled in this phase: asking again is then no conflict.</summary>
    public abstract bool IsFulfilledIn(RolloutPhase phase);
}

internal sealed record Pause(long At, string By, string Why) : RolloutOrder(At, By, Why)
{
    public override bool IsFulfilledIn(RolloutPhase phase) => phase is RolloutPhase.Paused;
}

internal sealed record Resume(long At, string By, string Why) : RolloutOrder(At, By, Why)
{
    public override bool IsFulfilledIn(RolloutPhase phase) => phase is RolloutPhase.Preparing or RolloutPhase.Stepping or RolloutPhase.HoldingBack;
}

internal sealed record Abort(long At, string By, string Why) : RolloutOrder(At, By, Why)
{
    public override bool IsFulfilledIn(RolloutPhase phase) => phase is RolloutPhase.Aborted;
}

internal sealed record RollBack(long At, string By, string Why) : RolloutOrder(At, By, Why)
{
    public override bool IsFulfilledIn(RolloutPhase phase) => phase is RolloutPhase.RollingBack or RolloutPhase.RolledBack;
}

/// <summary>The channel goes back to another version than the one that was live when this rollout began: this one ends at once.</summary>
internal sealed record Overtake(long At, string By, string Why) : RolloutOrder(At, By, Why)
{
    public override bool IsFulfilledIn(RolloutPhase phase) => phase is RolloutPhase.RolledBack;
}
