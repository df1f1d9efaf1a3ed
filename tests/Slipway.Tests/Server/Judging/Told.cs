using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;

namespace Slipway.Tests.Server.Judging;

/// <summary>What gateways tell, written short.</summary>
internal static class Told
{
    public const string Rollout = "r1";

    /// <summary>Nothing, then 10 %, then half.</summary>
    public static ImmutableArray<WeightChange> Weights { get; } = [new(1, 0, 0), new(2, 1_000, 10), new(3, 5_000, 20)];

    public static EventBatch Batch(string gateway, long sequence, long through, ImmutableArray<BadEvent> bad, long lost = 0, bool final = false, string boot = "b1", ShadowCounts? shadow = null)
    {
        // As many requests as there are bad ones, and one good one for each.
        var counts = bad.GroupBy(one => (one.WeightRevision, one.Arm)).Select(group => Count(group.Key.WeightRevision, group.Key.Arm, 2 * group.Count()));
        return new(gateway, boot, "production", sequence, [new(Rollout, through, lost, [.. counts], bad, shadow)], final);
    }

    public static ArmCounts Count(long revision, Arm arm, long requests) => new(revision, arm, requests, [requests, .. new long[LatencyBuckets.Count - 1]]);

    public static BadEvent Bad(long order, ulong user, Arm arm = Arm.Candidate, BadKind kind = BadKind.Error, long revision = 2) => new(order, user.ToString("x16"), arm, kind, revision);

    public static EvidenceFold Fold(params EventBatch[] batches)
    {
        var fold = EvidenceFold.Start(Rollout);
        foreach (var batch in batches)
            Assert.Equal(new BatchOutcome(BatchResult.Taken, null), fold.Take(batch, Weights));
        return fold;
    }

    public static RolloutEvidence Evidence(this EvidenceFold fold) => fold.Evidence(Weights);

    /// <summary>Followed bad events of (candidate, stable), over all weights and kinds.</summary>
    public static (long Candidate, long Stable) Firsts(this EvidenceFold fold) => fold.Evidence().Cells.SelectMany(cell => cell.Bad)
        .Aggregate((0L, 0L), static (sum, bad) => (sum.Item1 + bad.Candidate, sum.Item2 + bad.Stable));
}
