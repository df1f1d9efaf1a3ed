using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>How a rollout's evidence grew: what its page draws. The verdict never goes by it.</summary>
internal static class EvidenceSeries
{
    /// <summary>Points are a 200th of the rollout's age apart: some 200 in its first minutes, and 2,500 after a year.</summary>
    private const long Fineness = 200;

    private static readonly long Shortest = (long)TimeSpan.FromSeconds(1).TotalMilliseconds;

    /// <summary>Adds a judgement, unless the last one is as good as new. A new verdict, and the end, are always kept.</summary>
    public static async Task AddAsync(Session session, RolloutState s, JudgeReport report)
    {
        var last = await session.FindAsync<string>("SELECT point FROM rollout_evidence WHERE rollout = @Id ORDER BY at DESC LIMIT 1", new { s.Id }) is { } text ? Parse(text) : null;
        if (!s.IsOver && last?.Verdict == report.Verdict && report.At - last.At < Math.Max(Shortest, (report.At - s.StartedAt) / Fineness))
            return;
        await session.ExecuteAsync(
            "INSERT INTO rollout_evidence (rollout, at, point) VALUES (@Id, @At, @point) ON CONFLICT (rollout, at) DO UPDATE SET point = excluded.point",
            new { s.Id, report.At, point = StoredJson.Text(EvidencePoint.Of(report, s.Weights), RolloutJson.Default.EvidencePoint) });
    }

    /// <summary>Oldest first.</summary>
    public static async Task<ImmutableArray<EvidencePoint>> ListAsync(Session session, string rollout) =>
    [
        .. (await session.QueryAsync<string>("SELECT point FROM rollout_evidence WHERE rollout = @rollout ORDER BY at", new { rollout }))
            .Select(Parse),
    ];

    private static EvidencePoint Parse(string point) => StoredJson.Read(point, RolloutJson.Default.EvidencePoint);
}
