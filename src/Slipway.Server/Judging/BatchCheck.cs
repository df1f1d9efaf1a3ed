using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

/// <summary>Whether a gateway's account of a rollout holds together. A gateway is not trusted with more than its own requests.</summary>
internal static class BatchCheck
{
    /// <summary>Longest name of a gateway or boot, in characters.</summary>
    private const int LongestName = 200;

    /// <summary>Most requests of one count: far beyond any batch, and so small that no sum of them overflows or leaves JSON's exact integers.</summary>
    public const long MostRequests = 1_000_000_000_000;

    /// <summary>What is wrong with the batch itself; null when nothing is.</summary>
    public static string? Fault(EventBatch batch) => batch switch
    {
        { Gateway.Length: 0 or > LongestName } or { Boot.Length: 0 or > LongestName } => $"gateway and boot are named by 1 to {LongestName} characters",
        _ when batch.Rollouts.IsDefault || batch.Rollouts.Any(IsHollow) => "one of its lists is missing, or has a null in it",
        { Sequence: < 1 } => $"its sequence is {batch.Sequence}, and the first is 1",
        _ when batch.Rollouts.Sum(events => (long)events.Bad.Length) > EventBatch.MaxEvents => $"it has more than {EventBatch.MaxEvents} bad events",
        _ when batch.Rollouts.GroupBy(events => events.Rollout, StringComparer.Ordinal).Any(same => same.Count() > 1) => "it names a rollout twice",
        _ => null,
    };

    private static bool IsHollow(RolloutEvents? events) =>
        events is null || events.Counts.IsDefault || events.Bad.IsDefault || events.Counts.Any(count => count is null || count.Latency.IsDefault) || events.Bad.Any(bad => bad is null);

    /// <param name="after">Order up to which the source had told everything.</param>
    /// <param name="weights">Weight revisions of the rollout.</param>
    /// <param name="bad">The bad events, if nothing is wrong.</param>
    public static string? Fault(RolloutEvents events, long after, ImmutableArray<WeightChange> weights, out WaitingEvent[] bad)
    {
        bad = new WaitingEvent[events.Bad.Length];
        if (events.Through < after)
            return $"it has told everything through {events.Through}, and had through {after} before";
        if (events.Lost is < 0 or > MostRequests)
            return $"it lost {events.Lost} requests";
        var revisions = weights.Select(weight => weight.Revision).ToHashSet();
        return CountsFault(events.Counts, revisions) ?? BadFault(events, after, revisions, bad) ?? ShadowFault(events.Shadow);
    }

    private static string? CountsFault(ImmutableArray<ArmCounts> counts, HashSet<long> weights)
    {
        var seen = new HashSet<(long, Arm)>();
        foreach (var count in counts)
        {
            if (!weights.Contains(count.WeightRevision))
                return $"it counts requests under weight revision {count.WeightRevision}, which was never ordered";
            if (!Enum.IsDefined(count.Arm) || !seen.Add((count.WeightRevision, count.Arm)))
                return $"it counts one arm of weight revision {count.WeightRevision} twice";
            if (count.Latency.Length != LatencyBuckets.Count)
                return $"a latency histogram has {count.Latency.Length} buckets, and {LatencyBuckets.Count} are due";
            if (count.Requests is < 0 or > MostRequests || count.Latency.Any(bucket => bucket is < 0 or > MostRequests))
                return "it has a count below 0, or beyond all reason";
            if (count.Latency.Sum() != count.Requests)
                return $"a latency histogram holds {count.Latency.Sum()} of {count.Requests} requests";
        }

        return null;
    }

    private static string? BadFault(RolloutEvents events, long after, HashSet<long> weights, WaitingEvent[] bad)
    {
        long? known = null;
        for (var i = 0; i < bad.Length; i++)
        {
            var one = events.Bad[i];
            if (one.Order <= after)
                return $"a bad event has order {one.Order}, and everything through {after} was told already";
            if (one.Order > events.Through)
                return $"a bad event has order {one.Order}, beyond the {events.Through} that it has told everything through";
            if (one.WeightRevision != known && !weights.Contains(one.WeightRevision))
                return $"a bad event names weight revision {one.WeightRevision}, which was never ordered";
            if (one.Arm is not (Arm.Stable or Arm.Candidate) || one.Kind is < BadKind.Error or > BadKind.Crash)
                return "a bad event has an unknown arm or kind";
            if (User(one.User) is not { } user)
                return "a bad event's user is not 16 hex digits";
            (after, known) = (one.Order, one.WeightRevision);
            bad[i] = new(one.Order, user, one.Arm, one.Kind, one.WeightRevision);
        }

        return null;
    }

    private static string? ShadowFault(ShadowCounts? shadow) => shadow switch
    {
        null => null,
        { Compared: < 0 or > MostRequests } or { Different: < 0 } or { Failed: < 0 or > MostRequests } or { Skipped: < 0 or > MostRequests } => "a count of the shadow is below 0, or beyond all reason",
        _ when shadow.Different > shadow.Compared => $"the shadow answered differently {shadow.Different} times of {shadow.Compared}",
        _ when !(shadow.LargestDifference >= 0 && double.IsFinite(shadow.LargestDifference)) => "the shadow's largest difference is no number",
        _ => null,
    };

    public static ulong? User(string text)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        return text.Length == 2 * bytes.Length && !text.AsSpan().ContainsAnyInRange('A', 'F') && Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done
            ? BinaryPrimitives.ReadUInt64BigEndian(bytes)
            : null;
    }
}
