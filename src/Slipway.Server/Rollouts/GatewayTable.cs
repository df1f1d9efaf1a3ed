using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>A gateway by its latest report.</summary>
/// <param name="SeenAt">When that came, by the clock of the server that took it in; Unix milliseconds.</param>
internal sealed record SeenGateway(GatewayReport Report, long SeenAt)
{
    /// <summary>A gateway reports at least every 10 s: three reports missed, and it is lost.</summary>
    public static TimeSpan LiveFor { get; } = TimeSpan.FromSeconds(30);

    /// <remarks>A report from the future is one from before the clock stepped back: it says nothing of now.</remarks>
    public bool IsLive(long now) => Math.Abs(now - SeenAt) <= LiveFor.TotalMilliseconds;
}

/// <summary>The latest report of every gateway, where every server of the database sees it.</summary>
internal static class GatewayTable
{
    /// <summary>Gateways of one channel: more are refused, so that a caller who makes up names fills no disk.</summary>
    private const int Most = 1_000;

    /// <summary>After that a gateway that was not heard of is forgotten.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(7);

    /// <summary>A gateway's name is its principal's: another who uses it could say in its place what is served, and what went wrong.</summary>
    /// <exception cref="ApiProblem">A live gateway of another principal has the name (409).</exception>
    public static async Task RequireOwnAsync(Session session, string channel, string gateway, string principal, long now)
    {
        var oldest = now - (long)SeenGateway.LiveFor.TotalMilliseconds;
        if (await session.FindAsync<long>("SELECT COUNT(*) FROM gateways WHERE channel = @channel AND gateway = @gateway AND principal <> @principal AND seen_at > @oldest", new { channel, gateway, principal, oldest }) > 0)
            throw ApiProblem.Conflict("gateway-name-taken", $"a live gateway of {channel} is named {gateway}, and reports with another principal's token", "give this gateway another name, with --name");
    }

    /// <param name="principal">Who reports; see <see cref="RequireOwnAsync"/>.</param>
    /// <exception cref="ApiProblem">There are too many (429).</exception>
    public static async Task TakeInAsync(Session session, GatewayReport report, string principal, long now)
    {
        await session.ExecuteAsync("DELETE FROM gateways WHERE channel = @Channel AND seen_at < @before", new { report.Channel, before = now - (long)Forgotten.TotalMilliseconds });
        if (await session.FindAsync<long>("SELECT COUNT(*) FROM gateways WHERE channel = @Channel AND gateway <> @Gateway", new { report.Channel, report.Gateway }) >= Most)
            throw new ApiProblem(StatusCodes.Status429TooManyRequests, new Fault("too-many-gateways", $"{Most} gateways of {report.Channel} have reported within {Forgotten.TotalDays:0} days, which is as many as there may be", Help: "give each gateway a name that stays the same over restarts"));
        await session.ExecuteAsync(
            """
            INSERT INTO gateways (channel, gateway, principal, seen_at, report) VALUES (@Channel, @Gateway, @principal, @now, @document)
            ON CONFLICT (channel, gateway) DO UPDATE SET principal = excluded.principal, seen_at = excluded.seen_at, report = excluded.report
            """,
            new { report.Channel, report.Gateway, principal, now, document = StoredJson.Text(report, RolloutJson.Default.GatewayReport) });
    }

    /// <summary>Of a channel, by name.</summary>
    public static async Task<ImmutableArray<SeenGateway>> ListAsync(Session session, string channel) =>
    [
        .. (await session.QueryAsync<Row>("SELECT seen_at AS SeenAt, report AS Report FROM gateways WHERE channel = @channel ORDER BY gateway", new { channel }))
            .Select(row => new SeenGateway(StoredJson.Read(row.Report, RolloutJson.Default.GatewayReport), row.SeenAt)),
    ];

    private sealed record Row
    {
        public long SeenAt { get; init; }

        public string Report { get; init; } = "";
    }
}
