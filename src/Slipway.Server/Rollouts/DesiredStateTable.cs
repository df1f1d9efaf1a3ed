using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What gateways of a channel shall serve, derived from live versions and running rollouts in the change that changes them.</summary>
internal static class DesiredStateTable
{
    /// <summary>The stored one; before anything was released, a state of revision 0 without models, of the epoch now.</summary>
    public static async Task<DesiredState> FindAsync(Session session, string channel) =>
        await session.FindAsync<string>("SELECT document FROM desired_states WHERE channel = @channel", new { channel }) is { } document
            ? StoredJson.Read(document, RolloutJson.Default.DesiredState)
            : new DesiredState(channel, await Lease.EpochAsync(session, RolloutChanges.DriverLease), 0, DesiredState.DefaultLease, []);

    /// <summary>Which state it is, without the state.</summary>
    public static async Task<(long Epoch, long Revision)> MarkAsync(Session session, string channel) =>
        await session.FindAsync<Mark>("SELECT epoch AS Epoch, revision AS Revision FROM desired_states WHERE channel = @channel", new { channel }) is { } mark
            ? (mark.Epoch, mark.Revision)
            : (await Lease.EpochAsync(session, RolloutChanges.DriverLease), 0);

    /// <summary>Whether a state is still of a server that drove rollouts before.</summary>
    public static async Task<bool> AnyBelowAsync(Session session, long epoch) => await session.FindAsync<long?>("SELECT MIN(epoch) FROM desired_states") < epoch;

    /// <summary>Derives it anew. Its revision grows, and gateways hear of it, only when something is different.</summary>
    /// <param name="epoch">Of the server that drives rollouts now.</param>
    public static async Task DeriveAsync(Session session, string channel, long epoch)
    {
        var before = await FindAsync(session, channel);
        var running = await RolloutTable.ListRunningAsync(session, channel);
        var routes = await WatchedAsync(session, Routes(await LiveVersionTable.ListAsync(session, channel), [.. running.Select(rollout => rollout.State)]));
        var state = before with { Epoch = Math.Max(epoch, before.Epoch), Models = routes };
        var document = Text(state);
        if (document == Text(before))
            return;
        state = state with { Revision = before.Revision + 1 };
        await session.ExecuteAsync(
            """
            INSERT INTO desired_states (channel, epoch, revision, document) VALUES (@Channel, @Epoch, @Revision, @document)
            ON CONFLICT (channel) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision, document = excluded.document
            """,
            new { state.Channel, state.Epoch, state.Revision, document = Text(state) });
    }

    /// <summary>Of every channel, for what changes a model wherever it is served.</summary>
    public static async Task DeriveAllAsync(Session session)
    {
        foreach (var channel in ReleasePlan.ChannelNames)
            await DeriveAsync(session, channel, await Lease.EpochAsync(session, RolloutChanges.DriverLease));
    }

    private static async Task<ImmutableArray<ModelRoute>> WatchedAsync(Session session, ImmutableArray<ModelRoute> routes)
    {
        var watched = ImmutableArray.CreateBuilder<ModelRoute>(routes.Length);
        foreach (var route in routes)
            watched.Add(route with { Monitor = RouteMonitor.Of((await PlanTable.LatestAsync(session, route.Model))?.Plan.Monitor ?? MonitorPlan.Default) });
        return watched.MoveToImmutable();
    }

    private static ImmutableArray<ModelRoute> Routes(ImmutableArray<LiveVersion> live, ImmutableArray<RolloutState> running)
    {
        var byModel = live.ToDictionary(version => version.Model, StringComparer.Ordinal);
        var rollouts = running.ToDictionary(rollout => rollout.Model, StringComparer.Ordinal);
        return
        [
            .. byModel.Keys.Union(rollouts.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(model =>
            {
                var serving = byModel.GetValueOrDefault(model);
                var rollout = rollouts.GetValueOrDefault(model);
                return new ModelRoute(
                    model, serving?.Live, rollout is null ? null : Route(rollout), serving?.Warm is { } warm && warm != rollout?.Candidate ? [warm] : [],
                    rollout is { Kind: RolloutKind.Release } ? rollout.Plan.Guard.Latency?.Limit : serving?.LatencyBudget);
            }),
        ];
    }

    private static RolloutRoute Route(RolloutState s) => new(
        s.Id, s.Candidate, s.Weight, Course.Of(s).IsShadow && (s.PausedIn ?? s.Phase) == RolloutPhase.Stepping, s.WeightRevision, s.Plan.Key, s.Salt);

    private sealed record Mark
    {
        public long Epoch { get; init; }

        public long Revision { get; init; }
    }

    private static string Text(DesiredState state) => StoredJson.Text(state, RolloutJson.Default.DesiredState);
}
