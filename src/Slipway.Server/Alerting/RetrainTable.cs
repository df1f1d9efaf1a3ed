using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>A start that is carried out by this server or another.</summary>
/// <param name="Event">What the command is told, exactly.</param>
internal sealed record StartedRun(string Model, string Channel, string Rule, RetrainRun Run, string Event);

/// <summary>Retraining rules as they stand, and what they started.</summary>
internal static class RetrainTable
{
    private const string Columns = "model AS Model, channel AS Channel, rule AS Rule, event AS Event, document AS Document";

    /// <summary>Of one rule; the oldest go.</summary>
    private const int MostRuns = 1_000;

    /// <param name="model">Null for all.</param>
    public static async Task<ImmutableArray<Retraining>> ListAsync(Session session, string? model = null) =>
    [
        .. (await session.QueryAsync<string>($"SELECT document FROM retrainings{(model is null ? "" : " WHERE model = @model")} ORDER BY model, channel, name", new { model }))
            .Select(document => StoredJson.Read(document, MonitoringJson.Default.Retraining)),
    ];

    public static Task SaveAsync(Session session, Retraining state) => session.ExecuteAsync(
        "INSERT INTO retrainings (model, channel, name, document) VALUES (@Model, @Channel, @Name, @document) ON CONFLICT (model, channel, name) DO UPDATE SET document = excluded.document",
        new { state.Model, state.Channel, state.Rule.Name, document = StoredJson.Text(state with { Runs = [] }, MonitoringJson.Default.Retraining) });

    public static Task RemoveAsync(Session session, Retraining state) => session.ExecuteAsync(
        "DELETE FROM retrainings WHERE model = @Model AND channel = @Channel AND name = @Name", new { state.Model, state.Channel, state.Rule.Name });

    /// <summary>Of a rule, newest first.</summary>
    /// <param name="starts">A trigger: with the runs of other rules of the channel that started it, under whatever name they are gone. Null for the rule's alone.</param>
    public static async Task<ImmutableArray<RetrainRun>> RunsAsync(Session session, string model, string channel, string rule, int limit, string? starts = null) =>
    [
        .. (await session.QueryAsync<string>(
                $"SELECT document FROM retrain_runs WHERE model = @model AND channel = @channel AND (rule = @rule{(starts is null ? "" : " OR starts = @starts")}) ORDER BY started_at DESC, id LIMIT @limit", new { model, channel, rule, starts, limit = (long)limit }))
            .Select(document => StoredJson.Read(document, MonitoringJson.Default.RetrainRun)),
    ];

    public static async Task AddRunAsync(Session session, StartedRun started, long epoch)
    {
        await session.ExecuteAsync(
            "INSERT INTO retrain_runs (id, model, channel, rule, started_at, running, epoch, event, document, starts) VALUES (@Id, @Model, @Channel, @Rule, @StartedAt, @running, @epoch, @Event, @document, @Trigger)",
            new
            {
                started.Run.Id,
                started.Model,
                started.Channel,
                started.Rule,
                started.Run.StartedAt,
                started.Run.Trigger,
                running = started.Run.Outcome == RetrainOutcome.Running ? 1L : 0L,
                epoch,
                started.Event,
                document = StoredJson.Text(started.Run, MonitoringJson.Default.RetrainRun),
            });
        await session.ExecuteAsync(
            """
            DELETE FROM retrain_runs WHERE model = @Model AND channel = @Channel AND rule = @Rule AND running = 0 AND started_at <
              (SELECT started_at FROM retrain_runs WHERE model = @Model AND channel = @Channel AND rule = @Rule ORDER BY started_at DESC LIMIT 1 OFFSET @most)
            """,
            new { started.Model, started.Channel, started.Rule, most = (long)MostRuns });
    }

    /// <summary>What runs, oldest first.</summary>
    /// <param name="epoch">Started under this one, or else under another.</param>
    public static async Task<ImmutableArray<StartedRun>> RunningAsync(Session session, long epoch, bool under) =>
    [
        .. (await session.QueryAsync<Row>($"SELECT {Columns} FROM retrain_runs WHERE running = 1 AND epoch {(under ? "=" : "<>")} @epoch ORDER BY started_at, id", new { epoch }))
            .Select(row => new StartedRun(row.Model, row.Channel, row.Rule, StoredJson.Read(row.Document, MonitoringJson.Default.RetrainRun), row.Event)),
    ];

    /// <returns>False when it has ended already.</returns>
    public static async Task<bool> EndAsync(Session session, RetrainRun run) => await session.ExecuteAsync(
        "UPDATE retrain_runs SET running = 0, document = @document WHERE id = @Id AND running = 1", new { run.Id, document = StoredJson.Text(run, MonitoringJson.Default.RetrainRun) }) > 0;

    private sealed record Row
    {
        public string Model { get; init; } = "";

        public string Channel { get; init; } = "";

        public string Rule { get; init; } = "";

        public string Event { get; init; } = "";

        public string Document { get; init; } = "";
    }
}
