using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>How a model is released: the spec's <c>release:</c>. Outside the bundle's digest, versioned on the server, bounded by its policy.</summary>
/// <remarks>Compares collections by identity; compare <see cref="Digest"/>s instead.</remarks>
/// <param name="Channels">By channel: <c>staging</c> and <c>production</c>, both.</param>
public sealed record ReleasePlan(ImmutableSortedDictionary<string, ChannelPlan> Channels)
{
    public const string Staging = "staging", Production = "production";

    public static ImmutableArray<string> ChannelNames { get; } = [Staging, Production];

    /// <summary>Where a spec says nothing: staging switches at once; production goes by 1, 10 and 50 %, each for at least 10 minutes.</summary>
    public static ReleasePlan Default { get; } = Of(ChannelPlan.BlueGreen, ChannelPlan.Canary);

    public static ReleasePlan Of(ChannelPlan staging, ChannelPlan production) =>
        new(ImmutableSortedDictionary.Create<string, ChannelPlan>(StringComparer.Ordinal).Add(Staging, staging).Add(Production, production));

    /// <summary>How it is watched; null when nothing is said, which is <see cref="MonitorPlan.Default"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MonitorPlan? Monitor { get; init; }

    /// <summary>Of its canonical bytes: what a plan is known by.</summary>
    [JsonIgnore]
    public Digest Digest => Digest.Of(CanonicalJson.Serialize(this, RolloutJson.Default.ReleasePlan));
}

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

    /// <summary>What begins a <see cref="Key"/> that is read from a request.</summary>
    public const string HeaderKey = "header:", BodyKey = "body:";

    public static Duration DefaultKeepWarm { get; } = new(TimeSpan.FromHours(1));

    /// <summary>All traffic at once, after the candidate is warm.</summary>
    public static ChannelPlan BlueGreen { get; } = new(Strategy.BlueGreen, [], RequestId, new Guard(null, null), JudgeSettings.Default, [], DefaultKeepWarm);

    /// <summary>1 %, 10 % and 50 %, each for at least 10 minutes and for as long as the evidence takes; then all.</summary>
    public static ChannelPlan Canary { get; } = BlueGreen with
    {
        Strategy = Strategy.Canary,
        Steps = [.. new[] { 100, 1_000, 5_000 }.Select(weight => new RolloutStep(weight, new Duration(TimeSpan.FromMinutes(10)), null, 0, null)), new RolloutStep(Weight.All, default, null, 0, null)],
    };
}

[JsonConverter(typeof(NamedEnum<Strategy>))]
public enum Strategy
{
    /// <summary>The candidate is loaded and warmed beside the stable version, then takes all traffic at once.</summary>
    [JsonStringEnumMemberName("blue-green")] BlueGreen,

    /// <summary>The candidate's share of the traffic grows by steps, each judged on its evidence.</summary>
    [JsonStringEnumMemberName("canary")] Canary,

    /// <summary>The candidate gets copies of requests; its answers are compared and thrown away.</summary>
    [JsonStringEnumMemberName("shadow")] Shadow,
}

public static class StrategyWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this Strategy strategy) => NamedEnum<Strategy>.Word(strategy);
}

/// <param name="Weight">The candidate's share, in 1/10,000: 1 to 10,000.</param>
/// <param name="AtLeast">The step is not left for the next before that.</param>
/// <param name="AtMost">After that a step without enough evidence ends as <see cref="JudgeSettings.OnInsufficient"/> says; null waits for ever.</param>
/// <param name="HoldBack">Of the last step: the share that stays with the stable version as a control, in 1/10,000; 0 for none.</param>
/// <param name="For">How long the control is held back.</param>
public sealed record RolloutStep(int Weight, Duration AtLeast, Duration? AtMost, int HoldBack, Duration? For)
{
    /// <summary>More than half as a control would be no release.</summary>
    public const int MostHoldBack = Rollouts.Weight.All / 2;

    /// <summary>Of one plan; each is a stop where people may look.</summary>
    public const int MostSteps = 50;
}

/// <param name="ErrorRate">The largest share of bad answers that is allowed, whatever the stable version does; null for no bound.</param>
/// <param name="Latency">Null for no budget, and then no answer is too late.</param>
public sealed record Guard(Ratio? ErrorRate, LatencyGuard? Latency)
{
    /// <summary>Bounds of <see cref="ErrorRate"/>: below, no traffic would ever be evidence; above, nothing is guarded.</summary>
    public const double LeastErrorRate = 0.0001, MostErrorRate = 0.5;
}

/// <summary>At most 1 − <paramref name="Quantile"/> of the answers may take longer than <paramref name="Limit"/>.</summary>
/// <param name="Quantile">Such as 0.99.</param>
public sealed record LatencyGuard(double Quantile, Duration Limit)
{
    /// <summary>By their names in a spec.</summary>
    public static ImmutableArray<(string Name, double Quantile)> Quantiles { get; } = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];
}

/// <param name="FalseAlarm">α: the largest probability, over all looks together, that a harmless candidate is called harmful; and that a harmful one is promoted.</param>
/// <param name="ToleratedRatio">r₀ ≥ 1: rate of bad events of the candidate over the stable version's that is still no harm.</param>
/// <param name="PromoteMargin">The candidate is promoted when its ratio is shown to be below 1 + this.</param>
public sealed record JudgeSettings(Ratio FalseAlarm, double ToleratedRatio, double PromoteMargin, OnInsufficient OnInsufficient)
{
    /// <summary>Bounds of <see cref="FalseAlarm"/>.</summary>
    public const double LeastFalseAlarm = 0.0001, MostFalseAlarm = 0.5;

    /// <summary>Bounds of <see cref="ToleratedRatio"/>: a candidate may be called harmless when it fails as often as the stable version, never only when less often.</summary>
    public const double LeastToleratedRatio = 1, MostToleratedRatio = 100;

    /// <summary>Bounds of <see cref="PromoteMargin"/>: with less, a candidate that is the same could never be told from a worse one.</summary>
    public const double LeastPromoteMargin = 0.02, MostPromoteMargin = 10;

    public static JudgeSettings Default { get; } = new(new(0.01), 1, 0.5, OnInsufficient.Hold);
}

[JsonConverter(typeof(NamedEnum<OnInsufficient>))]
public enum OnInsufficient
{
    /// <summary>The rollout is paused at its weight until a person decides.</summary>
    [JsonStringEnumMemberName("hold")] Hold,
    [JsonStringEnumMemberName("rollback")] Rollback,
}

/// <param name="Group">Or <see cref="Anyone"/>.</param>
/// <param name="Count">Different people of the group, 1 to <see cref="MostPeople"/>.</param>
public sealed record ApprovalRule(string Group, int Count)
{
    /// <summary>Stands for every approver, of whatever group.</summary>
    public const string Anyone = "*";

    /// <summary>Of one rule; and as many rules may stand together.</summary>
    public const int MostPeople = 20;

    /// <summary>Characters of a group's name.</summary>
    public const int LongestGroup = 200;

    public override string ToString() => $"{Count} of {(Group == Anyone ? "all approvers" : Group)}";
}

/// <summary>A registered version: its number within the model, and the bundle that it is for ever.</summary>
/// <param name="Number">From 1.</param>
public sealed record VersionRef(int Number, Digest Bundle);
