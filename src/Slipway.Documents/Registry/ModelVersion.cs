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
/// <param name="Plan">Digest of the model's release plan when it was registered.</param>
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

/// <summary>A version with the evidence that is sealed in its bundle, and what is known of it now.</summary>
/// <param name="Plan">The model's release plan as it is now: what a promotion that is asked for now would go by.</param>
/// <param name="Signers">Every key whose word about the bundle was believed when it was registered, and what is thought of it now.</param>
/// <param name="LiveOn">Channels that this version is live on.</param>
public sealed record ModelVersionDetail(
    ModelVersion Version, ReleasePlan Plan, Evaluation? Evaluation, LineageGraph Lineage, ImmutableArray<SignerStatus> Signers, ImmutableArray<string> LiveOn);

/// <param name="Key">The key's id, 64 hex digits.</param>
/// <param name="Name">As the server's list of trusted keys calls it.</param>
/// <param name="Owner">Principal's id; null for nobody's.</param>
/// <param name="Said">Predicate types that it signed about this bundle.</param>
/// <param name="RevokedAt">Null while it is trusted; Unix milliseconds.</param>
public sealed record SignerStatus(string Key, string? Name, string? Owner, ImmutableArray<string> Said, long? RevokedAt, string? RevokedBecause);

/// <summary>What the server has of a model.</summary>
/// <param name="Versions">How many there are.</param>
public sealed record ModelSummary(string Model, int Versions, ModelVersion Latest, ImmutableArray<ChannelState> Channels);

/// <summary>What a channel of a model serves, and what it served before.</summary>
/// <param name="Rollout">Id of the running one; null for none.</param>
public sealed record ChannelState(string Model, string Channel, VersionRef? Live, long? LiveSince, VersionRef? Previous, string? Rollout);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelVersion))]
[JsonSerializable(typeof(ImmutableArray<ModelVersion>))]
[JsonSerializable(typeof(ModelVersionDetail))]
[JsonSerializable(typeof(ModelSummary))]
[JsonSerializable(typeof(ImmutableArray<ModelSummary>))]
[JsonSerializable(typeof(VersionPush))]
[JsonSerializable(typeof(VersionRegistration))]
[JsonSerializable(typeof(PlanVersion))]
[JsonSerializable(typeof(ImmutableArray<PlanVersion>))]
[JsonSerializable(typeof(PlanRequest))]
[JsonSerializable(typeof(PromotionRequest))]
[JsonSerializable(typeof(Vote))]
[JsonSerializable(typeof(SealedEvidence))]
[JsonSerializable(typeof(SealedCard))]
[JsonSerializable(typeof(SealedProfile))]
[JsonSerializable(typeof(Promotion))]
[JsonSerializable(typeof(ImmutableArray<Promotion>))]
[JsonSerializable(typeof(ChannelState))]
[JsonSerializable(typeof(ImmutableArray<ChannelState>))]
[JsonSerializable(typeof(BundleContents))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(ImmutableArray<string>))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class RegistryJson : JsonSerializerContext;
