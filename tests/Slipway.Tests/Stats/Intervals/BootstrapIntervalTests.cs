using Slipway.Stats.Intervals;

namespace Slipway.Tests.Stats.Intervals;

public class BootstrapIntervalTests
{
    private static readonly double[] Published = [10, 12, 12.5, 12.5, 13.9, 15, 21, 22, 23, 34, 50, 81, 89, 121, 134, 213];

    /// <summary>Source: R's boot package with 1,000,000 resamples, as in scipy's test_bootstrap_against_R, which also allows 0.5 %.</summary>
    [Fact]
    public void Published_intervals_of_a_mean_are_met()
    {
        var run = ClusterBootstrap.Run(Published.Length, 1, Mean, 300_000, seed: 42, threads: 2, TestContext.Current.CancellationToken);
        var percentile = BootstrapInterval.Percentile(run.Replicates[0], 0.95);
        var bca = BootstrapInterval.Bca(Published.Average(), run.Replicates[0], run.LeaveOneOut[0], 0.95);

        Near(28.86, percentile.Low);
        Near(84.21, percentile.High);
        Near(32.31, bca.Low);
        Near(91.43, bca.High);
        Assert.Equal(0.0615289, BootstrapInterval.Acceleration(run.LeaveOneOut[0]), 1e-7);

        static void Near(double expected, double? found) => Assert.InRange(found!.Value, expected * 0.995, expected * 1.005);
    }

    /// <summary>Numbers from scipy 1.10's BCa and numpy's percentile on the same replicates.</summary>
    [Fact]
    public void Intervals_of_given_replicates_equal_scipys()
    {
        double[] replicates = [.. Enumerable.Range(0, 999).Select(i => Math.Pow(i * 7919 % 1000 / 1000.0, 2))];
        double[] leaveOneOut = [.2, .22, .25, .21, .4, .24, .26];
        var percentile = BootstrapInterval.Percentile(replicates, 0.95);
        var bca = BootstrapInterval.Bca(0.3, replicates, leaveOneOut, 0.95);

        Assert.Equal(6.2255e-4, percentile.Low!.Value, 1e-14);
        Assert.Equal(0.94877345, percentile.High!.Value, 1e-12);
        Assert.Equal(0.0002520545646565609, bca.Low!.Value, 1e-10);
        Assert.Equal(0.932767151141457, bca.High!.Value, 1e-10);
        Assert.Equal(-0.10207785455371492, BootstrapInterval.Acceleration(leaveOneOut), 1e-14);
        Assert.NotEqual(bca.Low, BootstrapInterval.Bca(0.31, replicates, leaveOneOut, 0.95).Low);
    }

    [Fact]
    public void Replicates_that_all_equal_the_estimate_have_no_bias_and_no_width() =>
        Assert.Equal(new BootstrapInterval(0, 0, null), BootstrapInterval.Bca(0, new double[100], new double[7], 0.95));

    [Fact]
    public void Replicates_all_on_one_side_of_the_estimate_give_no_interval()
    {
        double[] replicates = [1, 2, 3];
        Assert.Equal("all 3 resamples lie above the estimate, so their bias cannot be corrected", BootstrapInterval.Bca(0.5, replicates, [1, 2], 0.95).Lacks);
        Assert.Null(BootstrapInterval.Bca(3.5, replicates, [1, 2], 0.95).Low);
        Assert.NotNull(BootstrapInterval.Bca(3, replicates, [1, 2], 0.95).Low);
    }

    [Fact]
    public void A_skewness_beyond_the_corrections_reach_gives_no_interval()
    {
        double[] replicates = [.. Enumerable.Range(0, 1000).Select(i => (double)i)];
        double[] oneUnitIsAll = [.. Enumerable.Repeat(1.0, 999), -1e6];
        Assert.NotNull(BootstrapInterval.Bca(995, replicates, oneUnitIsAll, 0.9999).Lacks);
        Assert.Null(BootstrapInterval.Bca(995, replicates, [.. Enumerable.Range(0, 1000).Select(i => (double)i)], 0.9999).Lacks);
    }

    [Fact]
    public void Rounding_alone_is_no_skewness()
    {
        double[] leaveOneOut = [0.1 + 0.2, 0.3, 0.3, 0.3];
        Assert.Equal(0, BootstrapInterval.Acceleration(leaveOneOut));
        leaveOneOut[0] = 0.3001;
        Assert.NotEqual(0, BootstrapInterval.Acceleration(leaveOneOut));
    }

    [Fact]
    public void Replicates_do_not_depend_on_the_number_of_threads()
    {
        var alone = ClusterBootstrap.Run(Published.Length, 1, Mean, 500, seed: 7, threads: 1, TestContext.Current.CancellationToken);
        var many = ClusterBootstrap.Run(Published.Length, 1, Mean, 500, seed: 7, threads: 8, TestContext.Current.CancellationToken);
        var other = ClusterBootstrap.Run(Published.Length, 1, Mean, 500, seed: 8, threads: 1, TestContext.Current.CancellationToken);
        Assert.Equal(alone.Replicates[0], many.Replicates[0]);
        Assert.Equal(alone.LeaveOneOut[0], many.LeaveOneOut[0]);
        Assert.NotEqual(alone.Replicates[0], other.Replicates[0]);
    }

    [Fact]
    public void Beyond_1024_units_none_is_left_out()
    {
        Assert.Equal(1024, Run(1024).LeaveOneOut[0].Length);
        Assert.Empty(Run(1025).LeaveOneOut[0]);

        static ClusterBootstrap Run(int units) =>
            ClusterBootstrap.Run(units, 1, static (_, _, values) => values[0] = 1, 2, 1, 1, TestContext.Current.CancellationToken);
    }

    private static void Mean(ReadOnlySpan<int> weights, Weighting weighting, Span<double> values)
    {
        var (sum, count) = (0.0, 0);
        for (var i = 0; i < weights.Length; i++)
            (sum, count) = (sum + weights[i] * Published[i], count + weights[i]);
        values[0] = sum / count;
    }
}
