using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <param name="Event">The exact body.</param>
internal sealed record StoredDelivery
{
    public long Position { get; init; }

    public string Webhook { get; init; } = "";

    public string Id { get; init; } = "";

    public string State { get; init; } = "";

    public long Tries { get; init; }

    public long At { get; init; }

    public string? Error { get; init; }

    public string Event { get; init; } = "";
}

/// <summary>Events on their way. What waits is never dropped; what was given up, and what was delivered, is kept as far as there is room.</summary>
internal static class DeliveryTable
{
    /// <summary>Of one webhook that wait, some 2 KiB each: more go to the dead ones at once, to be tried again by hand.</summary>
    public const long MostWaiting = 10_000;

    /// <summary>Of one webhook: the oldest go first, and are counted with the webhook.</summary>
    public const long MostDead = 10_000;

    /// <summary>Of one webhook, to look at.</summary>
    private const long MostDelivered = 100;

    private const string Columns = "position AS Position, webhook AS Webhook, id AS Id, state AS State, tries AS Tries, at AS At, error AS Error, event AS Event";

    public static async Task AddAsync(Session session, string webhook, string id, long at, string text)
    {
        var isFull = await CountAsync(session, webhook, DeliveryState.Waiting) >= MostWaiting;
        await session.ExecuteAsync(
            """
            INSERT INTO webhook_deliveries (position, webhook, id, state, tries, at, error, event)
            SELECT COALESCE(MAX(position), 0) + 1, @webhook, @id, @state, 0, @at, @error, @text FROM webhook_deliveries
            """,
            new { webhook, id, at, text, state = (isFull ? DeliveryState.Dead : DeliveryState.Waiting).Word(), error = isFull ? $"{MostWaiting} others waited already" : null });
        if (isFull)
            await BuryAsync(session, webhook);
    }

    /// <summary>The oldest that waits, of every webhook.</summary>
    public static async Task<ImmutableArray<StoredDelivery>> HeadsAsync(Session session) =>
    [
        .. await session.QueryAsync<StoredDelivery>(
            $"SELECT {Columns} FROM webhook_deliveries WHERE position IN (SELECT MIN(position) FROM webhook_deliveries WHERE state = @waiting GROUP BY webhook)", new { waiting = DeliveryState.Waiting.Word() }),
    ];

    public static Task<StoredDelivery?> FindAsync(Session session, long position) =>
        session.FindAsync<StoredDelivery>($"SELECT {Columns} FROM webhook_deliveries WHERE position = @position", new { position });

    /// <summary>Newest first.</summary>
    public static async Task<ImmutableArray<StoredDelivery>> ListAsync(Session session, string webhook, DeliveryState state, int limit) =>
    [
        .. await session.QueryAsync<StoredDelivery>(
            $"SELECT {Columns} FROM webhook_deliveries WHERE webhook = @webhook AND state = @state ORDER BY position DESC LIMIT @limit", new { webhook, state = state.Word(), limit = (long)limit }),
    ];

    public static Task<long> CountAsync(Session session, string webhook, DeliveryState state) =>
        session.FindAsync<long>("SELECT COUNT(*) FROM webhook_deliveries WHERE webhook = @webhook AND state = @state", new { webhook, state = state.Word() });

    public static async Task SaveAsync(Session session, StoredDelivery delivery)
    {
        await session.ExecuteAsync("UPDATE webhook_deliveries SET state = @State, tries = @Tries, error = @Error WHERE position = @Position", delivery);
        if (delivery.State == DeliveryState.Delivered.Word())
            await KeepAsync(session, delivery.Webhook, DeliveryState.Delivered, MostDelivered);
        else if (delivery.State == DeliveryState.Dead.Word())
            await BuryAsync(session, delivery.Webhook);
    }

    /// <summary>Lets dead ones wait again, as if they were made now.</summary>
    /// <param name="id">Null for all.</param>
    /// <returns>How many.</returns>
    public static Task<int> ReviveAsync(Session session, string webhook, string? id, long now) => session.ExecuteAsync(
        $"UPDATE webhook_deliveries SET state = @waiting, tries = 0, at = @now, error = NULL WHERE webhook = @webhook AND state = @dead{(id is null ? "" : " AND id = @id")}",
        new { webhook, id, now, waiting = DeliveryState.Waiting.Word(), dead = DeliveryState.Dead.Word() });

    public static WebhookDelivery View(StoredDelivery delivery, StoredWebhook webhook)
    {
        var state = Enum.GetValues<DeliveryState>().Single(state => state.Word() == delivery.State);
        return new(
            delivery.Id, delivery.Webhook, state, (int)delivery.Tries, delivery.At, state == DeliveryState.Waiting ? Math.Max(webhook.NextAt, delivery.At) : null, delivery.Error,
            JsonSerializer.Deserialize<JsonElement>(delivery.Event));
    }

    private static async Task BuryAsync(Session session, string webhook)
    {
        if (await KeepAsync(session, webhook, DeliveryState.Dead, MostDead) is > 0 and var dropped)
            await session.ExecuteAsync("UPDATE webhooks SET dropped = dropped + @dropped WHERE name = @webhook", new { webhook, dropped = (long)dropped });
    }

    private static Task<int> KeepAsync(Session session, string webhook, DeliveryState state, long most) => session.ExecuteAsync(
        """
        DELETE FROM webhook_deliveries WHERE webhook = @webhook AND state = @state AND position <=
          (SELECT position FROM webhook_deliveries WHERE webhook = @webhook AND state = @state ORDER BY position DESC LIMIT 1 OFFSET @most)
        """,
        new { webhook, state = state.Word(), most });
}
