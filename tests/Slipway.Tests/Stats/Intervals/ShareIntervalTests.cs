using Slipway.Stats.Intervals;

namespace Slipway.Tests.Stats.Intervals;

public sealed class ShareIntervalTests
{
    /// <summary>Source: Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3.</summary>
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0.0000, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void Wilsons_interval_has_its_published_ends(double count, double of, double low, double high)
    {
        var interval = ShareInterval.Wilson(count, of, ShareInterval.Z95);
        Assert.Equal((low, high), (Math.Round(interval.Low, 4), Math.Round(interval.High, 4)));
    }

    [Fact]
    public void None_and_all_reach_the_end_and_nothing_leaves_it()
    {
        Assert.Equal(0, ShareInterval.Wilson(0, 7, ShareInterval.Z95).Low);
        Assert.Equal(1, ShareInterval.Wilson(7, 7, ShareInterval.Z95).High);
    }
}
