using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Monitoring;

/// <summary>Where events are sent to.</summary>
/// <param name="Url">https, or http on the server's own machine.</param>
/// <param name="Model">Whose events; <c>*</c> for all.</param>
/// <param name="Waiting">Deliveries that are still tried.</param>
/// <param name="Dead">Those that were given up: the dead-letter list.</param>
/// <param name="LastError">Of the last try; null where that succeeded.</param>
public sealed record Webhook(string Name, Uri Url, string Model, long AddedAt, string AddedBy, long Waiting, long Dead, string? LastError);

public sealed record WebhookRequest(string Name, Uri Url, string Model, string Reason) : IChangeRequest;

/// <param name="Secret">What signatures are made with, shown this once: <c>whsec_…</c> as Standard Webhooks has it.</param>
public sealed record WebhookAdded(Webhook Webhook, string Secret);

/// <summary>One event for one webhook.</summary>
/// <param name="Id">The event's: the same at every try.</param>
/// <param name="NextAt">When it is tried next, Unix milliseconds; null once it is delivered or dead.</param>
/// <param name="Event">CloudEvents 1.0, structured.</param>
public sealed record WebhookDelivery(string Id, string Webhook, DeliveryState State, int Tries, long At, long? NextAt, string? Error, JsonElement Event);

[JsonConverter(typeof(NamedEnum<DeliveryState>))]
public enum DeliveryState
{
    [JsonStringEnumMemberName("waiting")] Waiting,
    [JsonStringEnumMemberName("delivered")] Delivered,
    [JsonStringEnumMemberName("dead")] Dead,
}
