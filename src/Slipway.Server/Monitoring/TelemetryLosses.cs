using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Requests that were counted somewhere and could not be told, by minute: what a page must not pass over in silence.</summary>
internal static class TelemetryLosses
{
    /// <summary>Stands for whatever model it may have been.</summary>
    public const string AnyModel = "";

    private const long Minute = 60_000;

    private static readonly TimeSpan Keep = TimeSpan.FromDays(30);

    public static Task AddAsync(Session session, string channel, string model, long lost, long at) => session.ExecuteAsync(
        """
        INSERT INTO telemetry_losses (channel, model, minute, lost) VALUES (@channel, @model, @minute, @lost)
        ON CONFLICT (channel, model, minute) DO UPDATE SET lost = CASE WHEN telemetry_losses.lost + excluded.lost > @most THEN @most ELSE telemetry_losses.lost + excluded.lost END
        """,
        new { channel, model, minute = WindowLength.Floor(at, Minute), lost = Math.Min(lost, VersionFeature.MostCounted), most = VersionFeature.MostCounted });

    public static async Task<long> SumAsync(Session session, string channel, string model, long from, long to) => Math.Min(VersionFeature.MostCounted, await session.FindAsync<long?>(
        "SELECT CAST(SUM(lost) AS BIGINT) FROM telemetry_losses WHERE channel = @channel AND (model = @model OR model = '') AND minute > @before AND minute < @to",
        new { channel, model, before = from - Minute, to }) ?? 0);

    public static Task PurgeAsync(Session session, long now) =>
        session.ExecuteAsync("DELETE FROM telemetry_losses WHERE minute < @before", new { before = now - (long)Keep.TotalMilliseconds });
}
