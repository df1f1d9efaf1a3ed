using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Judging;

/// <summary>Puts what the gateways tell of one rollout into evidence: every request once, events in the order of their assignment. No clock, no I/O; not thread-safe.</summary>
/// <remarks>
/// <para>
/// Events of all gateways are folded in one order, by (order, gateway, boot), and only up to where every live gateway has told
/// everything. That order was settled when requests were assigned, so it can hang neither on how they ended nor on how soon that
/// was known; whatever moment the evidence is looked at, it is a beginning of the one sequence whose supermartingale was promised. Events in
/// order of arrival give no such thing: an arm that fails faster is heard first.
/// </para>
/// <para>
/// To be handed every batch of the channel, whether it names the rollout or not, since sequences count all of them. Gateways had their receipt
/// when a batch came into the inbox, and do not send it again; so what <see cref="Write"/> gives is stored in the very change that takes the batch
/// out of there.
/// </para>
/// </remarks>
public sealed class EvidenceFold
{
    /// <summary>Bad events that may wait for a gateway that has not told as far: some 4 MB stored. Then batches are put off and stay in the inbox; once that is full, gateways keep theirs.</summary>
    public const int MostWaiting = 50_000;

    /// <summary>Boots of gateways that are remembered: each restart is one. A rollout that sees more waits for no new one, and refuses its batches.</summary>
    public const int MostSources = 1_000;

    private readonly EvidenceTally tally = new();
    private readonly List<Source> sources = [];
    private readonly FollowedUsers users;
    private long lost;

    private EvidenceFold(string rollout, FollowedUsers users) => (Rollout, this.users) = (rollout, users);

    /// <summary>Of the rollout.</summary>
    public string Rollout { get; }

    /// <summary>Nothing folded yet.</summary>
    public static EvidenceFold Start(string rollout) => new(rollout, new FollowedUsers());

