using System.Security.Cryptography;
using Slipway.Documents.Access;
using Slipway.Documents.Charts;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <summary>Events are put here inside the change that they tell of: both are stored, or neither.</summary>
/// <param name="origin">The server's name in events: its ledger's.</param>
internal sealed class WebhookOutbox(string origin)
{
    private const int IdDigits = 24;

    /// <summary>Makes an event that is now sent to whoever wants it.</summary>
    /// <param name="type">Without its prefix, such as <c>alert.firing</c>.</param>
    public CloudEvent Event(string type, string subject, long at, EventData data) => new(
        "1.0", "evt_" + RandomNumberGenerator.GetHexString(IdDigits, lowercase: true), $"//{origin}/models/{data.Model}/channels/{data.Channel}", CloudEvent.TypePrefix + type, subject,
        TimeText.Iso(at), "application/json", data);

    /// <summary>To every webhook of the event's model.</summary>
    public async Task SendAsync(Session session, long at, CloudEvent happened)
    {
        foreach (var webhook in await WebhookTable.ListAsync(session))
        {
            if (webhook.Model == RoleGrant.AllModels || webhook.Model == happened.Data.Model)
                await SendAsync(session, at, happened, webhook.Name);
        }
    }

    /// <summary>To one webhook, whatever models it is for.</summary>
    public Task SendAsync(Session session, long at, CloudEvent happened, string webhook) =>
        DeliveryTable.AddAsync(session, webhook, happened.Id, at, StoredJson.Text(happened, MonitoringJson.Default.CloudEvent));
}
