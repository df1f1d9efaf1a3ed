using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Tests.Stats.Metrics;

public class CalibrationBinsTests
{
    /// <summary>Numbers from scipy's erf.</summary>
    [Theory]
    [InlineData(.3, .5, 0.46867273224175554)]
    [InlineData(0, .5, 0.3989422804014327)]
    [InlineData(2, .1, 2)]
    [InlineData(.3, 0, .3)]
    public void A_normal_errors_mean_size_is_the_folded_normals(double mean, double deviation, double expected) =>
        Assert.Equal(expected, CalibrationBins.FoldedMean(mean, deviation), 1e-15);

    [Fact]
    public void The_debiased_error_of_a_calibrated_model_is_far_below_the_plain_one()
    {
        var (debiased, plain) = (0.0, 0.0);
        for (ulong sample = 0; sample < 50; sample++)
        {
            var rows = Calibrated(1000, sample, shift: 0);
            var values = new BinaryMetrics(rows, rows.Rank()).Measure();
            (debiased, plain) = (debiased + values[3] / 50, plain + values[4] / 50);
        }

        Assert.InRange(plain, 0.025, 0.05);
        Assert.InRange(debiased, 0, 0.6 * plain);
    }

    [Fact]
    public void The_debiased_error_of_a_miscalibrated_model_stays()
    {
        var rows = Calibrated(20_000, 1, shift: 0.1);
        Assert.Equal(0.1, new BinaryMetrics(rows, rows.Rank()).Measure()[3], 0.015);
    }

    [Fact]
    public void A_bin_of_one_unit_counts_plainly()
    {
        var rows = new LabelledScores([.55, .55, .55], [true, true, false], [0, 0, 0], 1);
        var values = new BinaryMetrics(rows, rows.Rank()).Measure();
        Assert.Equal(values[4], values[3], 1e-15);
        rows = new LabelledScores([.55, .55, .55], [true, true, false], [0, 0, 1], 2);
        Assert.True(new BinaryMetrics(rows, rows.Rank()).Measure()[3] < values[4]);
    }

    [Fact]
    public void A_resample_is_debiased_for_two_noises()
    {
        var rows = Calibrated(500, 3, shift: 0.05);
        var metrics = new BinaryMetrics(rows, rows.Rank());
        var (once, sample, resample) = (new int[500], new double[BinaryMetrics.Names.Length], new double[BinaryMetrics.Names.Length]);
        Array.Fill(once, 1);
        metrics.Measure(once, Weighting.Sample, sample);
        metrics.Measure(once, Weighting.Resample, resample);
        Assert.True(resample[3] < sample[3]);
        Assert.Equal(sample[4], resample[4]);
    }

    [Fact]
    public void Scores_of_0_and_1_fall_into_the_outer_bins()
    {
        var rows = new LabelledScores([0, 1], [true, false], null, 2);
        Assert.Equal(1, new BinaryMetrics(rows, rows.Rank()).Measure()[4]);
    }

    internal static LabelledScores Calibrated(int count, ulong sample, double shift)
    {
        var stream = new Philox(99, sample);
        var (scores, labels) = (new double[count], new bool[count]);
        for (var i = 0; i < count; i++)
        {
            scores[i] = 0.05 + 0.8 * stream.Next() / uint.MaxValue;
            labels[i] = stream.Next() / (double)uint.MaxValue < scores[i] + shift;
        }

        return new LabelledScores(scores, labels, null, count);
    }
}
