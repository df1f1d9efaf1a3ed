using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What happened to every channel of every model, with the evidence at that moment. Entries are added and never changed.</summary>
internal static class ChannelHistory
{
    public static Task AddAsync(Session session, HistoryEntry entry) => session.ExecuteAsync(
        "INSERT INTO channel_history (position, model, channel, rollout, entry) SELECT COALESCE(MAX(position), 0) + 1, @Model, @Channel, @Rollout, @text FROM channel_history",
        new { entry.Model, entry.Channel, entry.Rollout, text = StoredJson.Text(entry, RolloutJson.Default.HistoryEntry) });

    /// <summary>Of every channel of every model that serves something, what happened to it last.</summary>
    public static async Task<ImmutableArray<HistoryEntry>> LatestAsync(Session session) =>
    [
        .. (await session.QueryAsync<string>(
                """
                SELECT entry FROM channel_history WHERE position IN (
                  SELECT (SELECT MAX(h.position) FROM channel_history h WHERE h.model = l.model AND h.channel = l.channel) FROM live_versions l)
                """))
            .Select(entry => StoredJson.Read(entry, RolloutJson.Default.HistoryEntry)),
    ];

    /// <summary>Of every channel of every model that serves something, how a version came to serve it last.</summary>
    public static async Task<ImmutableArray<HistoryEntry>> LatestArrivalsAsync(Session session) =>
    [
        // What people write has its quotes escaped, so that these words are an entry's own.
        .. (await session.QueryAsync<string>(
                """
                SELECT entry FROM channel_history WHERE position IN (
                  SELECT (
                    SELECT h.position FROM channel_history h
                    WHERE h.model = l.model AND h.channel = l.channel AND (h.entry LIKE '%"action":"rollout.promoted"%' OR h.entry LIKE '%"action":"rollout.returned"%')
                    ORDER BY h.position DESC LIMIT 1)
                  FROM live_versions l)
                """))
            .Select(entry => StoredJson.Read(entry, RolloutJson.Default.HistoryEntry)),
    ];

    /// <summary>Newest first.</summary>
    /// <param name="channel">Null for all.</param>
    public static async Task<ImmutableArray<HistoryEntry>> ListAsync(Session session, string model, string? channel, int limit) =>
    [
        .. (await session.QueryAsync<string>(
                $"SELECT entry FROM channel_history WHERE model = @model{(channel is null ? "" : " AND channel = @channel")} ORDER BY position DESC LIMIT @limit",
                new { model, channel, limit }))
            .Select(entry => StoredJson.Read(entry, RolloutJson.Default.HistoryEntry)),
    ];

    /// <summary>Of one rollout, newest first.</summary>
    public static async Task<ImmutableArray<HistoryEntry>> OfRolloutAsync(Session session, string rollout, int limit) =>
    [
        .. (await session.QueryAsync<string>("SELECT entry FROM channel_history WHERE rollout = @rollout ORDER BY position DESC LIMIT @limit", new { rollout, limit }))
            .Select(entry => StoredJson.Read(entry, RolloutJson.Default.HistoryEntry)),
    ];
}
