using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

public sealed class QuantileBandTests
{
    /// <summary>Source: Howard and Ramdas, "Sequential estimation of quantiles", 2022: constants for A = 0.85.</summary>
    [Theory]
    [InlineData(0.05, 8.123), InlineData(0.025, 8.623), InlineData(0.01, 9.284), InlineData(0.001, 10.943)]
    public void Published_constants_are_met(double alpha, double constant) => Assert.Equal(constant, QuantileBand.Constant(alpha), 0.001);

    [Fact]
    public void A_band_is_the_formulas()
    {
        // 0.85 √((ln(1 + ln 100) + 8.123)/10,000), by hand: √(9.845549…e-4) · 0.85.
        Assert.Equal(0.85 * Math.Sqrt((Math.Log(1 + Math.Log(100)) + 8.123) / 10_000), QuantileBand.Radius(10_000, 8.123)!.Value, 1e-15);
        Assert.Equal(0.85 * Math.Sqrt(8.123 / 100), QuantileBand.Radius(100, 8.123)!.Value, 1e-15);
        Assert.Null(QuantileBand.Radius(99, 8.123));
        Assert.True(QuantileBand.Radius(1_000_000, 8.123) < QuantileBand.Radius(10_000, 8.123));
    }

    [Fact]
    public void A_smaller_level_widens_the_band_to_the_smallest_allowed() =>
        Assert.InRange(QuantileBand.Constant(1e-12), QuantileBand.Constant(1e-11) + 1, 30);

    [Fact]
    public void What_is_no_level_is_refused()
    {
        foreach (var wrong in new[] { 0, 1e-13, 0.6, double.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => QuantileBand.Constant(wrong));
        Assert.Throws<ArgumentOutOfRangeException>(() => QuantileBand.Radius(-1, 8));
    }
}
