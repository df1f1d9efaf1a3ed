using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What serves a channel of a model.</summary>
/// <param name="Since">Unix milliseconds.</param>
/// <param name="Previous">Where <c>rollback</c> leads when nothing else is said: what the live version replaced when it was released.</param>
/// <param name="Warm">The version before, which gateways keep loaded; null for none.</param>
/// <param name="WarmUntil">Unix milliseconds.</param>
/// <param name="LatencyBudget">Of the plan that the live version was released by.</param>
internal sealed record LiveVersion(
    string Model, string Channel, VersionRef Live, long Since, VersionRef? Previous, VersionRef? Warm, long? WarmUntil, Duration? LatencyBudget);

/// <summary>The one place that says which version of a model is live on a channel: one row each, so never two.</summary>
internal static class LiveVersionTable
{
    private const string Columns =
        "model AS Model, channel AS Channel, live AS Live, since AS Since, previous AS Previous, warm AS Warm, warm_until AS WarmUntil, latency_budget AS LatencyBudget";

    public static async Task<LiveVersion?> FindAsync(Session session, string model, string channel) =>
        await session.FindAsync<Row>($"SELECT {Columns} FROM live_versions WHERE model = @model AND channel = @channel", new { model, channel }) is { } row ? Parse(row) : null;

    public static async Task<ImmutableArray<LiveVersion>> ListAsync(Session session, string channel) =>
        [.. (await session.QueryAsync<Row>($"SELECT {Columns} FROM live_versions WHERE channel = @channel ORDER BY model", new { channel })).Select(Parse)];

    /// <summary>Puts a rollout's candidate in the live version's place.</summary>
    /// <param name="s">The rollout as it is after that.</param>
    public static async Task GoLiveAsync(Session session, RolloutState s, GoLive live)
    {
        var isReturn = s.Kind == RolloutKind.Return;
        var before = isReturn ? await FindBeforeAsync(session, s.Model, s.Channel, live.Version.Number) : null;
        var row = new
        {
            s.Model,
            s.Channel,
            number = (long)live.Version.Number,
            live = Text(live.Version),
            since = s.EndedAt,
            previous = isReturn ? before!.Previous : TextOrNull(s.Stable),
            warm = live.KeepWarmUntil is null ? null : TextOrNull(s.Stable),
            warmUntil = live.KeepWarmUntil,
            budget = isReturn ? before!.LatencyBudget : s.Plan.Guard.Latency is { } latency ? StoredJson.Text(latency.Limit, RolloutJson.Default.Duration) : null,
        };
        await session.ExecuteAsync(
            """
            INSERT INTO live_versions (model, channel, live, since, previous, warm, warm_until, latency_budget)
            VALUES (@Model, @Channel, @live, @since, @previous, @warm, @warmUntil, @budget)
            ON CONFLICT (model, channel) DO UPDATE SET live = excluded.live, since = excluded.since, previous = excluded.previous,
              warm = excluded.warm, warm_until = excluded.warm_until, latency_budget = excluded.latency_budget
            """,
            row);
        await session.ExecuteAsync(
            """
            INSERT INTO live_before (model, channel, number, version, previous, latency_budget) VALUES (@Model, @Channel, @number, @live, @previous, @budget)
            ON CONFLICT (model, channel, number) DO UPDATE SET previous = excluded.previous, latency_budget = excluded.latency_budget
            """,
            row);
    }

    /// <summary>Lets go of versions whose time to be kept warm is over.</summary>
    /// <returns>How many.</returns>
    public static Task<int> CoolAsync(Session session, long now) =>
        session.ExecuteAsync("UPDATE live_versions SET warm = NULL, warm_until = NULL WHERE warm_until <= @now", new { now });

    /// <summary>When the next version is let go of.</summary>
    public static Task<long?> NextCoolingAsync(Session session) => session.FindAsync<long?>("SELECT MIN(warm_until) FROM live_versions");

    /// <returns>Null when it was never live there.</returns>
    public static async Task<VersionRef?> FindFormerAsync(Session session, string model, string channel, int number) =>
        Parse((await FindBeforeAsync(session, model, channel, number))?.Version);

    /// <summary>Numbers of all that were live there, ascending.</summary>
    public static Task<IReadOnlyList<long>> FormerNumbersAsync(Session session, string model, string channel) =>
        session.QueryAsync<long>("SELECT number FROM live_before WHERE model = @model AND channel = @channel ORDER BY number", new { model, channel });

    private static Task<Before?> FindBeforeAsync(Session session, string model, string channel, int number) => session.FindAsync<Before>(
        "SELECT version AS Version, previous AS Previous, latency_budget AS LatencyBudget FROM live_before WHERE model = @model AND channel = @channel AND number = @number",
        new { model, channel, number = (long)number });

    private static LiveVersion Parse(Row row) => new(
        row.Model, row.Channel, Parse(row.Live)!, row.Since, Parse(row.Previous), Parse(row.Warm), row.WarmUntil,
        row.LatencyBudget is null ? null : StoredJson.Read(row.LatencyBudget, RolloutJson.Default.Duration));

    private static VersionRef? Parse(string? version) => version is null ? null : StoredJson.Read(version, RolloutJson.Default.VersionRef);

    private static string Text(VersionRef version) => StoredJson.Text(version, RolloutJson.Default.VersionRef);

    private static string? TextOrNull(VersionRef? version) => version is null ? null : Text(version);

    private sealed record Before
    {
        public string Version { get; init; } = "";

        public string? Previous { get; init; }

        public string? LatencyBudget { get; init; }
    }

    private sealed record Row
    {
        public string Model { get; init; } = "";

        public string Channel { get; init; } = "";

        public string Live { get; init; } = "";

        public long Since { get; init; }

        public string? Previous { get; init; }

        public string? Warm { get; init; }

        public long? WarmUntil { get; init; }

        public string? LatencyBudget { get; init; }
    }
}
