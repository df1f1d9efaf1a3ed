using System.Text;
using Slipway.Documents;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Documents.Specs;

public sealed class ReleaseTests
{
    private const string Canary = "strategy: canary, ";

    [Fact]
    public void The_release_plan_is_read_as_it_is_written()
    {
        var plan = SpecText.Parse(SpecText.Full).Release!;
        Assert.Equal(ChannelPlan.BlueGreen with { KeepWarm = new(TimeSpan.FromMinutes(10)) }, plan.Channels["staging"]);
        var production = plan.Channels["production"];
        Assert.Equal(
            [
                new RolloutStep(100, Seconds(3), Seconds(7200), 0, null), new RolloutStep(1_000, default, null, 0, null),
                new RolloutStep(5_000, default, null, 0, null), new RolloutStep(10_000, default, null, 200, Seconds(3600)),
            ],
            production.Steps);
        Assert.Equal(
            (Strategy.Canary, "header:x-user-id", new Guard(new Ratio(0.01), new LatencyGuard(0.99, new Duration(TimeSpan.FromMilliseconds(50))))),
            (production.Strategy, production.Key, production.Guard));
        Assert.Equal(new JudgeSettings(new Ratio(0.01), 1, 0.5, OnInsufficient.Hold), production.Judge);
        Assert.Equal([new ApprovalRule("model-risk", 1)], production.Approvals);
        Assert.Equal(Seconds(3600), production.KeepWarm);
    }

    [Fact]
    public void What_is_left_out_has_its_documented_default()
    {
        Assert.Null(SpecText.Parse(SpecText.Small).Release);
        Assert.Equal(ReleasePlan.Default.Digest, Plan("{}").Digest);
        Assert.Equal(ReleasePlan.Default.Digest, Plan("{ production: { strategy: canary } }").Digest);
        Assert.Equal(
            [(100, 600), (1_000, 600), (5_000, 600), (10_000, 0)],
            ReleasePlan.Default.Channels["production"].Steps.Select(step => (step.Weight, (int)step.AtLeast.Seconds)));
        Assert.Empty(Plan("{ production: { strategy: shadow, guard: { error-rate: 1 % } } }").Channels["production"].Steps);
        Assert.Empty(PlanRules.Check(ReleasePlan.Default));
    }

