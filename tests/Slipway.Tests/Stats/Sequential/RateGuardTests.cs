using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

/// <summary>Numbers: the definitions in plain Python, apart from this code.</summary>
public sealed class RateGuardTests
{
    [Fact]
    public void Evidence_is_the_mean_over_forty_rates_on_one_side_of_the_bound()
    {
        Assert.Equal(2.7502631395907677, RateGuard.LogEAbove(0.01, 5, 100), 1e-11);
        Assert.Equal(10.8665286074257, RateGuard.LogEAbove(0.01, 30, 1000), 1e-11);
        Assert.Equal(-907.8790327332881, RateGuard.LogEAbove(0.01, 1000, 1_000_000), 1e-7);
        Assert.Equal(9.133482676063718, RateGuard.LogEBelow(0.01, 0, 1000), 1e-11);
        Assert.Equal(6.716008495962402, RateGuard.LogEBelow(0.01, 5, 2000), 1e-11);
        Assert.Equal(-2.7235875732625114, RateGuard.LogEBelow(0.01, 20, 2000), 1e-11);
        Assert.Equal(0, RateGuard.LogEAbove(0.01, 0, 0), 1e-15);
    }

    [Theory]
    [InlineData(0.0001), InlineData(0.01), InlineData(0.5), InlineData(0.999)]
    public void What_is_expected_is_one_at_the_bound_and_less_on_the_tested_side(double bound)
    {
        Assert.Equal(1, Expected(RateGuard.LogEAbove, bound), 1e-12);
        Assert.Equal(1, Expected(RateGuard.LogEBelow, bound), 1e-12);
        Assert.True(Expected(RateGuard.LogEAbove, bound * 0.9) < 1);
        Assert.True(Expected(RateGuard.LogEAbove, bound + (1 - bound) * 0.1) > 1);
        Assert.True(Expected(RateGuard.LogEBelow, bound + (1 - bound) * 0.1) < 1);
        Assert.True(Expected(RateGuard.LogEBelow, bound * 0.9) > 1);

        double Expected(Func<double, long, long, double> logE, double rate) => rate * Math.Exp(logE(bound, 1, 1)) + (1 - rate) * Math.Exp(logE(bound, 0, 1));
    }

    [Fact]
    public void Where_the_bound_is_none_or_all_one_request_can_prove_it()
    {
        Assert.Equal(double.PositiveInfinity, RateGuard.LogEAbove(0, 1, 1000));
        Assert.Equal(0, RateGuard.LogEAbove(0, 0, 1000), 1e-15);
        Assert.Equal(0, RateGuard.LogEAbove(1, 1000, 1000), 1e-15);
        Assert.Equal(0, RateGuard.LogEBelow(0, 0, 1000), 1e-15);
        Assert.Equal(double.PositiveInfinity, RateGuard.LogEBelow(1, 999, 1000));
        Assert.Equal(0, RateGuard.LogEBelow(1, 1000, 1000), 1e-15);
    }

    [Fact]
    public void An_interval_holds_every_rate_that_is_not_refuted()
    {
        Near((0.007149478932596962, 0.15579444354060604), RateGuard.Interval(5, 100, 0.05));
        Near((0, 0.021173966497778546), RateGuard.Interval(0, 300, 0.05));
        Near((0.00862053476210311, 0.011517767791153214), RateGuard.Interval(1000, 100_000, 0.01));
        Near((0.5213828761341972, 1), RateGuard.Interval(7, 7, 0.05));
        Assert.Equal((0, 1), RateGuard.Interval(0, 0, 0.05));
        Assert.True(RateGuard.Interval(5, 100, 0.01).High > RateGuard.Interval(5, 100, 0.05).High);
        Assert.InRange(RateGuard.Interval(1_000_000_000, 100_000_000_000, 0.05).High, 0.01, 0.0101);

        static void Near((double Low, double High) expected, (double Low, double High) found)
        {
            Assert.Equal(expected.Low, found.Low, 1e-10);
            Assert.Equal(expected.High, found.High, 1e-10);
        }
    }

    [Fact]
    public void What_is_no_rate_or_count_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.LogEAbove(-0.1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.LogEBelow(double.NaN, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.LogEAbove(0.1, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.LogEBelow(0.1, -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.Interval(0, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => RateGuard.Interval(2, 1, 0.05));
    }
}
