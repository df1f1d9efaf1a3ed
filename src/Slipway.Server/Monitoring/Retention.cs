using Slipway.Server.Captures;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Deletes what is kept no longer, in steps so small that nobody waits for one.</summary>
internal static class Retention
{
    /// <returns>Whether there may be more to delete.</returns>
    public static async Task<bool> PurgeAsync(Session session, long now)
    {
        // Whoever captures nothing any more has no other occasion on which what was captured would go.
        await CaptureTable.PurgeAsync(session, now);
        await TelemetryLosses.PurgeAsync(session, now);
        var moreWindows = await WindowTable.PurgeAsync(session, now);
        return await PredictionTable.PurgeAsync(session, model => WithinAsync(session, model), now) || moreWindows;
    }

    /// <summary>A plan that asks for no labels keeps no predictions.</summary>
    private static async Task<long> WithinAsync(Session session, string model) =>
        (long)((await PlanTable.LatestAsync(session, model))?.Plan.Monitor?.Labels?.Within.Value.TotalMilliseconds ?? 0);
}
