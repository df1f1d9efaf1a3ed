using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What happened to every channel of every model, with the evidence at that moment. Entries are added and never changed.</summary>
internal static class ChannelHistory
{
    public static Task AddAsync(Session session, HistoryEntry entry) => session.ExecuteAsync(
        "INSERT INTO channel_history (position, model, channel, entry) SELECT COALESCE(MAX(position), 0) + 1, @Model, @Channel, @text FROM channel_history",
        new { entry.Model, entry.Channel, text = StoredJson.Text(entry, RolloutJson.Default.HistoryEntry) });

    /// <summary>Newest first.</summary>
    /// <param name="channel">Null for all.</param>
    public static async Task<ImmutableArray<HistoryEntry>> ListAsync(Session session, string model, string? channel, int limit) =>
    [
        .. (await session.QueryAsync<string>(
                $"SELECT entry FROM channel_history WHERE model = @model{(channel is null ? "" : " AND channel = @channel")} ORDER BY position DESC LIMIT @limit",
                new { model, channel, limit }))
            .Select(entry => StoredJson.Read(entry, RolloutJson.Default.HistoryEntry)),
    ];
}
