using MathNet.Numerics.Distributions;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Tests.Stats.Metrics;

/// <summary>How often 95 % intervals hold the truth, over simulated samples with fixed seeds: wide limits, no measurement.</summary>
public class CoverageTests
{
    private const int Samples = 100, Resamples = 250;

    [Fact]
    public void Intervals_of_auc_hold_the_truth_of_two_normals()
    {
        var truth = Normal.CDF(0, 1, 1 / Math.Sqrt(2));
        Assert.InRange(Covered(measure: 0, truth, bca: true, sample => TwoNormals(120, sample)), 0.88, 0.99);
        Assert.InRange(Covered(measure: 0, truth + 0.1, bca: true, sample => TwoNormals(120, sample)), 0, 0.5);
    }

    [Fact]
    public void Rows_of_one_day_are_not_independent_and_only_the_bootstrap_over_days_knows()
    {
        Assert.InRange(Covered(measure: 2, truth: 0.21, bca: true, sample => Days(20, 25, sample, byDay: true)), 0.86, 0.99);
        Assert.InRange(Covered(measure: 2, truth: 0.21, bca: false, sample => Days(20, 25, sample, byDay: false)), 0.3, 0.8);
    }

    /// <summary>The score says 0, and seven tenths are.</summary>
    [Fact]
    public void Intervals_of_accuracy_hold_the_truth_and_only_over_days()
    {
        Assert.InRange(Covered(measure: 5, truth: 0.7, bca: true, sample => Days(20, 25, sample, byDay: true)), 0.86, 0.99);
        Assert.InRange(Covered(measure: 5, truth: 0.7, bca: false, sample => Days(20, 25, sample, byDay: false)), 0.3, 0.8);
    }

    [Fact]
    public void Intervals_of_the_debiased_calibration_error_seldom_end_below_the_truth()
    {
        var tooLow = 0;
        for (ulong sample = 0; sample < Samples; sample++)
            tooLow += Interval(3, false, CalibrationBinsTests.Calibrated(300, sample, shift: 0.04)).High < 0.04 ? 1 : 0;
        Assert.InRange(tooLow / (double)Samples, 0, 0.06);
    }

    private static double Covered(int measure, double truth, bool bca, Func<ulong, LabelledScores> draw)
    {
        var covered = 0;
        for (ulong sample = 0; sample < Samples; sample++)
        {
            var interval = Interval(measure, bca, draw(sample));
            covered += interval.Low <= truth && truth <= interval.High ? 1 : 0;
        }

        return covered / (double)Samples;
    }

    private static BootstrapInterval Interval(int measure, bool bca, LabelledScores rows)
    {
        var metrics = new BinaryMetrics(rows, rows.Rank());
        var run = ClusterBootstrap.Run(metrics.Units, BinaryMetrics.Names.Length, metrics.Measure, Resamples, 42, 2, TestContext.Current.CancellationToken);
        return bca
            ? BootstrapInterval.Bca(metrics.Measure()[measure], run.Replicates[measure], run.LeaveOneOut[measure], 0.95)
            : BootstrapInterval.Percentile(run.Replicates[measure], 0.95);
    }

    /// <summary>Scores of negatives from N(0, 1) and of positives from N(1, 1), moved into [0, 1] without changing their order.</summary>
    private static LabelledScores TwoNormals(int rows, ulong sample)
    {
        var stream = new Philox(5, sample);
        var (scores, labels) = (new double[rows], new bool[rows]);
        for (var i = 0; i < rows; i++)
        {
            labels[i] = i % 3 == 0;
            scores[i] = Normal.CDF(0, 3, Normal.InvCDF(labels[i] ? 1 : 0, 1, (stream.Next() + 0.5) / 4294967296.0));
        }

        return new LabelledScores(scores, labels, null, rows);
    }

    /// <summary>Every score is 0.3; a day's true rate is anywhere from 0 to 0.6, 0.3 on average.</summary>
    private static LabelledScores Days(int days, int rowsADay, ulong sample, bool byDay)
    {
        var stream = new Philox(6, sample);
        var (scores, labels, units) = (new double[days * rowsADay], new bool[days * rowsADay], new int[days * rowsADay]);
        for (var day = 0; day < days; day++)
        {
            var rate = 0.6 * stream.Next() / uint.MaxValue;
            for (var i = day * rowsADay; i < (day + 1) * rowsADay; i++)
                (scores[i], labels[i], units[i]) = (0.3, stream.Next() / (double)uint.MaxValue < rate, day);
        }

        return byDay ? new LabelledScores(scores, labels, units, days) : new LabelledScores(scores, labels, null, scores.Length);
    }
}
