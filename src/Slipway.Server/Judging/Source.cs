using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

internal readonly record struct WaitingEvent(long Order, ulong User, Arm Arm, BadKind Kind, long WeightRevision);

/// <summary>One boot of a gateway: how far it has told, and what it told that others have not told as far as.</summary>
internal sealed class Source(string gateway, string boot)
{
    /// <summary>Counts that wait apart; older ones are put together beyond that, and then fold a little later than they could.</summary>
    private const int MostWaitingCounts = 64;

    private readonly Queue<WaitingEvent> bad = new();
    private readonly List<WaitingCounts> counts = [];
    private readonly SortedDictionary<(long Revision, Arm Arm), (long Requests, long Bad)> told = [];

    public Source(FoldSource state)
        : this(state.Gateway, state.Boot)
    {
        (Sequence, Through, IsGone, IsDrained) = (state.Sequence, state.Through, state.IsGone, state.IsDrained);
        foreach (var requests in state.Told)
            told[(requests.WeightRevision, requests.Arm)] = (requests.Requests, requests.Bad);
        foreach (var waiting in state.Bad)
            bad.Enqueue(Parsed(waiting));
        counts.AddRange(state.Counts);
    }

    public string Gateway => gateway;

    /// <summary>Of the last batch taken in.</summary>
    public long Sequence { get; set; }

    /// <summary>Order up to which it has told everything.</summary>
    public long Through { get; private set; }

    public bool IsGone { get; set; }

    public bool IsDrained { get; set; }

    /// <summary>Whether requests that it served may never be told: it had the weight in force, or told of some, and vanished.</summary>
    public bool LeftUntold => IsGone && !IsDrained;

    public int Waiting => bad.Count;

    /// <summary>Order of the first bad event that waits.</summary>
    public long FirstWaiting => bad.TryPeek(out var first) ? first.Order : long.MaxValue;

    public string Boot => boot;

    public bool Is(string gateway, string boot) => gateway == Gateway && boot == Boot;

    public WaitingEvent Next() => bad.Dequeue();

    /// <summary>Keeps what a checked batch tells.</summary>
    /// <param name="events">Its bad events, parsed.</param>
    /// <returns>What is wrong with it, and then it is not kept.</returns>
    public string? Take(RolloutEvents batch, WaitingEvent[] events)
    {
        var cells = new SortedDictionary<(long Revision, Arm Arm), ArmEvidence>();
        foreach (var count in batch.Counts)
            cells[(count.WeightRevision, count.Arm)] = new(count.Requests, 0, 0, count.Latency);
        foreach (var (key, (all, late)) in BadByCell(events))
            cells[key] = (cells.GetValueOrDefault(key) ?? EvidenceTally.Empty) with { BadRequests = all - late, OverBudget = late };

        var sums = cells.Select(cell => (cell.Key, Before: told.GetValueOrDefault(cell.Key), cell.Value))
            .Select(cell => (cell.Key, Requests: cell.Before.Requests + cell.Value.Requests, Bad: cell.Before.Bad + cell.Value.BadRequests + cell.Value.OverBudget)).ToArray();
        if (sums.FirstOrDefault(sum => sum.Bad > sum.Requests) is { Bad: > 0 } wrong)
            return string.Create(CultureInfo.InvariantCulture, $"it tells {wrong.Bad} bad ones among {wrong.Requests} requests of weight revision {wrong.Key.Revision}");
        foreach (var (key, requests, all) in sums)
            told[key] = (requests, all);

        foreach (var one in events)
            bad.Enqueue(one);
        Through = batch.Through;
        counts.Add(new(batch.Through, [.. cells.Select(cell => new CellCounts(cell.Key.Revision, cell.Key.Arm, cell.Value))], batch.Shadow));
        return null;
    }

    /// <summary>Hands on counts of requests that are all assigned up to the frontier.</summary>
    public void FoldCounts(long frontier, EvidenceTally tally)
    {
        var ready = counts.TakeWhile(waiting => waiting.Through <= frontier).Count();
        foreach (var waiting in counts.Take(ready))
            tally.Add(waiting);
        counts.RemoveRange(0, ready);
        if (counts.Count > MostWaitingCounts)
        {
            counts[1] = Together(counts[0], counts[1]);
            counts.RemoveAt(0);
        }
    }

    public FoldSource ToState() => new(
        Gateway, Boot, Sequence, Through, IsGone, IsDrained,
        [.. told.Select(entry => new ToldRequests(entry.Key.Revision, entry.Key.Arm, entry.Value.Requests, entry.Value.Bad))],
        [.. bad.Select(one => new BadEvent(one.Order, one.User.ToString("x16", CultureInfo.InvariantCulture), one.Arm, one.Kind, one.WeightRevision))],
        [.. counts]);

    private static WaitingCounts Together(WaitingCounts a, WaitingCounts b) => new(
        b.Through,
        [.. from cell in a.Cells.Concat(b.Cells)
            group cell.Evidence by (cell.WeightRevision, cell.Arm) into same
            select new CellCounts(same.Key.WeightRevision, same.Key.Arm, same.Aggregate(EvidenceTally.Plus))],
        EvidenceTally.Plus(a.Shadow, b.Shadow));

    private static Dictionary<(long Revision, Arm Arm), (long All, long Late)> BadByCell(WaitingEvent[] events)
    {
        var cells = new Dictionary<(long, Arm), (long All, long Late)>();
        for (var start = 0; start < events.Length;)
        {
            // Events of one weight and arm mostly stand together.
            var (first, late, next) = (events[start], 0L, start);
            for (; next < events.Length && events[next].Arm == first.Arm && events[next].WeightRevision == first.WeightRevision; next++)
                late += events[next].Kind == BadKind.Latency ? 1 : 0;
            ref var cell = ref CollectionsMarshal.GetValueRefOrAddDefault(cells, (first.WeightRevision, first.Arm), out _);
            cell = (cell.All + next - start, cell.Late + late);
            start = next;
        }

        return cells;
    }

    private static WaitingEvent Parsed(BadEvent one) =>
        new(one.Order, BatchCheck.User(one.User) ?? throw new UnreachableException("a user was not checked"), one.Arm, one.Kind, one.WeightRevision);
}
