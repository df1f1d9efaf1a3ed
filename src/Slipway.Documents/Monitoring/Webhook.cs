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
/// <param name="Dropped">Dead letters that had to go since the webhook was added, because there was no room for more.</param>
/// <param name="NextAt">When the next of those that wait is tried, at the earliest; Unix milliseconds; null where none waits.</param>
public sealed record Webhook(string Name, Uri Url, string Model, long AddedAt, string AddedBy, long Waiting, long Dead, long Dropped, string? LastError, long? NextAt);

public sealed record WebhookRequest(string Name, Uri Url, string Model, string Reason) : IChangeRequest;

/// <summary>Removes a webhook, with what waits for it.</summary>
public sealed record WebhookRemoval(string Reason) : IChangeRequest;

/// <summary>Tries dead deliveries again.</summary>
/// <param name="Id">One event's; null for all of the webhook's.</param>
public sealed record WebhookRetry(string Reason, string? Id = null) : IChangeRequest;

/// <param name="Secret">What signatures are made with, shown this once: <c>whsec_…</c> as Standard Webhooks has it.</param>
public sealed record WebhookAdded(Webhook Webhook, string Secret);

/// <summary>One event for one webhook. Events are delivered in their order, one at a time.</summary>
/// <param name="Id">The event's: the same at every try.</param>
/// <param name="At">When it was made; of one that is tried again by hand, when that was ordered. Unix milliseconds.</param>
/// <param name="NextAt">When it is tried next, at the earliest; Unix milliseconds; null once it is delivered or dead.</param>
/// <param name="Event">CloudEvents 1.0, structured.</param>
public sealed record WebhookDelivery(string Id, string Webhook, DeliveryState State, int Tries, long At, long? NextAt, string? Error, JsonElement Event);

[JsonConverter(typeof(NamedEnum<DeliveryState>))]
public enum DeliveryState
{
    [JsonStringEnumMemberName("waiting")] Waiting,
    [JsonStringEnumMemberName("delivered")] Delivered,
    [JsonStringEnumMemberName("dead")] Dead,
}

public static class DeliveryStateWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this DeliveryState state) => NamedEnum<DeliveryState>.Word(state);
}
