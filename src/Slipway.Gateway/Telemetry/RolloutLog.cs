using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>What one rollout's requests have in common, whatever the weight: their order, which are in flight, and the bad ones.</summary>
/// <remarks>
/// <para>
/// The order up to which all is told must be exact although nothing is locked. A request first sets its mark to an order that its own
/// will exceed, then takes its order, then sets the mark to it; it ends by leaving its event and only then taking the mark away.
/// Whoever reads the clock's last order first and the marks afterwards thus sees a mark, or the event, of every order up to that one.
/// </para>
/// <para><see cref="Take"/> is called by one thread at a time; all else by any.</para>
/// </remarks>
internal sealed class RolloutLog(string rollout, OrderClock clock)
{
    /// <summary>
    /// Bad events that wait to be told, 40 bytes each: five batches, or a minute of 1,000 failures a second without the server. Those
    /// beyond are counted as lost, which makes the evidence insufficient.
    /// </summary>
    public const int MaxWaiting = 5 * EventBatch.MaxEvents;

    /// <summary>
    /// Length of a slot of the order, in microseconds. Counts are handed out by whole slots; since orders are whole microseconds, the bad
    /// events of one slot always fit a batch.
    /// </summary>
    private const long SlotLength = EventBatch.MaxEvents;

    private readonly ConcurrentQueue<InFlightMark> idle = new();
    private readonly ConcurrentQueue<BadRequest> arrived = new();
    private readonly ConcurrentDictionary<long, RolloutTally> tallies = new();
    private readonly PriorityQueue<BadRequest, long> held = new();
    private readonly Lock growing = new();
    private InFlightMark[] marks = [];
    private long waiting, lost, through, compared, different, failed, skipped, largest;
    private volatile bool isShadow;

    public string Rollout => rollout;

    public static long SlotOf(long order) => order / SlotLength;

    /// <summary>The last order of a slot.</summary>
    public static long EndOfSlot(long slot) => ((slot + 1) * SlotLength) - 1;

    public RolloutTally Under(RolloutRoute route)
    {
        isShadow |= route.Shadow;
        return tallies.GetOrAdd(route.WeightRevision, static (revision, log) => new RolloutTally(log, revision), this);
    }

    public AssignedRequest Enter(Arm arm, ulong user, long timestamp)
    {
        if (!idle.TryDequeue(out var mark))
            mark = NewMark();
        mark.Set(clock.Last + 1);
        var order = clock.Next(timestamp);
        mark.Set(order);
        return new AssignedRequest(mark, order, user, arm);
    }

    public void Leave(in AssignedRequest request)
    {
        request.Mark!.Clear();
        idle.Enqueue(request.Mark);
    }

    public void Add(in AssignedRequest request, BadKind kind, long weightRevision)
    {
        if (Interlocked.Increment(ref waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref waiting);
            Interlocked.Increment(ref lost);
            return;
        }

        arrived.Enqueue(new BadRequest(request.Order, request.User, request.Arm, kind, weightRevision));
    }

    public void Shadowed(double? difference, bool isDifferent)
    {
        if (difference is not { } size)
        {
            Interlocked.Increment(ref failed);
            return;
        }

        Interlocked.Increment(ref compared);
        if (isDifferent)
            Interlocked.Increment(ref different);

        // The bits of numbers that are not negative are ordered as the numbers are.
        var bits = BitConverter.DoubleToInt64Bits(size);
        for (var seen = Volatile.Read(ref largest); bits > seen; seen = Volatile.Read(ref largest))
        {
            if (Interlocked.CompareExchange(ref largest, bits, seen) == seen)
                break;
        }
    }

    public void ShadowSkipped() => Interlocked.Increment(ref skipped);

    /// <summary>Whether a request of it is in flight, or something is not told yet.</summary>
    public bool IsOpen => Array.Exists(Volatile.Read(ref marks), mark => mark.Order != InFlightMark.Free) || Volatile.Read(ref waiting) > 0 || tallies.Values.Any(tally => tally.HasCounts);

    /// <summary>Hands out what happened since the call before, up to the end of a slot.</summary>
    /// <param name="room">Bad events at most; what is beyond waits, and <see cref="RolloutEvents.Through"/> with it.</param>
    /// <param name="evenIfNothing">Gives the order up to which all is told even if there is no other news.</param>
    /// <param name="isLast">No request comes any more: the slot that has begun is handed out too.</param>
    public RolloutEvents? Take(int room, bool evenIfNothing, bool isLast = false)
    {
        var reached = Reached();
        reached = isLast ? EndOfSlot(SlotOf(reached)) : EndOfSlot(SlotOf(reached + 1) - 1);
        while (arrived.TryDequeue(out var bad))
            held.Enqueue(bad, bad.Order);
        var taken = new List<BadRequest>();
        while (held.TryPeek(out var bad, out var order) && order <= reached)
        {
            if (taken.Count == room)
            {
                reached = EndOfSlot(SlotOf(order) - 1);
                break;
            }

            taken.Add(held.Dequeue());
        }

        reached = Math.Max(reached, through);
        foreach (var beyond in taken.Where(bad => bad.Order > reached))
            held.Enqueue(beyond, beyond.Order);
        taken.RemoveAll(bad => bad.Order > reached);
        Interlocked.Add(ref waiting, -taken.Count);
        through = reached;
        var counts = ImmutableArray.CreateBuilder<ArmCounts>();
        foreach (var revision in tallies.Keys.Order())
            tallies[revision].TakeCounts(counts, reached);
        var unknown = Interlocked.Exchange(ref lost, 0);
        var shadow = isShadow ? TakeShadow() : null;
        return counts.Count > 0 || taken.Count > 0 || unknown > 0 || shadow is { Compared: > 0 } or { Failed: > 0 } or { Skipped: > 0 } || evenIfNothing
            ? new RolloutEvents(
                rollout, reached, unknown, counts.ToImmutable(),
                [.. taken.Select(bad => new BadEvent(bad.Order, bad.User.ToString("x16", CultureInfo.InvariantCulture), bad.Arm, bad.Kind, bad.WeightRevision))], shadow)
            : null;
    }

    /// <remarks>In the other order than they are counted in: no difference is told before its comparison.</remarks>
    private ShadowCounts TakeShadow()
    {
        var size = BitConverter.Int64BitsToDouble(Interlocked.Exchange(ref largest, 0));
        var unlike = Interlocked.Exchange(ref different, 0);
        return new ShadowCounts(Interlocked.Exchange(ref compared, 0), unlike, Interlocked.Exchange(ref failed, 0), Interlocked.Exchange(ref skipped, 0), size);
    }

    /// <summary>Every request up to this order has ended.</summary>
    private long Reached()
    {
        var reached = clock.Advance();
        foreach (var mark in Volatile.Read(ref marks))
            reached = Math.Min(reached, mark.Order - 1);
        return Math.Max(reached, through);      // a mark may be set lower than what was told; its order will be higher all the same
    }

    private InFlightMark NewMark()
    {
        var mark = new InFlightMark();
        lock (growing)
            Volatile.Write(ref marks, [.. marks, mark]);
        return mark;
    }

    private readonly record struct BadRequest(long Order, ulong User, Arm Arm, BadKind Kind, long WeightRevision);
}

/// <summary>Where a request that is in flight notes its order; used again for others. As large as a cache line, so that none shares one.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal sealed class InFlightMark
{
    public const long Free = long.MaxValue;

    private long order = Free;

    public long Order => Volatile.Read(ref order);

    public void Set(long value) => Volatile.Write(ref order, value);

    public void Clear() => Volatile.Write(ref order, Free);
}
