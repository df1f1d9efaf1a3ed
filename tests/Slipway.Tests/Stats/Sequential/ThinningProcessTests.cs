using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

/// <summary>Numbers: the definition in plain Python, Σⱼ exp(Σ x ln(rⱼ/r₀) − n ln((1−ρ+ρrⱼ)/(1−ρ+ρr₀)))/40, apart from this code.</summary>
public sealed class ThinningProcessTests
{
    private static readonly (double Share, long First, long Second)[] Ramp = [(.01, 3, 20), (.1, 12, 30), (.5, 40, 35)];

    [Fact]
    public void Evidence_is_the_mean_over_forty_ratios()
    {
        Near(1.6622327333318583, Of(ThinningProcess.Harm(1), (.1, 1, 0)));
        Near(-0.6435248974962302, Of(ThinningProcess.Harm(1), (.1, 0, 1)));
        Near(1.491053470751233, Of(ThinningProcess.Harm(1), Ramp));
        Near(-2.2340185489116613, Of(ThinningProcess.Harm(1.5), Ramp));
        Near(10.84136113257186, Of(ThinningProcess.NonInferiority(.5), (.1, 30, 270), (.5, 200, 210)));
        Near(-3.3293154533262634, Of(ThinningProcess.NonInferiority(.5), (.1, 60, 240)));

        static void Near(double expected, double found) => Assert.Equal(expected, found, 1e-11);
    }

    [Fact]
    public void Grids_are_wide_and_on_one_side_of_what_is_tested()
    {
        var harm = ThinningProcess.Harm(2).Ratios;
        Assert.Equal((40, 2.2, 200), (harm.Length, harm[0], Math.Round(harm[^1], 9)));
        var good = ThinningProcess.NonInferiority(0.5).Ratios;
        Assert.Equal((0.25, 1.485), (good[0], Math.Round(good[^1], 9)));
        Assert.Contains(1.0, good.ToArray());
        Assert.Contains(1.0, ThinningProcess.NonInferiority(0.001).Ratios.ToArray());
    }

    /// <summary>One step, all of it: what is expected of E after an event at the true ratio, over the two arms that it can fall to.</summary>
    [Theory]
    [InlineData(1), InlineData(1.5), InlineData(10)]
    public void What_is_expected_of_harm_is_at_most_one_while_the_ratio_is_tolerated(double tolerated)
    {
        foreach (var share in new[] { 1e-4, 0.01, 0.1, 0.5, 0.9, 0.9999 })
        {
            Assert.Equal(1, Expected(() => ThinningProcess.Harm(tolerated), share, tolerated), 1e-12);
            foreach (var ratio in new[] { 0, 0.1, 0.5, 0.99 })
                Assert.True(Expected(() => ThinningProcess.Harm(tolerated), share, ratio * tolerated) < 1);
            Assert.True(Expected(() => ThinningProcess.Harm(tolerated), share, 1.01 * tolerated) > 1);
        }
    }

    [Fact]
    public void What_is_expected_of_non_inferiority_is_at_most_one_while_the_ratio_is_beyond_the_margin()
    {
        foreach (var share in new[] { 1e-4, 0.01, 0.5, 0.9999 })
        {
            Assert.Equal(1, Expected(() => ThinningProcess.NonInferiority(0.5), share, 1.5), 1e-12);
            Assert.True(Expected(() => ThinningProcess.NonInferiority(0.5), share, 1.6) < 1);
            Assert.True(Expected(() => ThinningProcess.NonInferiority(0.5), share, 100) < 1);
            Assert.True(Expected(() => ThinningProcess.NonInferiority(0.5), share, 1) > 1);
        }
    }

    [Fact]
    public void Events_one_by_one_and_counts_in_any_order_are_the_same()
    {
        var one = ThinningProcess.Harm(1);
        foreach (var (share, first, second) in Ramp)
        {
            for (var i = 0; i < first + second; i++)
                one.Add(share, i % 2 == 0 ? i / 2 < first : i / 2 >= second);
        }

        Assert.Equal(Of(ThinningProcess.Harm(1), Ramp), one.LogE, 1e-9);
        Assert.Equal(one.LogE, Of(ThinningProcess.Harm(1), [.. Ramp.Reverse()]), 1e-9);
        one.Clear();
        Assert.Equal(0, one.LogE, 1e-15);
    }

    [Fact]
    public void Without_the_other_arm_an_event_says_nothing()
    {
        var process = ThinningProcess.Harm(1);
        process.Add(0, 1000, 1000);
        process.Add(1, 1000, 1000);
        process.Add(1, true);
        Assert.Equal(0, process.LogE, 1e-15);
        process.Add(0.9999, true);
        Assert.NotEqual(0, process.LogE, 1e-6);
    }

    [Fact]
    public void Billions_of_events_stay_finite()
    {
        Assert.InRange(Of(ThinningProcess.Harm(1), (1e-4, 3_000_000_000, 3)), 1e9, 1e11);
        Assert.InRange(Of(ThinningProcess.Harm(1), (0.9999, 3, 3_000_000_000)), -1e12, -1e3);
        Assert.True(double.IsFinite(Of(ThinningProcess.NonInferiority(0.1), (0.5, 4_000_000_000_000, 4_000_000_000_000))));
    }

    [Fact]
    public void It_is_reached_exactly_at_the_threshold()
    {
        var process = ThinningProcess.Harm(1);
        process.Add(0.1, 3, 0);
        Assert.True(process.Reaches(process.LogE));
        Assert.False(process.Reaches(process.LogE + 1e-9));
    }

    [Fact]
    public void What_is_no_share_ratio_or_count_is_refused()
    {
        foreach (var wrong in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.Harm(wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.NonInferiority(wrong));
        }

        foreach (var wrong in new[] { -0.1, 1.1, double.NaN })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.Harm(1).Add(wrong, true));
            Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.Harm(1).Add(wrong, 1, 1));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.Harm(1).Add(0.5, -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ThinningProcess.Harm(1).Add(0.5, 1, -1));
    }

    private static double Of(ThinningProcess process, params (double Share, long First, long Second)[] events)
    {
        foreach (var (share, first, second) in events)
            process.Add(share, first, second);
        return process.LogE;
    }

    private static double Expected(Func<ThinningProcess> make, double share, double ratio)
    {
        var first = share * ratio / (1 - share + share * ratio);
        return first * Math.Exp(Of(make(), (share, 1, 0))) + (1 - first) * Math.Exp(Of(make(), (share, 0, 1)));
    }
}
