using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

/// <summary>What was folded so far, in the making: sums by weight revision.</summary>
internal sealed class EvidenceTally
{
    private static readonly int Kinds = Enum.GetValues<BadKind>().Length;

    private readonly SortedDictionary<long, Cell> cells = [];
    private Cell? latest;

    public ShadowCounts? Shadow { get; private set; }

    public void Add(long revision, Arm arm, BadKind kind)
    {
        if (latest?.Revision != revision)
            latest = CellOf(revision);
        latest.Firsts[2 * (int)kind + (int)arm]++;
    }

    public void Add(WaitingCounts counts)
    {
        foreach (var (revision, arm, evidence) in counts.Cells)
        {
            var cell = CellOf(revision);
            cell.Arms[(int)arm] = Plus(cell.Arms[(int)arm], evidence);
        }

        Shadow = Plus(Shadow, counts.Shadow);
    }

    public void Add(EvidenceCell cell)
    {
        var mine = CellOf(cell.WeightRevision);
        mine.Arms[(int)Arm.Candidate] = cell.Candidate;
        mine.Arms[(int)Arm.Stable] = cell.Stable;
        foreach (var bad in cell.Bad)
            (mine.Firsts[2 * (int)bad.Kind + (int)Arm.Candidate], mine.Firsts[2 * (int)bad.Kind + (int)Arm.Stable]) = (bad.Candidate, bad.Stable);
    }

    public void Add(ShadowCounts? shadow) => Shadow = Plus(Shadow, shadow);

    public IEnumerable<long> Revisions => cells.Keys;

    public EvidenceCell CellAt(long revision, int weight)
    {
        var cell = cells.GetValueOrDefault(revision) ?? new Cell(revision);
        return new(revision, weight, cell.Arms[(int)Arm.Candidate], cell.Arms[(int)Arm.Stable],
            [.. from kind in Enum.GetValues<BadKind>()
                let bad = new KindEvidence(kind, cell.Firsts[2 * (int)kind + (int)Arm.Candidate], cell.Firsts[2 * (int)kind + (int)Arm.Stable])
                where bad.Candidate + bad.Stable > 0
                select bad]);
    }

    public static ArmEvidence Empty { get; } = new(0, 0, 0, ImmutableArray.Create(new long[LatencyBuckets.Count]));

    public static ArmEvidence Plus(ArmEvidence a, ArmEvidence b) => new(
        a.Requests + b.Requests, a.BadRequests + b.BadRequests, a.OverBudget + b.OverBudget, [.. a.Latency.Zip(b.Latency, static (x, y) => x + y)]);

    public static ShadowCounts? Plus(ShadowCounts? a, ShadowCounts? b) => a is null || b is null ? a ?? b : new(
        a.Compared + b.Compared, a.Different + b.Different, a.Failed + b.Failed, a.Skipped + b.Skipped, Math.Max(a.LargestDifference, b.LargestDifference));

    private Cell CellOf(long revision)
    {
        if (!cells.TryGetValue(revision, out var cell))
            cells.Add(revision, cell = new Cell(revision));
        return cell;
    }

    private sealed class Cell(long revision)
    {
        public long Revision => revision;

        public long[] Firsts { get; } = new long[2 * Kinds];

        public ArmEvidence[] Arms { get; } = [Empty, Empty];
    }
}
