using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

public sealed class RolloutForecastTests
{
    private static readonly ForecastTerms Terms = new(100, 0.01, 0.05, 1, 0.5, 1, null, 0, [new(0.1, 0, null)], [2, 5, 10]);

    /// <summary>Source: simulations of the process alone at 1 % bad answers, a tenth of 100 requests/s, α = 5 %: medians of 114 s, 11 s and 4 s.</summary>
    [Fact]
    public void Harm_is_found_as_fast_as_is_known()
    {
        var harm = RolloutForecast.Run(Terms, 3, 100)[0].Harm;
        Assert.InRange(harm[0].Median!.Value, 80, 140);
        Assert.InRange(harm[1].Median!.Value, 6, 13);
        Assert.InRange(harm[2].Median!.Value, 1.5, 5);
        Assert.All(harm, time => Assert.True(time.Early <= time.MedianLow && time.MedianLow <= time.Median && time.Median <= time.MedianHigh && time.MedianHigh <= time.Late));
    }

    /// <summary>Without a bad answer the bound is reached after a number of requests that follows from its definition: 596 for ln 200 (a search in plain Python).</summary>
    [Fact]
    public void An_equal_candidate_without_errors_goes_on_when_the_bound_is_shown()
    {
        var step = RolloutForecast.Run(Terms with { BaselineRate = 0, Alpha = 0.01, HarmMeasures = 2, ErrorRateGuard = 0.01 }, 3, 10)[0];
        Assert.Equal(59.6, step.NoWorse!.Median!.Value, 0.11);
        Assert.Equal((1.0, null), (step.NoWorse.InTime, step.Harm[0].Median));
    }

    [Fact]
    public void No_step_is_left_before_its_time_or_its_least_requests()
    {
        var quick = Terms with { BaselineRate = 0, ErrorRateGuard = 0.5, HarmMeasures = 2 };
        Assert.InRange(RolloutForecast.Run(quick with { Steps = [new(0.1, 60, null)] }, 3, 10)[0].NoWorse!.Median!.Value, 60, 60.2);
        Assert.InRange(RolloutForecast.Run(quick with { LeastRequests = 100 }, 3, 10)[0].NoWorse!.Median!.Value, 10, 10.2);
    }

    [Fact]
    public void Evidence_is_carried_from_step_to_step()
    {
        var twice = RolloutForecast.Run(Terms with { Steps = [new(0.1, 0, null), new(0.1, 0, null)] }, 3, 20);
        Assert.True(twice[1].NoWorse!.Median < twice[0].NoWorse!.Median / 10);
        Assert.True(twice[1].Harm[0].Median > twice[0].Harm[0].Median);
    }

    [Fact]
    public void Without_a_control_the_guard_alone_finds_harm()
    {
        var all = RolloutForecast.Run(Terms with { Steps = [new(1, 0, null)], ErrorRateGuard = 0.015, HarmMeasures = 2 }, 3, 20)[0];
        Assert.Null(all.NoWorse);
        Assert.NotNull(all.Harm[2].Median);
        Assert.All(RolloutForecast.Run(Terms with { Steps = [new(1, 0, null)] }, 3, 10)[0].Harm, time => Assert.Equal((null, 0.0), (time.Median, time.InTime)));
    }

    [Fact]
    public void What_comes_too_late_is_counted_and_a_seed_gives_the_same_again()
    {
        var late = Terms with { Steps = [new(0.1, 0, 100)] };
        var step = RolloutForecast.Run(late, 3, 40)[0];
        Assert.InRange(step.Harm[0].InTime, 0.2, 0.7);
        Assert.Equal(step.Harm[0], RolloutForecast.Run(late, 3, 40)[0].Harm[0]);
        Assert.NotEqual(step.Harm[0], RolloutForecast.Run(late, 4, 40)[0].Harm[0]);
    }

    [Fact]
    public void Unusable_terms_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { RequestsPerSecond = 0 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { BaselineRate = 1.1 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms, 1, 9));
    }
}
