using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;

namespace Slipway.Tests.Server.Judging;

public sealed class PlanForecastTests
{
    private static readonly ChannelPlan Canary = new(
        Strategy.Canary, [Step(1_000, 0), Step(Weight.All, 200)], ChannelPlan.RequestId, new(new Ratio(0.02), null), JudgeSettings.Default, [], default);

    [Fact]
    public void Every_step_of_a_plan_is_played_as_it_is_judged()
    {
        var steps = PlanForecast.Of(Canary, 1_000, 0.01, 30);
        Assert.Equal(2, steps.Length);
        Assert.All(steps, step => Assert.Equal(PlanForecast.Ratios.Length, step.Harm.Length));
        Assert.All(steps, step => Assert.NotNull(step.NoWorse));       // a control is held back in the last one
        Assert.True(steps[0].Harm[0].Median > steps[0].Harm[2].Median);
        Assert.True(PlanForecast.Of(Canary, 100, 0.01, 30)[0].Harm[1].Median > 5 * steps[0].Harm[1].Median);
    }

    [Fact]
    public void A_switch_has_one_step_and_its_guards_alone()
    {
        var step = Assert.Single(PlanForecast.Of(Canary with { Strategy = Strategy.BlueGreen, Steps = [] }, 1_000, 0.01, 30));
        Assert.Null(step.NoWorse);
        Assert.NotNull(step.Harm[1].Median);
        Assert.All(PlanForecast.Of(Canary with { Strategy = Strategy.Shadow, Steps = [], Guard = new(null, null) }, 1_000, 0.01, 30)[0].Harm, time => Assert.Null(time.Median));
    }

    private static RolloutStep Step(int weight, int holdBack) => new(weight, default, null, holdBack, null);
}
