using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Monitoring;

/// <summary>As <see cref="DocumentJson"/>, for monitoring.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ReferenceProfile))]
[JsonSerializable(typeof(TelemetryBatch))]
[JsonSerializable(typeof(TelemetryReceipt))]
[JsonSerializable(typeof(MonitorPlan))]
[JsonSerializable(typeof(MonitoringView))]
[JsonSerializable(typeof(PredictionLabel))]
[JsonSerializable(typeof(LabelReceipt))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(ImmutableArray<Alert>))]
[JsonSerializable(typeof(Webhook))]
[JsonSerializable(typeof(ImmutableArray<Webhook>))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(WebhookAdded))]
[JsonSerializable(typeof(ImmutableArray<WebhookDelivery>))]
[JsonSerializable(typeof(WebhookRemoval))]
[JsonSerializable(typeof(WebhookRetry))]
[JsonSerializable(typeof(CloudEvent))]
[JsonSerializable(typeof(Retraining))]
[JsonSerializable(typeof(ImmutableArray<Retraining>))]
[JsonSerializable(typeof(RetrainRun))]
public sealed partial class MonitoringJson : JsonSerializerContext;
