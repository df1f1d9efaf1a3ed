using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Rollouts;

/// <summary>As <see cref="DocumentJson"/>, for what server and gateways tell each other.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ReleasePlan))]
[JsonSerializable(typeof(ChannelPlan))]
[JsonSerializable(typeof(DesiredState))]
[JsonSerializable(typeof(GatewayReport))]
[JsonSerializable(typeof(EventBatch))]
[JsonSerializable(typeof(RolloutState))]
[JsonSerializable(typeof(EventReceipt))]
[JsonSerializable(typeof(RolloutView))]
[JsonSerializable(typeof(ImmutableArray<RolloutState>))]
[JsonSerializable(typeof(ImmutableArray<HistoryEntry>))]
[JsonSerializable(typeof(ReleaseRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(RolloutCommand))]
[JsonSerializable(typeof(RolloutEvidence))]
[JsonSerializable(typeof(JudgeReport))]
[JsonSerializable(typeof(EvidencePoint))]
public sealed partial class RolloutJson : JsonSerializerContext;
