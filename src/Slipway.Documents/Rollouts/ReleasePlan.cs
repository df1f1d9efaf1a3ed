using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>How a model is released: the spec's <c>release:</c>. Outside the bundle's digest, versioned on the server, bounded by its policy.</summary>
/// <param name="Channels">By channel: <c>staging</c>, <c>production</c>.</param>
public sealed record ReleasePlan(ImmutableSortedDictionary<string, ChannelPlan> Channels);

/// <param name="Steps">Of a canary, at least one, weights growing, the last one 100 %; empty for other strategies.</param>
/// <param name="Key">What a caller is assigned by: <c>request-id</c>, <c>header:NAME</c> or <c>body:FIELD</c> (a member of the request's <c>parameters</c>).</param>
/// <param name="Approvals">Beyond those that the server's policy wants.</param>
/// <param name="KeepWarm">How long the version before stays loaded after a release, so that going back is a change of weights.</param>
public sealed record ChannelPlan(
    Strategy Strategy,
    ImmutableArray<RolloutStep> Steps,
    string Key,
    Guard Guard,
    JudgeSettings Judge,
    ImmutableArray<ApprovalRule> Approvals,
    Duration KeepWarm)
{
    /// <summary>Callers are assigned by request id.</summary>
    public const string RequestId = "request-id";
}

[JsonConverter(typeof(JsonStringEnumConverter<Strategy>))]
public enum Strategy
{
    /// <summary>The candidate is loaded and warmed beside the stable version, then takes all traffic at once.</summary>
    [JsonStringEnumMemberName("blue-green")] BlueGreen,

    /// <summary>The candidate's share of the traffic grows by steps, each judged on its evidence.</summary>
    [JsonStringEnumMemberName("canary")] Canary,

    /// <summary>The candidate gets copies of requests; its answers are compared and thrown away.</summary>
    [JsonStringEnumMemberName("shadow")] Shadow,
}

/// <param name="Weight">The candidate's share, in 1/10,000: 1 to 10,000.</param>
/// <param name="AtLeast">The step is not left for the next before that.</param>
/// <param name="AtMost">After that a step without enough evidence ends as <see cref="JudgeSettings.OnInsufficient"/> says; null waits for ever.</param>
/// <param name="HoldBack">Of the last step: the share that stays with the stable version as a control, in 1/10,000; 0 for none.</param>
/// <param name="For">How long the control is held back.</param>
public sealed record RolloutStep(int Weight, Duration AtLeast, Duration? AtMost, int HoldBack, Duration? For);

/// <param name="ErrorRate">The largest share of bad answers that is allowed, whatever the stable version does; null for no bound.</param>
/// <param name="Latency">Null for no budget, and then no answer is too late.</param>
public sealed record Guard(Ratio? ErrorRate, LatencyGuard? Latency);

/// <summary>At most 1 − <paramref name="Quantile"/> of the answers may take longer than <paramref name="Limit"/>.</summary>
/// <param name="Quantile">Such as 0.99.</param>
public sealed record LatencyGuard(double Quantile, Duration Limit);

/// <param name="FalseAlarm">α: the largest probability, over all looks together, that a harmless candidate is called harmful; and that a harmful one is promoted.</param>
/// <param name="ToleratedRatio">r₀ ≥ 1: rate of bad events of the candidate over the stable version's that is still no harm.</param>
/// <param name="PromoteMargin">The candidate is promoted when its ratio is shown to be below 1 + this.</param>
public sealed record JudgeSettings(Ratio FalseAlarm, double ToleratedRatio, double PromoteMargin, OnInsufficient OnInsufficient)
{
    public static JudgeSettings Default { get; } = new(new(0.01), 1, 0.5, OnInsufficient.Hold);
}

[JsonConverter(typeof(JsonStringEnumConverter<OnInsufficient>))]
public enum OnInsufficient
{
    /// <summary>The rollout is paused at its weight until a person decides.</summary>
    [JsonStringEnumMemberName("hold")] Hold,
    [JsonStringEnumMemberName("rollback")] Rollback,
}

/// <param name="Count">Different people of the group, at least 1.</param>
public sealed record ApprovalRule(string Group, int Count);

/// <summary>A registered version: its number within the model, and the bundle that it is for ever.</summary>
/// <param name="Number">From 1.</param>
public sealed record VersionRef(int Number, Slipway.Primitives.Bytes.Digest Bundle);
