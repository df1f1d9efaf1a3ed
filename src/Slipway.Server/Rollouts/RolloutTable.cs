using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>A rollout as it is stored.</summary>
/// <param name="Report">The latest judgement.</param>
/// <param name="Fold">What of its events is folded in; null before the first.</param>
internal sealed record StoredRollout(RolloutState State, JudgeReport? Report, string? Fold);

/// <summary>The stored rollouts: at most one that runs by model and channel, which the schema holds to as well.</summary>
internal static class RolloutTable
{
    private const string Columns = "state AS State, report AS Report, fold AS Fold";

    public static async Task<StoredRollout?> FindAsync(Session session, string id) =>
        Parse(await session.FindAsync<Row>($"SELECT {Columns} FROM rollouts WHERE id = @id", new { id }));

    public static async Task<StoredRollout?> FindRunningAsync(Session session, string model, string channel) =>
        Parse(await session.FindAsync<Row>($"SELECT {Columns} FROM rollouts WHERE model = @model AND channel = @channel AND running = 1", new { model, channel }));

    /// <param name="channel">Null for all.</param>
    public static async Task<ImmutableArray<StoredRollout>> ListRunningAsync(Session session, string? channel = null) =>
        [.. (await session.QueryAsync<Row>($"SELECT {Columns} FROM rollouts WHERE running = 1{(channel is null ? "" : " AND channel = @channel")} ORDER BY id", new { channel })).Select(row => Parse(row)!)];

    /// <summary>Of a model's channel, newest first.</summary>
    public static async Task<ImmutableArray<RolloutState>> ListAsync(Session session, string model, string channel, int limit) =>
        [.. (await session.QueryAsync<string>("SELECT state FROM rollouts WHERE model = @model AND channel = @channel ORDER BY started_at DESC, id LIMIT @limit", new { model, channel, limit })).Select(Parse)];

    public static Task AddAsync(Session session, RolloutState state) => session.ExecuteAsync(
        "INSERT INTO rollouts (id, model, channel, running, started_at, state) VALUES (@Id, @Model, @Channel, 1, @StartedAt, @state)",
        new { state.Id, state.Model, state.Channel, state.StartedAt, state = Text(state) });

    public static Task SaveAsync(Session session, RolloutState state) => session.ExecuteAsync(
        // What is over is judged no more: how far its events were folded is of no use.
        $"UPDATE rollouts SET state = @state, running = @running{(state.IsOver ? ", fold = NULL" : "")} WHERE id = @Id",
        new { state.Id, state = Text(state), running = state.IsOver ? 0L : 1L });

    /// <param name="fold">Null for what is over.</param>
    public static Task SaveEvidenceAsync(Session session, string id, string? fold, JudgeReport? report) => session.ExecuteAsync(
        "UPDATE rollouts SET fold = @fold, report = @report WHERE id = @id",
        new { id, fold, report = report is null ? null : StoredJson.Text(report, RolloutJson.Default.JudgeReport) });

    private static StoredRollout? Parse(Row? row) =>
        row is null ? null : new(Parse(row.State), row.Report is null ? null : StoredJson.Read(row.Report, RolloutJson.Default.JudgeReport), row.Fold);

    private static RolloutState Parse(string state) => StoredJson.Read(state, RolloutJson.Default.RolloutState);

    private static string Text(RolloutState state) => StoredJson.Text(state, RolloutJson.Default.RolloutState);

    private sealed record Row
    {
        public string State { get; init; } = "";

        public string? Report { get; init; }

        public string? Fold { get; init; }
    }
}
