using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What was taken in of every gateway's boots, and what their latest batches said of their hosts.</summary>
internal static class TelemetrySources
{
    /// <summary>Gateways of one channel: more are refused, so that a caller who makes up names fills no disk.</summary>
    private const int MostGateways = 1_000;

    /// <summary>Boots of one gateway that are remembered, the newest ones: a repeat comes from one that lives, or just died.</summary>
    private const int MostBoots = 20;

    /// <summary>A gateway that was not heard of for so long is forgotten.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(7);

    /// <returns>0 for a boot that nothing was taken in of.</returns>
    /// <exception cref="ApiProblem">It told of another channel before (409): whose name and boot they are is known there, and who borrows them here would silence it.</exception>
    public static async Task<long> TakenAsync(Session session, string channel, string gateway, string boot)
    {
        if (await session.FindAsync<string>("SELECT channel FROM telemetry_sources WHERE gateway = @gateway AND boot = @boot", new { gateway, boot }) is { } other && other != channel)
            throw ApiProblem.Conflict("boot-elsewhere", $"this boot of {gateway} told of {other} before, and a boot tells of one channel", "start the gateway again: each start is a boot of its own");
        return await session.FindAsync<long?>("SELECT taken FROM telemetry_sources WHERE gateway = @gateway AND boot = @boot", new { gateway, boot }) ?? 0;
    }

    /// <summary>Makes room for a boot that is not known yet.</summary>
    /// <exception cref="ApiProblem">There are too many gateways (429).</exception>
    public static async Task AdmitAsync(Session session, string channel, string gateway, long now)
    {
        await session.ExecuteAsync("DELETE FROM telemetry_sources WHERE channel = @channel AND at < @before", new { channel, before = now - (long)Forgotten.TotalMilliseconds });
        if (await session.FindAsync<long>("SELECT COUNT(DISTINCT gateway) FROM telemetry_sources WHERE channel = @channel AND gateway <> @gateway", new { channel, gateway }) >= MostGateways)
            throw new ApiProblem(StatusCodes.Status429TooManyRequests, new Fault("too-many-gateways", $"{MostGateways} gateways of {channel} have told of themselves within {Forgotten.TotalDays:0} days, which is as many as there may be", Help: "give each gateway a name that stays the same over restarts"));
        var boots = await session.QueryAsync<string>("SELECT boot FROM telemetry_sources WHERE channel = @channel AND gateway = @gateway ORDER BY at DESC, boot LIMIT 1000", new { channel, gateway });
        foreach (var boot in boots.Skip(MostBoots - 1))
            await session.ExecuteAsync("DELETE FROM telemetry_sources WHERE channel = @channel AND gateway = @gateway AND boot = @boot", new { channel, gateway, boot });
    }

    public static Task StoreAsync(Session session, TelemetryBatch batch, long taken, long? clockOff, long now) => session.ExecuteAsync(
        """
        INSERT INTO telemetry_sources (gateway, boot, channel, taken, at, clock_off, load) VALUES (@Gateway, @Boot, @Channel, @taken, @now, @clockOff, @load)
        ON CONFLICT (gateway, boot) DO UPDATE SET channel = excluded.channel, taken = excluded.taken, at = excluded.at, clock_off = excluded.clock_off, load = excluded.load
        """,
        new { batch.Gateway, batch.Boot, batch.Channel, taken, now, clockOff, load = StoredJson.Text(batch.Load, MonitoringJson.Default.HostLoad) });

    /// <summary>The latest word of every gateway of a channel, by name.</summary>
    public static async Task<ImmutableArray<GatewayLoad>> LoadsAsync(Session session, string channel) =>
    [
        .. (await session.QueryAsync<Row>(
                "SELECT gateway AS Gateway, at AS At, clock_off AS ClockOff, load AS Load FROM telemetry_sources WHERE channel = @channel ORDER BY at DESC", new { channel }))
            .DistinctBy(row => row.Gateway)
            .OrderBy(row => row.Gateway, StringComparer.Ordinal)
            .Select(row => new GatewayLoad(row.Gateway, row.At, StoredJson.Read(row.Load, MonitoringJson.Default.HostLoad), row.ClockOff)),
    ];

    private sealed record Row
    {
        public string Gateway { get; init; } = "";

        public long At { get; init; }

        public long? ClockOff { get; init; }

        public string Load { get; init; } = "";
    }
}
