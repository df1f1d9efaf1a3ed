using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Monitoring;

/// <summary>A retraining rule of a model's plan, how it stands, and what it started.</summary>
/// <param name="Since">When it came into this state, Unix milliseconds.</param>
/// <param name="LookedAt">When the condition was last judged.</param>
/// <param name="Reason">Why it is in this state, with the condition's numbers.</param>
/// <param name="Runs">Newest first, at most <see cref="MostRuns"/>.</param>
public sealed record Retraining(string Model, string Channel, RetrainRule Rule, RetrainState State, long Since, long LookedAt, string Reason, ImmutableArray<RetrainRun> Runs)
{
    public const int MostRuns = 20;
}

[JsonConverter(typeof(NamedEnum<RetrainState>))]
public enum RetrainState
{
    /// <summary>The condition could not be judged: nothing is started.</summary>
    [JsonStringEnumMemberName("insufficient-evidence")] InsufficientEvidence,

    /// <summary>The condition is false.</summary>
    [JsonStringEnumMemberName("inactive")] Inactive,

    /// <summary>What was started runs.</summary>
    [JsonStringEnumMemberName("running")] Running,

    /// <summary>The condition is true, and the last start is not long enough ago.</summary>
    [JsonStringEnumMemberName("cooling-down")] CoolingDown,

    /// <summary>The condition is true, and there were as many starts in 24 hours as may be.</summary>
    [JsonStringEnumMemberName("exhausted")] Exhausted,

    /// <summary>The condition is true, and this server has no trigger of that name: nothing is started.</summary>
    [JsonStringEnumMemberName("no-trigger")] NoTrigger,
}

public static class RetrainStateWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this RetrainState state) => NamedEnum<RetrainState>.Word(state);
}

/// <summary>One start of a trigger.</summary>
/// <param name="Trigger">Its name.</param>
/// <param name="Reason">What the condition found, with its numbers.</param>
/// <param name="EndedAt">Unix milliseconds; null while it runs.</param>
/// <param name="Tail">The last of what the command wrote; null where there was nothing.</param>
public sealed record RetrainRun(string Id, string Trigger, long StartedAt, string Reason, long? EndedAt, RetrainOutcome Outcome, string? Detail, string? Tail)
{
    /// <summary>Characters of <see cref="Tail"/>.</summary>
    public const int LongestTail = 4_000;
}

[JsonConverter(typeof(NamedEnum<RetrainOutcome>))]
public enum RetrainOutcome
{
    /// <summary>It has not ended, or not begun where others run.</summary>
    [JsonStringEnumMemberName("running")] Running,

    /// <summary>The command ended with 0. What it made is registered and released as any other version is.</summary>
    [JsonStringEnumMemberName("succeeded")] Succeeded,

    [JsonStringEnumMemberName("failed")] Failed,

    /// <summary>It took too long, and was ended.</summary>
    [JsonStringEnumMemberName("timed-out")] TimedOut,

    /// <summary>The server ended meanwhile, and it with the server.</summary>
    [JsonStringEnumMemberName("interrupted")] Interrupted,

    /// <summary>The event waits for the webhook: what follows is told by nobody.</summary>
    [JsonStringEnumMemberName("sent")] Sent,
}

public static class RetrainOutcomeWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this RetrainOutcome outcome) => NamedEnum<RetrainOutcome>.Word(outcome);
}
