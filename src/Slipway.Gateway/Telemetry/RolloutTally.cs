using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>Takes down the requests of one rollout under one weight: begun, and ended in one of three ways. Thread-safe and without a lock.</summary>
internal sealed class RolloutTally(RolloutLog log, long weightRevision)
{
    private const int Arms = 2;

    private readonly ShardedCounters latency = new(Arms * LatencyBuckets.Count);

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
        Count(request.Arm, LatencyBuckets.IndexOf(seconds));
        log.Leave(request);
    }

    /// <summary>There was no answer, or none that may be given.</summary>
    public void Failed(in AssignedRequest request, BadKind kind)
    {
        log.Add(request, kind, weightRevision);
        Count(request.Arm, LatencyBuckets.Count - 1);
        log.Leave(request);
    }

    /// <summary>The model was never asked: no evidence, neither good nor bad.</summary>
    public void Refused(in AssignedRequest request) => log.Leave(request);

    /// <param name="difference">Largest absolute difference of any number; null when the candidate failed.</param>
    /// <param name="isDifferent">By more than the tolerance.</param>
    public void Shadowed(double? difference, bool isDifferent) => log.Shadowed(difference, isDifferent);

    /// <summary>A copy was not made, because the shadow was busy.</summary>
    public void ShadowSkipped() => log.ShadowSkipped();

    /// <summary>Hands out what was counted since the call before.</summary>
    public void TakeCounts(ImmutableArray<ArmCounts>.Builder counts)
    {
        foreach (var arm in (ReadOnlySpan<Arm>)[Arm.Stable, Arm.Candidate])
        {
            var buckets = ImmutableArray.CreateBuilder<long>(LatencyBuckets.Count);
            var requests = 0L;
            for (var i = 0; i < LatencyBuckets.Count; i++)
            {
                buckets.Add(latency.Take(CellOf(arm, i)));
                requests += buckets[i];
            }

            if (requests > 0)
                counts.Add(new ArmCounts(weightRevision, arm, requests, buckets.MoveToImmutable()));
        }
    }

    private void Count(Arm arm, int bucket) => latency.Increment(CellOf(arm, bucket));

    private static int CellOf(Arm arm, int bucket) => ((int)arm * LatencyBuckets.Count) + bucket;
}

/// <summary>A request between its assignment and its end.</summary>
internal readonly record struct AssignedRequest(InFlightMark? Mark, long Order, ulong User, Arm Arm);