    /// <summary>Goes on from a stored state.</summary>
    /// <exception cref="JsonException">The text is no state of a fold.</exception>
    public static EvidenceFold Read(ReadOnlySpan<byte> json)
    {
        var state = JsonSerializer.Deserialize(json, JudgingJson.Default.FoldState) ?? throw new JsonException("the state of a fold is null");
        try
        {
            var fold = new EvidenceFold(state.Rollout, new FollowedUsers(state.Users, state.Halvings)) { lost = state.Lost };
            fold.sources.AddRange(state.Sources.Select(source => new Source(source)));
            foreach (var cell in state.Cells)
                fold.tally.Add(cell);
            fold.tally.Add(state.Shadow);
            return fold;
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    /// <summary>The state, as canonical JSON.</summary>
    public byte[] Write() => CanonicalJson.Serialize(
        new FoldState(
            Rollout, [.. sources.Select(source => source.ToState())], [.. tally.Revisions.Select(revision => tally.CellAt(revision, 0))],
            tally.Shadow, lost, users.Halvings, users.ToBytes()),
        JudgingJson.Default.FoldState);

    /// <summary>A gateway has the rollout's weight in force: from now on events wait until it has told as far. The first batch does the same.</summary>
    /// <remarks>Other boots of the same gateway have ended, as one process serves under a name.</remarks>
    public void Join(string gateway, string boot) => SourceOf(gateway, boot);

    /// <summary>Boots that events wait for.</summary>
    public IEnumerable<(string Gateway, string Boot)> Awaited => sources.Where(source => !source.IsGone).Select(source => (source.Gateway, source.Boot));

    /// <summary>A gateway is no longer there, so nobody waits for it. What it may have served since it last told is lost; unless it told that it stopped, or comes back.</summary>
    public void Forget(string gateway, string boot)
    {
        if (sources.Find(source => source.Is(gateway, boot)) is not { } gone)
            return;
        gone.IsGone = true;
        Fold();
    }

    /// <summary>Takes a batch in, if it is the next of its gateway's boot.</summary>
    /// <param name="weights">All weights of the rollout so far.</param>
    public BatchOutcome Take(EventBatch batch, ImmutableArray<WeightChange> weights)
    {
        if (BatchCheck.Fault(batch) is { } unusable)
            return Refuse(1, unusable);
        if (SourceOf(batch.Gateway, batch.Boot) is not { } source)
            return Refuse(1, $"{MostSources} boots of gateways have taken part already");
        if (source.Sequence > 0 && batch.Sequence <= source.Sequence)
            return new(BatchResult.Repeated, $"batch {batch.Sequence} is in already");
        if (source.Sequence > 0 && batch.Sequence > source.Sequence + 1)
            return new(BatchResult.PutOff, $"batch {source.Sequence + 1} comes first");

        string? fault = null;
        if (batch.Rollouts.FirstOrDefault(events => events.Rollout == Rollout) is { } mine)
        {
            if (mine.Bad.Length > 0 && sources.Sum(other => other.Waiting) + mine.Bad.Length > MostWaiting)
                return new(BatchResult.PutOff, $"{MostWaiting} bad events wait for {Laggard()?.Gateway ?? "a gateway"}, which has not told as far");
            fault = BatchCheck.Fault(mine, source.Through, weights, out var bad) ?? source.Take(mine, bad);
            if (fault is null)
                lost += mine.Lost;
        }

        source.Sequence = batch.Sequence;
        source.IsDrained = batch.Final;
        source.IsGone = batch.Final || IsReplaced(source);
        Fold();
        return fault is null ? new(BatchResult.Taken, null) : Refuse(batch.Rollouts.Where(events => events.Rollout == Rollout).Max(Requests), fault);
    }

    /// <summary>The evidence now.</summary>
    /// <param name="weights">All weights of the rollout so far, by revision.</param>
    public RolloutEvidence Evidence(ImmutableArray<WeightChange> weights) => new(
        [.. weights.Select(weight => tally.CellAt(weight.Revision, weight.Weight))],
        lost + sources.Count(source => source.LeftUntold),
        sources.Where(source => source.Sequence > 0).Select(source => source.Gateway).Distinct(StringComparer.Ordinal).Count(),
        tally.Shadow,
        sources.Sum(source => source.Waiting),
        users.Halvings);

    /// <summary>What is not believed has still happened: its requests are lost, one at least.</summary>
    private BatchOutcome Refuse(long requests, string fault)
    {
        lost += Math.Max(1, requests);
        return new(BatchResult.Refused, fault);
    }

    private static long Requests(RolloutEvents events) => events.Counts.Sum(count => Math.Clamp(count.Requests, 0, BatchCheck.MostRequests));

    private Source? SourceOf(string gateway, string boot)
    {
        if (sources.Find(source => source.Is(gateway, boot)) is { } known)
            return known;
        if (sources.Count >= MostSources)
            return null;
        foreach (var earlier in sources.Where(source => source.Gateway == gateway))
            earlier.IsGone = true;
        var joined = new Source(gateway, boot);
        sources.Add(joined);
        return joined;
    }

    private bool IsReplaced(Source source) => sources.FindLast(other => other.Gateway == source.Gateway) != source;

    private Source? Laggard() => sources.Where(source => !source.IsGone).MinBy(source => source.Through);

    private void Fold()
    {
        var frontier = Laggard()?.Through ?? long.MaxValue - 1;     // below what stands for "none waits"
        foreach (var source in sources)
            source.FoldCounts(frontier, tally);
        var ready = sources.Where(source => source.FirstWaiting <= frontier).ToArray();
        if (ready is [var only])
        {
            while (only.FirstWaiting <= frontier)
                Fold(only.Next());
            return;
        }

        var merged = new PriorityQueue<Source, (long, string, string)>(ByOrder);
        foreach (var source in ready)
            merged.Enqueue(source, (source.FirstWaiting, source.Gateway, source.Boot));
        while (merged.TryDequeue(out var source, out _))
        {
            Fold(source.Next());
            if (source.FirstWaiting <= frontier)
                merged.Enqueue(source, (source.FirstWaiting, source.Gateway, source.Boot));
        }
    }

    private void Fold(in WaitingEvent bad)
    {
        if (users.IsFirst(bad.User))
            tally.Add(bad.WeightRevision, bad.Arm, bad.Kind);
    }

    private static readonly Comparer<(long Order, string Gateway, string Boot)> ByOrder = Comparer<(long Order, string Gateway, string Boot)>.Create(static (a, b) =>
        a.Order != b.Order ? a.Order.CompareTo(b.Order)
        : string.CompareOrdinal(a.Gateway, b.Gateway) is not 0 and var byGateway ? byGateway
        : string.CompareOrdinal(a.Boot, b.Boot));
}

/// <param name="Reason">Why it was not taken in; null when it was.</param>
public sealed record BatchOutcome(BatchResult Result, string? Reason);

/// <summary>What became of a batch of the inbox.</summary>
public enum BatchResult
{
    /// <summary>Not now: something comes first. It stays in the inbox, and is tried again.</summary>
    PutOff,

    /// <summary>Unusable, and will stay so: its requests count as lost. It leaves the inbox, and the boot's next one is due.</summary>
    Refused,

    /// <summary>It was folded in before, as when another rollout of the channel put it off; nothing changed. It may leave the inbox.</summary>
    Repeated,

    /// <summary>Folded in. It may leave the inbox, in the change that stores the state.</summary>
    Taken,
}
