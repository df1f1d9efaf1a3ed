using Slipway.Stats.Metrics;

namespace Slipway.Tests.Stats.Metrics;

public sealed class ScoreCurvesTests
{
    /// <summary>Scores 0, 1/n, …; the upper half is positive.</summary>
    private static (LabelledScores Data, int[] Ranked) Ladder(int rows, int ties = 1)
    {
        var scores = Enumerable.Range(0, rows).Select(row => row / ties * ties / (double)rows).ToArray();
        var data = new LabelledScores(scores, [.. Enumerable.Range(0, rows).Select(row => row >= rows / 2)], null, rows);
        return (data, data.Rank());
    }

    private static ScoreCurves Of(int rows, int ties = 1)
    {
        var (data, ranked) = Ladder(rows, ties);
        return ScoreCurves.Of(data, ranked);
    }

    [Theory]
    [InlineData(19, 0, 0)]
    [InlineData(20, 1, 1)]
    [InlineData(39, 1, 1)]
    [InlineData(40, 2, 2)]
    [InlineData(205, 10, 9)]
    [InlineData(2_000, 100, 10)]
    [InlineData(54_321, 99, 9)]
    public void There_are_as_many_groups_as_rows_allow_and_none_is_small(int rows, int steps, int bins)
    {
        var curves = Of(rows);
        Assert.Equal((steps, bins), (curves.Steps.Length, curves.Bins.Length));
        foreach (var groups in new[] { curves.Steps, curves.Bins }.Where(groups => !groups.IsEmpty))
        {
            Assert.Equal((rows, rows - rows / 2), (groups.Sum(group => group.Rows), groups.Sum(group => group.Positives)));
            Assert.All(groups, group => Assert.True(group.Rows >= ScoreCurves.LeastRows));
        }
    }

    [Fact]
    public void Rows_of_one_score_are_never_parted()
    {
        var curves = Of(1_000, ties: 150);
        Assert.Equal([150, 150, 150, 150, 150, 150, 100], curves.Bins.Select(bin => bin.Rows));
        Assert.Equal([100, 150, 150, 150, 150, 150, 150], curves.Steps.Select(step => step.Rows));
    }

    [Fact]
    public void Steps_fall_and_bins_rise()
    {
        var curves = Of(1_000);
        Assert.Equal((20, 20), (curves.Steps[0].Rows, curves.Steps[0].Positives));
        Assert.Equal((100, 0), (curves.Bins[0].Rows, curves.Bins[0].Positives));
        Assert.Equal(Enumerable.Range(0, 100).Sum(row => row / 1_000.0), curves.Bins[0].ScoreSum, 1e-9);
    }
}
