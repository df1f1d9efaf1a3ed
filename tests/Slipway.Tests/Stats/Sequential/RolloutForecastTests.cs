using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

public sealed class RolloutForecastTests
{
    private static readonly ForecastTerms Terms = new() { RequestsPerSecond = 100, BaselineRate = 0.01, Alpha = 0.05, HarmMeasures = 1, Steps = [new(0.1, 0, null)], Ratios = [2, 5, 10] };

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
    public void Without_a_control_the_guard_alone_finds_harm_and_only_until_the_step_is_over()
    {
        var guarded = Terms with { ErrorRateGuard = 0.015, HarmMeasures = 2 };
        var all = RolloutForecast.Run(guarded with { Steps = [new(1, 3_600, null)] }, 3, 20)[0];
        Assert.Null(all.NoWorse);
        Assert.Equal(1, all.Harm[2].InTime);
        var watch = RolloutForecast.Run(guarded with { Steps = [new(1, all.Harm[2].Median!.Value, null)] }, 3, 20)[0].Harm;
        Assert.InRange(watch[2].InTime, 0.1, 0.9);
        Assert.Equal((null, 0.0), (watch[0].Median, watch[0].InTime));
        Assert.All(RolloutForecast.Run(guarded with { Steps = [new(1, 0, null)] }, 3, 10)[0].Harm, time => Assert.Equal((null, 0.0), (time.Median, time.InTime)));
        Assert.All(RolloutForecast.Run(Terms with { Steps = [new(1, 3_600, null)] }, 3, 10)[0].Harm, time => Assert.Equal((null, 0.0), (time.Median, time.InTime)));
    }

    [Fact]
    public void Late_answers_hold_up_what_errors_would_let_go_and_are_harm_of_their_own()
    {
        var guarded = Terms with { BaselineRate = 0.001, ErrorRateGuard = 0.02, HarmMeasures = 2 };
        var late = guarded with { LatencyQuantile = 0.99, LateRate = 0.005, HarmMeasures = 4 };
        var (without, with) = (RolloutForecast.Run(guarded, 3, 40)[0], RolloutForecast.Run(late, 3, 40)[0]);
        Assert.Empty(without.LateHarm);
        Assert.True(with.NoWorse!.Median > 2 * without.NoWorse!.Median, $"{with.NoWorse} and {without.NoWorse}");
        Assert.True(with.LateHarm[0].Median > with.LateHarm[1].Median && with.LateHarm[1].Median > with.LateHarm[2].Median);
        // What is late more often than the guard allows is never shown to be below it.
        Assert.Equal(0, RolloutForecast.Run(late with { LateRate = 0.03, BaselineRate = 0, Margin = 0.02, Steps = [new(0.1, 0, 600)] }, 3, 10)[0].NoWorse!.InTime);
    }

    [Fact]
    public void A_shadow_is_held_to_its_bound_with_all_of_alpha()
    {
        var shadow = Terms with { Mode = ForecastMode.Shadow, Steps = [new(1, 0, null)], ErrorRateGuard = 0.03 };
        var step = RolloutForecast.Run(shadow, 3, 40)[0];
        Assert.Equal((1, 1), (step.NoWorse!.InTime, step.Harm[2].InTime));
        Assert.Equal(0, step.Harm[0].InTime);       // 2 % are below the bound
        Assert.True(RolloutForecast.Run(shadow with { HarmMeasures = 5 }, 3, 40)[0].Harm[1].Median > step.Harm[1].Median);
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
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { LateRate = -0.1 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { ErrorRateGuard = 0, HarmMeasures = 2 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { ErrorRateGuard = 0.1 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { Mode = ForecastMode.Shadow, LatencyQuantile = 0.99, HarmMeasures = 4 }, 1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RolloutForecast.Run(Terms with { Steps = [new(0, 0, null)] }, 1, 10));
    }
}
