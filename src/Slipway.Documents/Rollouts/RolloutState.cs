using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Rollouts;

/// <summary>A release in progress or over: what is stored, what the API returns, and what the page shows.</summary>
/// <param name="Kind">A release forward, or the way back to a version that was live before.</param>
/// <param name="Candidate">What is being released; of a return, the version that is gone back to.</param>
/// <param name="Stable">What served the channel when it began; null at a channel's first release.</param>
/// <param name="Plan">The effective plan: the release plan tightened by the policy that held at the start.</param>
/// <param name="PlanDigest">Of the release plan's canonical bytes as versioned on the server.</param>
/// <param name="Step">Index into the plan's steps; 0 for strategies without.</param>
/// <param name="Weight">The candidate's, as last ordered; in 1/10,000.</param>
/// <param name="Weights">Every order, oldest first; never empty: the first is 0, while gateways prepare.</param>
/// <param name="StepSince">
/// Since when the phase's time counts: of a step, when every live gateway had its weight in force, null until then; while rolling back,
/// when that was ordered. Unix milliseconds.
/// </param>
/// <param name="KeepWarmUntil">After promotion: until when the version before stays loaded. Unix milliseconds.</param>
/// <param name="StartedBy">Principal's id.</param>
/// <param name="Reason">Why it is in this phase, as a sentence.</param>
/// <param name="Notes">What a person should know and what changes nothing by itself, oldest first: a gateway lost, a key revoked, a policy tightened.</param>
public sealed record RolloutState(
    string Id,
    string Model,
    string Channel,
    RolloutKind Kind,
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
    string StartedByName,
    string Reason,
    ImmutableArray<string> Notes)
{
    [JsonIgnore]
    public bool IsOver => Phase is RolloutPhase.Promoted or RolloutPhase.RolledBack or RolloutPhase.Aborted or RolloutPhase.Completed;

    /// <summary>Of the weight that is ordered now.</summary>
    [JsonIgnore]
    public long WeightRevision => Weights[^1].Revision;
}

[JsonConverter(typeof(NamedEnum<RolloutKind>))]
public enum RolloutKind
{
    [JsonStringEnumMemberName("release")] Release,

    /// <summary>A person takes the channel back to a version that was live on it before: it is prepared, then switched to, and not judged.</summary>
    [JsonStringEnumMemberName("return")] Return,
}

/// <param name="Revision">From 1 within the rollout.</param>
/// <param name="At">When it was ordered, Unix milliseconds.</param>
public sealed record WeightChange(long Revision, int Weight, long At);

[JsonConverter(typeof(NamedEnum<RolloutPhase>))]
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

    /// <summary>Ended before it was promoted: by a person, or because no gateway takes the candidate.</summary>
    [JsonStringEnumMemberName("aborted")] Aborted,

    /// <summary>A shadow that has seen enough: the live version is what it was, and a release by another strategy may follow.</summary>
    [JsonStringEnumMemberName("completed")] Completed,
}

public static class RolloutPhaseWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this RolloutPhase phase) => NamedEnum<RolloutPhase>.Word(phase);
}
