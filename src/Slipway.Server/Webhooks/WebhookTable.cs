using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <param name="SecretId">What its secret is derived by.</param>
/// <param name="KeyId">Of the key that it is derived from.</param>
/// <param name="Failures">In a row.</param>
/// <param name="NextAt">Nothing of it is tried before; Unix milliseconds.</param>
internal sealed record StoredWebhook
{
    public required string Name { get; init; }

    public required string SecretId { get; init; }

    public required string KeyId { get; init; }

    public required string Url { get; init; }

    public required string Model { get; init; }

    public required long AddedAt { get; init; }

    public required string AddedBy { get; init; }

    public long Failures { get; init; }

    public long NextAt { get; init; }

    public string? LastError { get; init; }

    public long Dropped { get; init; }
}

/// <summary>The webhooks there are.</summary>
internal static class WebhookTable
{
    private const string Columns =
        "name AS Name, secret_id AS SecretId, key_id AS KeyId, url AS Url, model AS Model, added_at AS AddedAt, added_by AS AddedBy, failures AS Failures, next_at AS NextAt, last_error AS LastError, dropped AS Dropped";

    public static async Task<ImmutableArray<StoredWebhook>> ListAsync(Session session) =>
        [.. await session.QueryAsync<StoredWebhook>($"SELECT {Columns} FROM webhooks ORDER BY name")];

    public static Task<StoredWebhook?> FindAsync(Session session, string name) =>
        session.FindAsync<StoredWebhook>($"SELECT {Columns} FROM webhooks WHERE name = @name", new { name });

    public static Task AddAsync(Session session, StoredWebhook webhook) => session.ExecuteAsync(
        """
        INSERT INTO webhooks (name, secret_id, key_id, url, model, added_at, added_by, failures, next_at)
        VALUES (@Name, @SecretId, @KeyId, @Url, @Model, @AddedAt, @AddedBy, 0, 0)
        """,
        webhook);

    public static async Task RemoveAsync(Session session, string name)
    {
        await session.ExecuteAsync("DELETE FROM webhook_deliveries WHERE webhook = @name", new { name });
        await session.ExecuteAsync("DELETE FROM webhooks WHERE name = @name", new { name });
    }

    /// <param name="error">Null where the last try succeeded.</param>
    public static Task SaveStandingAsync(Session session, string name, long failures, long nextAt, string? error) =>
        session.ExecuteAsync("UPDATE webhooks SET failures = @failures, next_at = @nextAt, last_error = @error WHERE name = @name", new { name, failures, nextAt, error });

    public static async Task<Webhook> ViewAsync(Session session, StoredWebhook webhook)
    {
        var waiting = await DeliveryTable.CountAsync(session, webhook.Name, DeliveryState.Waiting);
        return new(
            webhook.Name, new Uri(webhook.Url), webhook.Model, webhook.AddedAt, webhook.AddedBy,
            waiting, await DeliveryTable.CountAsync(session, webhook.Name, DeliveryState.Dead), webhook.Dropped, webhook.LastError, waiting == 0 ? null : webhook.NextAt);
    }
}
