using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
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

    /// <summary>Whether requests that it served may never be told: it served some, and vanished.</summary>
    public bool LeftUntold => IsGone && !IsDrained && told.Count > 0;

    public int Waiting => bad.Count;

    /// <summary>Order of the first bad event that waits.</summary>
    public long FirstWaiting => bad.TryPeek(out var first) ? first.Order : long.MaxValue;

    public string Boot => boot;

    public bool Is(string gateway, string boot) => gateway == Gateway && boot == Boot;

    public WaitingEvent Next() => bad.Dequeue();

    /// <summary>Keeps what a checked batch tells.</summary>
    /// <returns>What is wrong with it, and then it is not kept.</returns>
    public string? Take(RolloutEvents events)
    {
        var cells = new SortedDictionary<(long Revision, Arm Arm), ArmEvidence>();
        foreach (var count in events.Counts)
            cells[(count.WeightRevision, count.Arm)] = new(count.Requests, 0, 0, count.Latency);
        foreach (var group in events.Bad.GroupBy(one => (one.WeightRevision, one.Arm)))
        {
            var late = group.Count(one => one.Kind == BadKind.Latency);
            var evidence = cells.GetValueOrDefault(group.Key) ?? EvidenceTally.Empty;
            cells[group.Key] = evidence with { BadRequests = group.Count() - late, OverBudget = late };
        }

        foreach (var (key, evidence) in cells)
        {
            var before = told.GetValueOrDefault(key);
            var (requests, all) = (before.Requests + evidence.Requests, before.Bad + evidence.BadRequests + evidence.OverBudget);
            if (all > requests)
                return string.Create(CultureInfo.InvariantCulture, $"it tells {all} bad ones among {requests} requests of weight revision {key.Revision}");
        }

        foreach (var (key, evidence) in cells)
        {
            var before = told.GetValueOrDefault(key);
            told[key] = (before.Requests + evidence.Requests, before.Bad + evidence.BadRequests + evidence.OverBudget);
        }

        foreach (var one in events.Bad)
            bad.Enqueue(Parsed(one));
        Through = events.Through;
        counts.Add(new(events.Through, [.. cells.Select(cell => new CellCounts(cell.Key.Revision, cell.Key.Arm, cell.Value))], events.Shadow));
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

    private static WaitingEvent Parsed(BadEvent one) =>
        new(one.Order, BatchCheck.User(one.User) ?? throw new UnreachableException("a user was not checked"), one.Arm, one.Kind, one.WeightRevision);
}
