using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Deletes what is kept no longer, in steps so small that nobody waits for one.</summary>
internal static class Retention
{
    /// <returns>Whether there may be more to delete.</returns>
    public static async Task<bool> PurgeAsync(Session session, long now)
    {
        await TelemetryLosses.PurgeAsync(session, now);
        return await WindowTable.PurgeAsync(session, now);
    }
}