    [Fact]
    public void The_plan_is_outside_the_sealed_spec()
    {
        var (with, without) = (SpecText.Parse(SpecText.Full), SpecText.Parse(SpecText.Full[..SpecText.Full.IndexOf("release:", StringComparison.Ordinal)]));
        Assert.Null(without.Release);
        Assert.Equal(Bytes(without.ForSeal()), Bytes(with.ForSeal()));
        Assert.DoesNotContain("\"release\"", Bytes(with.ForSeal()), StringComparison.Ordinal);
        Assert.NotEqual(Bytes(without), Bytes(with));
        // Bundles that were sealed before there were release plans are the same bytes still.
        Assert.Equal(
            ["data", "description", "determinism", "environments", "evaluate", "gates", "hardware", "license", "model", "name", "owners", "params", "requires", "stages"],
            System.Text.Json.JsonDocument.Parse(Bytes(with.ForSeal())).RootElement.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public void A_plan_comes_back_from_its_canonical_bytes()
    {
        var plan = SpecText.Parse(SpecText.Full).Release!;
        var read = System.Text.Json.JsonSerializer.Deserialize(CanonicalJson.Serialize(plan, RolloutJson.Default.ReleasePlan), RolloutJson.Default.ReleasePlan)!;
        Assert.Equal(plan.Digest, read.Digest);
        Assert.NotEqual(ReleasePlan.Default.Digest, read.Digest);
        Assert.Empty(PlanRules.Check(read));
    }

    [Theory]
    [InlineData("strategy: flag", "not-offered", 27, "strategy is 'flag', which this version does not offer yet; allowed blue-green, canary, shadow")]
    [InlineData("strategy: canarry", "bad-value", 27, "nearest is 'canary'")]
    [InlineData("strateg: canary", "unknown-key", 17, "nearest is 'strategy'")]
    [InlineData("key: request-id", "missing-key", 3, "production lacks the key 'strategy'")]
    [InlineData("strategy: blue-green, steps: [{ weight: 100 % }]", "bad-value", 39, "only a canary has steps")]
    [InlineData(Canary + "steps: []", "bad-value", 42, "steps has 0 items")]
    [InlineData(Canary + "steps: [{ weight: 10 % }, { weight: 5 % }, { weight: 100 % }]", "bad-value", 63, "the weight is 5 % after 10 %")]
    [InlineData(Canary + "steps: [{ weight: 10 % }, { weight: 10 % }, { weight: 100 % }]", "bad-value", 63, "allowed only more than the step before")]
    [InlineData(Canary + "steps: [{ weight: 1 % }, { weight: 50 % }]", "bad-value", 62, "the last step's weight is 50 %, allowed 100 %")]
    [InlineData(Canary + "steps: [{ weight: 0 % }, { weight: 100 % }]", "wrong-unit", 53, "allowed a share from 0.0001 to 1")]
    [InlineData(Canary + "steps: [{ weight: 0.015 % }, { weight: 100 % }]", "bad-value", 53, "allowed a share in steps of 0.01 %")]
    [InlineData(Canary + "steps: [{ weight: 101 % }]", "wrong-unit", 53, "weight is '101 %'")]
    [InlineData(Canary + "steps: [{ wieght: 100 % }]", "unknown-key", 45, "nearest is 'weight'")]
    [InlineData(Canary + "steps: [{ weight: 1 %, at-least: 2 h, at-most: 1 h }, { weight: 100 % }]", "bad-value", 73, "at-most is 1 h, and at-least is 2 h")]
    [InlineData(Canary + "steps: [{ weight: 1 %, at-least: 3 }, { weight: 100 % }]", "wrong-unit", 68, "at-least is 3, allowed a time with its unit")]
    [InlineData(Canary + "steps: [{ weight: 1 %, hold-back: 1 %, for: 1 h }, { weight: 100 % }]", "bad-value", 58, "in a step that is not the last")]
    [InlineData(Canary + "steps: [{ weight: 1 %, for: 1 h }, { weight: 100 % }]", "bad-value", 58, "for stands in a step that is not the last")]
    [InlineData(Canary + "steps: [{ weight: 100 %, for: 1 h }]", "bad-value", 60, "there is no hold-back")]
    [InlineData(Canary + "steps: [{ weight: 100 %, hold-back: 2 % }]", "bad-value", 60, "for how long is not said")]
    [InlineData(Canary + "steps: [{ weight: 100 %, hold-back: 51 %, for: 1 h }]", "bad-value", 60, "allowed 0.01 % to 50 %")]
    [InlineData(Canary + "steps: [{ weight: 99 % }, { weight: 100 %, hold-back: 2 %, for: 1 h }]", "bad-value", 78, "the candidate would get 98 % after 99 %")]
    [InlineData("strategy: shadow", "bad-value", 17, "a shadow has no guard on the error rate")]
    [InlineData("strategy: shadow, guard: { latency: { p99: 50 ms } }", "bad-value", 17, "a shadow has no guard on the error rate")]
    [InlineData(Canary + "key: cookie:x", "bad-value", 40, "key is 'cookie:x', allowed request-id, header:NAME or body:FIELD")]
    [InlineData(Canary + "key: 'header:x y'", "bad-value", 40, "allowed request-id")]
    [InlineData(Canary + "guard: { error-rate: 60 % }", "wrong-unit", 56, "from 0.0001 to 0.5")]
    [InlineData(Canary + "guard: { latency: { p99: 50 } }", "wrong-unit", 60, "p99 is 50, allowed a time with its unit")]
    [InlineData(Canary + "guard: { latency: { p99: 50 ms, p50: 1 ms } }", "bad-value", 44, "names 2 quantiles, allowed is one")]
    [InlineData(Canary + "guard: { latency: {} }", "bad-value", 44, "names 0 quantiles")]
    [InlineData(Canary + "guard: { latency: { p98: 50 ms } }", "unknown-key", 55, "unknown key 'p98'")]
    [InlineData(Canary + "judge: { false-alarm: 0 }", "wrong-unit", 57, "from 0.0001 to 0.5")]
    [InlineData(Canary + "judge: { false-alarm: 51 % }", "wrong-unit", 57, "from 0.0001 to 0.5")]
    [InlineData(Canary + "judge: { tolerated-ratio: 0.9 }", "bad-value", 61, "allowed a number from 1 to 100")]
    [InlineData(Canary + "judge: { promote-margin: 0 }", "bad-value", 60, "allowed a number from 0.02 to 10")]
    [InlineData(Canary + "judge: { on-insufficient: promote }", "bad-value", 61, "allowed hold, rollback")]
    [InlineData(Canary + "approvals: [{ group: a, count: 0 }]", "bad-value", 66, "allowed a whole number from 1 to 20")]
    [InlineData(Canary + "approvals: [{ count: 1 }]", "missing-key", 47, "lacks the key 'group'")]
    [InlineData(Canary + "approvals: [{ group: a }, { group: a }]", "bad-value", 35, "the group 'a' stands twice")]
    [InlineData(Canary + "on-harm: ignore", "bad-value", 44, "allowed rollback")]
    [InlineData(Canary + "keep-warm: 0 h", "wrong-unit", 46, "allowed a time with its unit")]
    public void One_mistake_gives_one_fault(string production, string code, int column, string message)
    {
        var fault = SpecText.FaultOf("name: small", $"name: small\nrelease:\n  production: {{ {production} }}");
        Assert.Equal(code, fault.Code);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.Equal((4, column), (fault.Line!.Value, fault.Column!.Value));
    }

    [Fact]
    public void Other_channels_than_staging_and_production_are_refused()
    {
        var fault = SpecText.FaultOf("name: small", "name: small\nrelease: { prod: { strategy: canary } }");
        Assert.Contains("release may have staging, production", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_from_elsewhere_is_held_to_the_same_rules()
    {
        var sound = ReleasePlan.Default.Channels["production"];
        ChannelPlan[] broken =
        [
            sound with { Steps = [] }, sound with { Steps = default }, sound with { Strategy = (Strategy)7, Steps = [] }, sound with { Strategy = Strategy.BlueGreen },
            sound with { Steps = [.. sound.Steps.Reverse()] }, sound with { Steps = [new RolloutStep(0, default, null, 0, null), sound.Steps[^1]] },
            sound with { Steps = [new RolloutStep(20_000, default, null, 0, null)] }, sound with { Steps = [sound.Steps[^1] with { HoldBack = -1, For = Seconds(1) }] },
            sound with { Steps = [sound.Steps[0] with { AtMost = Seconds(1) }, sound.Steps[^1]] }, sound with { Key = "header:" },
            sound with { Guard = new Guard(new Ratio(0), null) }, sound with { Guard = new Guard(null, new LatencyGuard(0.42, Seconds(1))) },
            sound with { Judge = sound.Judge with { FalseAlarm = new Ratio(1) } }, sound with { Judge = sound.Judge with { ToleratedRatio = double.NaN } },
            sound with { Judge = sound.Judge with { PromoteMargin = double.PositiveInfinity } }, sound with { Approvals = [new ApprovalRule("", 1)] },
            sound with { Approvals = [new ApprovalRule("a", -1)] }, sound with { KeepWarm = default },
        ];
        Assert.All(broken, plan => Assert.NotEmpty(PlanRules.Check(ReleasePlan.Of(ChannelPlan.BlueGreen, plan))));
        var shadow = sound with { Strategy = Strategy.Shadow, Steps = [] };
        Assert.Contains("production: a shadow has no guard on the error rate", Assert.Single(PlanRules.Check(ReleasePlan.Of(ChannelPlan.BlueGreen, shadow))).Message, StringComparison.Ordinal);
        Assert.Empty(PlanRules.Check(ReleasePlan.Of(ChannelPlan.BlueGreen, shadow with { Guard = new Guard(new Ratio(0.01), null) })));
        Assert.Contains("production, step 1: at-most is 1 s", PlanRules.Check(ReleasePlan.Of(ChannelPlan.BlueGreen, broken[8]))[0].Message, StringComparison.Ordinal);
        Assert.NotEmpty(PlanRules.Check(new ReleasePlan(ReleasePlan.Default.Channels.Remove("staging"))));
        Assert.NotEmpty(PlanRules.Check(new ReleasePlan(ReleasePlan.Default.Channels.Add("qa", sound))));
    }

    private static ReleasePlan Plan(string release) => SpecText.Parse(SpecText.Small + $"\nrelease: {release}\n").Release!;

    private static Duration Seconds(double seconds) => new(TimeSpan.FromSeconds(seconds));

    private static string Bytes(Spec spec) => Encoding.UTF8.GetString(CanonicalJson.Serialize(spec, DocumentJson.Default.Spec));
}
