using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Rollouts;

/// <summary>All that the judge knows of a rollout: sufficient for its e-processes, since L(i) depends on arm and weight alone.</summary>
/// <param name="Cells">One for each weight that was ordered, by revision, ascending: the last is the weight now.</param>
/// <param name="Lost">Requests whose outcome is unknown, at least; above 0 no verdict but harm can be reached.</param>
/// <param name="Gateways">Gateways whose events are folded in.</param>
/// <param name="Waiting">Bad events that were told and wait until every gateway has told as far.</param>
/// <param name="Halvings">
/// Of the users, one in 2^this is followed: their number is bounded, and halved by a hash of the user whenever it is reached. Which event
/// counts hangs on hashes and earlier events alone, so the evidence stays valid; it only grows more slowly.
/// </param>
public sealed record RolloutEvidence(ImmutableArray<EvidenceCell> Cells, long Lost, int Gateways, ShadowCounts? Shadow, long Waiting = 0, int Halvings = 0);

/// <summary>What was folded under one weight.</summary>
/// <param name="Weight">The candidate's share in 1/10,000: ρ of every event here.</param>
/// <param name="Bad">Bad events by kind, each kind once: the first of each user that is followed. A kind without any may be left out.</param>
public sealed record EvidenceCell(long WeightRevision, int Weight, ArmEvidence Candidate, ArmEvidence Stable, ImmutableArray<KindEvidence> Bad);

/// <param name="Requests">Resolved.</param>
/// <param name="BadRequests">Of these, bad: every one, a user's later ones too; over budget not counted.</param>
/// <param name="OverBudget">Of these, answered later than the latency budget.</param>
/// <param name="Latency">By <see cref="LatencyBuckets"/>.</param>
public sealed record ArmEvidence(long Requests, long BadRequests, long OverBudget, ImmutableArray<long> Latency);

public sealed record KindEvidence(BadKind Kind, long Candidate, long Stable);

/// <summary>A judgement with the numbers that led to it; <c>slipway judge FILE</c> computes it again from them.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Step">Index of the step that was judged.</param>
/// <param name="Strategy">Of the plan: a shadow is judged on <see cref="RolloutEvidence.Shadow"/>.</param>
/// <param name="Guard">The absolute bounds in force.</param>
/// <param name="Harm">The mean of all e-processes that speak of harm: what the verdict goes by.</param>
/// <param name="HarmByKind">These, one by one: of each kind of bad event, and of each guard.</param>
/// <param name="Promotion">The ways to promotion, either of which suffices.</param>
/// <param name="Missing">What evidence is missing, as sentences; empty unless the verdict is insufficient evidence.</param>
public sealed record JudgeReport(
    string Rollout,
    long At,
    int Step,
    Strategy Strategy,
    JudgeSettings Settings,
    Guard Guard,
    RolloutEvidence Evidence,
    JudgeVerdict Verdict,
    EvidenceMeasure Harm,
    ImmutableArray<EvidenceMeasure> HarmByKind,
    ImmutableArray<EvidenceMeasure> Promotion,
    ImmutableArray<LatencyBand> Latency,
    string Reason,
    ImmutableArray<string> Missing);

/// <summary>Zero is insufficient evidence, so an unset verdict promotes nothing.</summary>
[JsonConverter(typeof(NamedEnum<JudgeVerdict>))]
public enum JudgeVerdict
{
    [JsonStringEnumMemberName("insufficient-evidence")] InsufficientEvidence,
    [JsonStringEnumMemberName("no-worse")] NoWorse,
    [JsonStringEnumMemberName("harm")] Harm,
}

public static class JudgeVerdictWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this JudgeVerdict verdict) => NamedEnum<JudgeVerdict>.Word(verdict);
}

/// <summary>An e-value against its threshold.</summary>
/// <param name="Name">Such as <c>error</c>, <c>guard error-rate</c>, <c>non-inferiority</c>.</param>
/// <param name="LogE">Natural logarithm of the e-value: 0 is no evidence, <see cref="Proof"/> stands for certainty.</param>
/// <param name="LogThreshold">At or above, this one decides alone.</param>
/// <param name="Reading">For people: the counts behind it and what they are held against; of the mean, what it is the mean of.</param>
public sealed record EvidenceMeasure(string Name, double LogE, double LogThreshold, string Reading)
{
    /// <summary>What is written for an infinite e-value, which JSON cannot hold.</summary>
    public const double Proof = 1e12;
}

/// <summary>An arm's latency at a quantile with its time-uniform band, for people; never part of a verdict.</summary>
/// <param name="Seconds">Upper bound of the quantile's bucket; null beyond the last one, and without answers.</param>
/// <param name="Low">Null while there are too few answers for a band.</param>
/// <param name="High">Null then too, and where the band reaches beyond the last bucket.</param>
/// <param name="N">Requests under the weight now.</param>
public sealed record LatencyBand(Arm Arm, double Quantile, double? Seconds, double? Low, double? High, long N);
