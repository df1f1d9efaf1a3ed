using System.Collections.Immutable;

namespace Slipway.Stats.Metrics;

/// <summary>What scores and labels look like as curves, in exact counts of groups of rows: no row can be read off.</summary>
/// <param name="Steps">Rows by falling score in at most <see cref="MostSteps"/> groups: the receiver operating characteristic, a point after each.</param>
/// <param name="Bins">Rows by rising score in at most <see cref="MostBins"/> groups of about as many rows: the reliability curve.</param>
/// <remarks>
/// Rows of one score are never parted, and no group has fewer than <see cref="LeastRows"/> rows; of fewer rows altogether there is no group. Equal-mass
/// bins: of equal width, as the calibration errors have them, nearly all rows of a rare class would lie in one.
/// </remarks>
public sealed record ScoreCurves(ImmutableArray<ScoreGroup> Steps, ImmutableArray<ScoreGroup> Bins)
{
    public const int MostSteps = 100, MostBins = 10;

    /// <summary>Rows of a group; below it a group could be somebody's.</summary>
    public const int LeastRows = 20;

    /// <param name="ranked">As <see cref="LabelledScores.Rank"/> gives them.</param>
    public static ScoreCurves Of(LabelledScores data, ReadOnlySpan<int> ranked)
    {
        var rising = Groups(data, ranked, MostBins);
        var falling = ranked.ToArray();
        Array.Reverse(falling);
        return new ScoreCurves(Groups(data, falling, MostSteps), rising);
    }

    private static ImmutableArray<ScoreGroup> Groups(LabelledScores data, ReadOnlySpan<int> order, int most)
    {
        if (order.Length < LeastRows)
            return [];
        var groups = new List<ScoreGroup>(most);
        var least = Math.Max(LeastRows, (order.Length + most - 1) / most);
        var (rows, positives, sum) = (0, 0, new CompensatedSum());
        for (var i = 0; i < order.Length; i++)
        {
            var score = data.Scores[order[i]];
            (rows, positives) = (rows + 1, positives + (data.Labels[order[i]] ? 1 : 0));
            sum.Add(score);
            var endsTie = i + 1 == order.Length || data.Scores[order[i + 1]] != score;
            if (!endsTie || rows < least)
                continue;
            groups.Add(new ScoreGroup(rows, positives, sum.Value));
            (rows, positives, sum) = (0, 0, new CompensatedSum());
        }

        // What is left over joins the last group.
        if (rows > 0)
        {
            var rest = new ScoreGroup(rows, positives, sum.Value);
            if (groups.Count > 0)
            {
                rest = new ScoreGroup(groups[^1].Rows + rows, groups[^1].Positives + positives, groups[^1].ScoreSum + sum.Value);
                groups.RemoveAt(groups.Count - 1);
            }

            groups.Add(rest);
        }

        return [.. groups];
    }
}

/// <param name="Rows">At least one.</param>
/// <param name="ScoreSum">Of all its rows.</param>
public readonly record struct ScoreGroup(int Rows, int Positives, double ScoreSum);
