using System.Collections.Concurrent;
using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>Takes down the requests of one rollout under one weight: begun, and ended in one of three ways. Thread-safe and without a lock.</summary>
internal sealed class RolloutTally(RolloutLog log, long weightRevision)
{
    private const int Arms = 2;

    /// <summary>Counts by slots of the order: a slot is handed out once its last request has ended, and with its bad events.</summary>
    private readonly ConcurrentDictionary<long, Slot> slots = new();

    private volatile Slot? latest;

    public long WeightRevision => weightRevision;

    /// <summary>A request is assigned, and will be ended by exactly one call of <see cref="Answered"/>, <see cref="Failed"/> or <see cref="Refused"/>.</summary>
    /// <param name="timestamp">When, on the monotonic clock.</param>
    /// <param name="user">The hash that it was assigned by.</param>
    public AssignedRequest Begin(Arm arm, ulong user, long timestamp) => log.Enter(arm, user, timestamp);

    /// <param name="seconds">From its assignment to the model's answer.</param>
    /// <param name="isLate">The answer took longer than the budget.</param>
    public void Answered(in AssignedRequest request, double seconds, bool isLate)
    {
        if (isLate)
            log.Add(request, BadKind.Latency, weightRevision);
        Count(request, LatencyBuckets.IndexOf(seconds));
        log.Leave(request);
    }

    /// <summary>There was no answer, or none that may be given.</summary>
    public void Failed(in AssignedRequest request, BadKind kind)
    {
        log.Add(request, kind, weightRevision);
        Count(request, LatencyBuckets.Count - 1);
        log.Leave(request);
    }

    /// <summary>The model was never asked: no evidence, neither good nor bad.</summary>
    public void Refused(in AssignedRequest request) => log.Leave(request);

    /// <param name="difference">Largest absolute difference of any number; null when the candidate failed.</param>
    /// <param name="isDifferent">By more than the tolerance.</param>
    public void Shadowed(double? difference, bool isDifferent) => log.Shadowed(difference, isDifferent);

    /// <summary>A copy was not made, because the shadow was busy.</summary>
    public void ShadowSkipped() => log.ShadowSkipped();

    /// <summary>Whether something is counted that was not handed out.</summary>
    public bool HasCounts => !slots.IsEmpty;

    /// <summary>Hands out the counts of the slots that end at or before an order up to which every request has ended.</summary>
    public void TakeCounts(ImmutableArray<ArmCounts>.Builder counts, long through)
    {
        var sum = new long[Arms * LatencyBuckets.Count];
        foreach (var number in slots.Keys)
        {
            if (RolloutLog.EndOfSlot(number) > through || !slots.TryRemove(number, out var slot))
                continue;
            for (var i = 0; i < sum.Length; i++)
                sum[i] += slot.Counts[i];
        }

        foreach (var arm in (ReadOnlySpan<Arm>)[Arm.Stable, Arm.Candidate])
        {
            var buckets = sum.AsSpan(CellOf(arm, 0), LatencyBuckets.Count).ToImmutableArray();
            if (buckets.Sum() is > 0 and var requests)
                counts.Add(new ArmCounts(weightRevision, arm, requests, buckets));
        }
    }

    private void Count(in AssignedRequest request, int bucket)
    {
        var number = RolloutLog.SlotOf(request.Order);
        var slot = latest;
        if (slot?.Number != number)
            latest = slot = slots.GetOrAdd(number, static number => new Slot(number, new long[Arms * LatencyBuckets.Count]));
        Interlocked.Increment(ref slot.Counts[CellOf(request.Arm, bucket)]);
    }

    private static int CellOf(Arm arm, int bucket) => ((int)arm * LatencyBuckets.Count) + bucket;

    private sealed record Slot(long Number, long[] Counts);
}

/// <summary>A request between its assignment and its end.</summary>
internal readonly record struct AssignedRequest(InFlightMark? Mark, long Order, ulong User, Arm Arm);
