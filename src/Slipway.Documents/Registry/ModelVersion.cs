using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Registry;

/// <summary>A registered version: immutable once written.</summary>
/// <param name="Gates">The server's own judgement, from the sealed evaluation.</param>
/// <param name="SignedBy">Ids of the keys whose statements about the bundle verified.</param>
/// <param name="PushedBy">Principal's id.</param>
/// <param name="RegisteredAt">Unix milliseconds.</param>
public sealed record ModelVersion(
    string Model,
    int Number,
    Digest Bundle,
    Digest Plan,
    GateReport Gates,
    ImmutableArray<string> SignedBy,
    string PushedBy,
    string PushedByName,
    long RegisteredAt,
    string Reason);

/// <summary>A version with the evidence that is sealed in its bundle.</summary>
public sealed record ModelVersionDetail(ModelVersion Version, ReleasePlan Plan, Evaluation? Evaluation, LineageGraph Lineage);

/// <summary>Asks that a version may go to a channel.</summary>
/// <param name="Required">What policy and plan together want.</param>
/// <param name="Missing">What still lacks, as sentences; empty when approved.</param>
public sealed record Promotion(
    string Id,
    string Model,
    int Version,
    Digest Bundle,
    string Channel,
    PromotionState State,
    ImmutableArray<ApprovalRule> Required,
    ImmutableArray<Approval> Approvals,
    ImmutableArray<string> Missing,
    string RequestedBy,
    string RequestedByName,
    long RequestedAt,
    string Reason);

/// <param name="Groups">The approver's groups at that moment.</param>
public sealed record Approval(string By, string ByName, ImmutableArray<string> Groups, bool Approves, long At, string Reason);

[JsonConverter(typeof(JsonStringEnumConverter<PromotionState>))]
public enum PromotionState
{
    [JsonStringEnumMemberName("waiting")] Waiting,
    [JsonStringEnumMemberName("approved")] Approved,
    [JsonStringEnumMemberName("rejected")] Rejected,
}

/// <summary>What a channel of a model serves, and what it served before.</summary>
/// <param name="Rollout">Id of the running one; null for none.</param>
public sealed record ChannelState(string Model, string Channel, VersionRef? Live, long? LiveSince, VersionRef? Previous, string? Rollout);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelVersion))]
[JsonSerializable(typeof(ImmutableArray<ModelVersion>))]
[JsonSerializable(typeof(ModelVersionDetail))]
[JsonSerializable(typeof(Promotion))]
[JsonSerializable(typeof(ImmutableArray<Promotion>))]
[JsonSerializable(typeof(ChannelState))]
[JsonSerializable(typeof(ImmutableArray<ChannelState>))]
[JsonSerializable(typeof(BundleContents))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class RegistryJson : JsonSerializerContext;
