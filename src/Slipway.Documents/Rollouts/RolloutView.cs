using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Rollouts;

/// <summary>A rollout with what is known of it at this moment.</summary>
/// <param name="Report">The latest judgement; null before the first.</param>
/// <param name="Gateways">Of its channel: those that are live, and those that were lost since it began.</param>
/// <param name="Waiting">What it waits for, as sentences; empty when it is over.</param>
public sealed record RolloutView(RolloutState State, JudgeReport? Report, ImmutableArray<GatewayStatus> Gateways, ImmutableArray<string> Waiting);

/// <param name="SeenAt">When its last report came, by the server's clock; Unix milliseconds.</param>
/// <param name="Live">Heard of within the last 30 s.</param>
/// <param name="Candidate">What it says of the candidate; null when it says nothing yet.</param>
/// <param name="Reason">Why it refuses or quarantines the candidate.</param>
/// <param name="InForce">Whether it assigns requests by the weight that is ordered now.</param>
public sealed record GatewayStatus(string Gateway, string Boot, long SeenAt, bool Live, VersionState? Candidate, string? Reason, bool InForce);

/// <summary>Something that happened to a channel of a model: who, when, why, from which version to which, and on which evidence.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Action">As in the ledger: <c>rollout.started</c>, <c>rollout.promoted</c>, <c>rollout.rolled-back</c> …</param>
/// <param name="From">What was live before; null when nothing was.</param>
/// <param name="To">The rollout's candidate.</param>
/// <param name="Live">What is live from then on; null when nothing is.</param>
/// <param name="By">Principal's id; <c>server</c> for what a rollout does by itself.</param>
/// <param name="Evidence">Digest of <paramref name="Report"/>'s canonical bytes.</param>
/// <param name="Report">The judgement at that moment; null where none had been made.</param>
/// <param name="Notes">Where it ends a rollout: what a person should know of it, such as a key that was revoked or a policy that was tightened meanwhile.</param>
public sealed record HistoryEntry(
    long At,
    string Model,
    string Channel,
    string Rollout,
    string Action,
    VersionRef? From,
    VersionRef To,
    VersionRef? Live,
    string By,
    string ByName,
    string Reason,
    Slipway.Primitives.Bytes.Digest? Evidence,
    JudgeReport? Report,
    ImmutableArray<string> Notes);

/// <summary>Starts a rollout of a version that is approved for the channel.</summary>
/// <param name="Strategy">
/// Other than the plan's: <c>shadow</c>, which takes no traffic; or, where the plan says shadow and this version's shadow is complete,
/// any that the policy allows. Null for the plan's.
/// </param>
public sealed record ReleaseRequest(int Version, string Reason, Strategy? Strategy = null) : IChangeRequest;

/// <summary>Pauses, resumes, aborts or rolls back a rollout.</summary>
public sealed record RolloutCommand(string Reason) : IChangeRequest;

/// <summary>Takes a channel back.</summary>
/// <param name="To">A version that was live on the channel before; null for the one before the live one or, while a rollout runs, for the live one.</param>
/// <param name="From">
/// The version to be left, as the caller saw it: the live one or, while a rollout runs, its candidate. Refused when it is another by now, so
/// that two people who take back the same version do not go back twice. Null for whatever it is.
/// </param>
public sealed record RollbackRequest(string Reason, int? To = null, int? From = null) : IChangeRequest;
