using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Registry;

/// <summary>Somebody's asking that a version may go to a channel, and where that stands now: under the policy as it is now.</summary>
/// <param name="Id">The model's name, a dot and <paramref name="Number"/>, such as <c>flight-delay.7</c>: what people type.</param>
/// <param name="Number">From 1 within the model.</param>
/// <param name="Plan">Digest of the release plan that was asked for and is approved; a later plan needs another promotion.</param>
/// <param name="PlanNumber">Its number within the model.</param>
/// <param name="Required">What policy and plan together want.</param>
/// <param name="Approvals">Every vote, oldest first; a person's last one counts.</param>
/// <param name="Missing">What still lacks, as sentences; empty when approved.</param>
public sealed record Promotion(
    string Id,
    int Number,
    string Model,
    int Version,
    Digest Bundle,
    string Channel,
    Digest Plan,
    int PlanNumber,
    PromotionState State,
    ImmutableArray<ApprovalRule> Required,
    ImmutableArray<Approval> Approvals,
    ImmutableArray<string> Missing,
    string RequestedBy,
    string RequestedByName,
    long RequestedAt,
    string Reason)
{
    public static string IdOf(string model, int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{model}.{number}");
}

/// <param name="Groups">The approver's groups at that moment.</param>
public sealed record Approval(string By, string ByName, ImmutableArray<string> Groups, bool Approves, long At, string Reason);

/// <summary>Zero is not approved, so an unset state releases nothing.</summary>
[JsonConverter(typeof(NamedEnum<PromotionState>))]
public enum PromotionState
{
    [JsonStringEnumMemberName("waiting")] Waiting,
    [JsonStringEnumMemberName("approved")] Approved,
    [JsonStringEnumMemberName("rejected")] Rejected,

    /// <summary>A later promotion of the same version to the same channel was asked for.</summary>
    [JsonStringEnumMemberName("replaced")] Replaced,
}

public static class PromotionStateWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this PromotionState state) => NamedEnum<PromotionState>.Word(state);
}

/// <param name="Channel"><c>staging</c> or <c>production</c>.</param>
public sealed record PromotionRequest(int Version, string Channel, string Reason) : IChangeRequest;

/// <summary>Approves or rejects a promotion.</summary>
public sealed record Vote(bool Approves, string Reason) : IChangeRequest;
