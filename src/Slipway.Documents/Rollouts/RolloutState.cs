using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Rollouts;

/// <summary>A release in progress or over: what is stored, what the API returns, and what the page shows.</summary>
/// <param name="Stable">What served the channel when it began; null at a channel's first release.</param>
/// <param name="Plan">The effective plan: the release plan tightened by the policy that held at the start.</param>
/// <param name="PlanDigest">Of the release plan's canonical bytes as versioned on the server.</param>
/// <param name="Step">Index into the plan's steps; 0 for strategies without.</param>
/// <param name="Weight">The candidate's, as last ordered; in 1/10,000.</param>
/// <param name="StepSince">When every gateway had this step's weight in force; null until then. Unix milliseconds.</param>
/// <param name="KeepWarmUntil">After promotion: until when the version before stays loaded. Unix milliseconds.</param>
/// <param name="Reason">Why it is in this phase, as a sentence.</param>
public sealed record RolloutState(
    string Id,
    string Model,
    string Channel,
    VersionRef Candidate,
    VersionRef? Stable,
    ChannelPlan Plan,
    Digest PlanDigest,
    RolloutPhase Phase,
    RolloutPhase? PausedIn,
    int Step,
    int Weight,
    ImmutableArray<WeightChange> Weights,
    string Salt,
    long StartedAt,
    long? StepSince,
    long? EndedAt,
    long? KeepWarmUntil,
    string StartedBy,
    string Reason)
{
    [JsonIgnore]
    public bool IsOver => Phase is RolloutPhase.Promoted or RolloutPhase.RolledBack or RolloutPhase.Aborted;
}

/// <param name="Revision">From 1 within the rollout.</param>
/// <param name="At">When it was ordered, Unix milliseconds.</param>
public sealed record WeightChange(long Revision, int Weight, long At);

[JsonConverter(typeof(JsonStringEnumConverter<RolloutPhase>))]
public enum RolloutPhase
{
    /// <summary>Gateways fetch, verify, load and warm the candidate; it gets no traffic.</summary>
    [JsonStringEnumMemberName("preparing")] Preparing,

    /// <summary>A canary step, a blue-green's one switch, or a shadow: judged on its evidence.</summary>
    [JsonStringEnumMemberName("stepping")] Stepping,

    /// <summary>All traffic but a small control is the candidate's.</summary>
    [JsonStringEnumMemberName("holding-back")] HoldingBack,

    /// <summary>Waits for a person, at its weight.</summary>
    [JsonStringEnumMemberName("paused")] Paused,

    /// <summary>The stable version is getting everything back.</summary>
    [JsonStringEnumMemberName("rolling-back")] RollingBack,
    [JsonStringEnumMemberName("promoted")] Promoted,
    [JsonStringEnumMemberName("rolled-back")] RolledBack,

    /// <summary>Ended by a person before it was promoted.</summary>
    [JsonStringEnumMemberName("aborted")] Aborted,
}
