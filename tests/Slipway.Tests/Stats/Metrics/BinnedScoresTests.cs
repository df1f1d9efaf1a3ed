using Slipway.Stats.Metrics;

namespace Slipway.Tests.Stats.Metrics;

public sealed class BinnedScoresTests
{
    /// <summary>DeLong's definition, pair by pair: each one's placement among the other class, and the variance of those.</summary>
    [Fact]
    public void The_error_of_auc_is_the_spread_of_placements()
    {
        var rows = Rows(400);
        var (positives, negatives) = (rows.Where(row => row.Label).Select(row => row.Score).ToArray(), rows.Where(row => !row.Label).Select(row => row.Score).ToArray());
        var above = positives.Select(one => negatives.Average(other => Wins(one, other))).ToArray();
        var below = negatives.Select(other => positives.Average(one => Wins(one, other))).ToArray();
        var (auc, error) = Sums(rows).Auc();
        Assert.Equal(above.Average(), auc, 12);
        Assert.Equal(Math.Sqrt((Variance(above) / above.Length) + (Variance(below) / below.Length)), error, 12);

        static double Wins(double one, double other) => one > other ? 1 : one == other ? 0.5 : 0;
        static double Variance(double[] values) => values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);
    }

    [Fact]
    public void Sums_give_what_the_rows_themselves_give()
    {
        var rows = Rows(1_000);
        var sums = Sums(rows);
        var whole = new LabelledScores([.. rows.Select(row => row.Score)], [.. rows.Select(row => row.Label)], [.. Enumerable.Range(0, rows.Length)], rows.Length);
        Assert.Equal(new BinaryMetrics(whole, whole.Rank()).Measure()[3], sums.Calibration().Error, 12);
        Assert.Equal(rows.Count(row => row.Score >= 0.5 == row.Label), sums.Right());
        Assert.Equal(rows.Sum(row => Math.Pow((row.Label ? 1 : 0) - row.Score, 2)), sums.Squares.Sum(), 9);
    }

    [Fact]
    public void What_is_taken_out_was_never_there()
    {
        var rows = Rows(300);
        var (left, whole) = (Sums(rows[..200]), Sums(rows));
        var rest = whole.Without(Sums(rows[200..]));
        Assert.Equal(left.Auc(), rest.Auc());
        Assert.Equal(left.Calibration().Error, rest.Calibration().Error, 12);
        Assert.Equal((left.Count, left.Right()), (rest.Count, rest.Right()));
    }

    [Fact]
    public void One_class_has_no_auc()
    {
        var sums = new BinnedScores();
        sums.Add(0.3, true);
        Assert.True(double.IsNaN(sums.Auc().Auc) && double.IsNaN(sums.Auc().Error));
    }

    /// <summary>Scores in the middle of a bin each, so that no bin holds two different ones; more often right than not.</summary>
    private static (double Score, bool Label)[] Rows(int count)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(_ => (random.Next(BinnedScores.Bins) + 0.5) / BinnedScores.Bins).Select(score => (score, random.NextDouble() < 0.2 + (0.5 * score)))];
    }

    private static BinnedScores Sums((double Score, bool Label)[] rows)
    {
        var sums = new BinnedScores();
        foreach (var (score, label) in rows)
            sums.Add(score, label);
        return sums;
    }
}
