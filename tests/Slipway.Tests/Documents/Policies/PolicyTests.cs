using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using NJsonSchema;
using Slipway.Documents.Policies;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Tests.Documents.Reading;

namespace Slipway.Tests.Documents.Policies;

public sealed class PolicyTests
{
    private const string Full = """
        slipway-policy: 1
        models:
          '*':
            staging: { strategies: [blue-green] }
            production:
              approvals: [{ group: '*', count: 1 }]
              strategies: [canary, shadow]
              widest-first-step: 5 %
              shortest-at-least: 5 min
              longest-at-most: 4 h
              required-gates: [good enough]
          flight-delay:
            production: { approvals: [{ group: model-risk, count: 2 }, { group: '*', count: 3 }], strategies: [canary, blue-green], longest-at-most: 2 h, required-gates: [calibrated] }
        """;

    [Fact]
    public void What_is_said_of_all_models_and_of_one_holds_together()
    {
        var policy = Parse(Full);
        var one = policy.Floor("flight-delay", "production");
        Assert.Equal([new ApprovalRule("*", 3), new ApprovalRule("model-risk", 2)], one.Approvals!.Value);
        Assert.Equal([Strategy.Canary], one.Strategies!.Value);
        Assert.Equal((500, Minutes(5), Minutes(120)), (one.WidestFirstStep, one.ShortestAtLeast, one.LongestAtMost));
        Assert.Equal(["calibrated", "good enough"], one.RequiredGates);
        var other = policy.Floor("fraud", "production");
        Assert.Equal((Minutes(240), 1), (other.LongestAtMost, other.Approvals!.Value.Single().Count));
        Assert.Empty(policy.Floor("fraud", "staging").Approvals!.Value);
    }

    [Fact]
    public void Only_a_policy_that_says_so_takes_approvals_away()
    {
        Assert.Equal([new ApprovalRule("*", 1)], Policy.Default.Floor("m", "production").Approvals!.Value);
        Assert.Equal([new ApprovalRule("*", 1)], Parse("slipway-policy: 1\nmodels: { '*': { production: { widest-first-step: 1 % } } }").Floor("m", "production").Approvals!.Value);
        Assert.Empty(Parse("slipway-policy: 1\nmodels: { '*': { production: { approvals: [] } } }").Floor("m", "production").Approvals!.Value);
        // An exception for one model takes nothing from what holds for all.
        Assert.Single(Parse("slipway-policy: 1\nmodels: { '*': { production: { approvals: [{ group: a }] } }, m: { production: { approvals: [] } } }").Floor("m", "production").Approvals!.Value);
    }

    [Fact]
    public void Approvals_are_united_and_an_empty_list_in_a_plan_changes_nothing()
    {
        var floor = ChannelPolicy.Silent with { Approvals = [new ApprovalRule("risk", 2)] };
        Assert.Equal([new ApprovalRule("risk", 2)], floor.Tighten(ChannelPlan.Canary with { Approvals = [] }).Plan!.Approvals);
        Assert.Equal([new ApprovalRule("risk", 2)], floor.Tighten(ChannelPlan.Canary with { Approvals = [new ApprovalRule("risk", 1)] }).Approvals);
        Assert.Equal([new ApprovalRule("ops", 1), new ApprovalRule("risk", 3)], floor.Tighten(ChannelPlan.Canary with { Approvals = [new ApprovalRule("risk", 3), new ApprovalRule("ops", 1)] }).Approvals);
    }

    [Fact]
    public void Strategies_and_first_steps_outside_the_policy_are_refused()
    {
        var floor = ChannelPolicy.Silent with { WidestFirstStep = 500 };
        Assert.Empty(floor.Tighten(ChannelPlan.Canary).Faults);
        Assert.Equal("policy-first-step", Only(floor.Tighten(ChannelPlan.Canary with { Steps = [Step(501), Step(10_000)] })));
        // All at once is the widest first step that there is; a shadow gives no traffic.
        Assert.Equal("policy-first-step", Only(floor.Tighten(ChannelPlan.BlueGreen)));
        Assert.Empty(floor.Tighten(ChannelPlan.BlueGreen with { Strategy = Strategy.Shadow }).Faults);
        Assert.Equal("policy-strategy", Only((ChannelPolicy.Silent with { Strategies = [Strategy.Canary] }).Tighten(ChannelPlan.BlueGreen)));
    }

    [Fact]
    public void Times_are_cut_and_raised_and_where_both_cannot_be_the_plan_is_refused()
    {
        var floor = ChannelPolicy.Silent with { ShortestAtLeast = Minutes(5), LongestAtMost = Minutes(60) };
        var plan = ChannelPlan.Canary with { Steps = [Step(100, null, 120), Step(500, 10, 30), Step(1_000, 1), Step(10_000)] };
        var tightened = floor.Tighten(plan);
        Assert.Equal([(5, 60), (10, 30), (5, 60), (0, -1)], tightened.Plan!.Steps.Select(step => ((int)step.AtLeast.Value.TotalMinutes, (int)(step.AtMost?.Value.TotalMinutes ?? -1))));
        Assert.Equal(4, tightened.Notes.Length);
        Assert.Equal("policy-step", Only(floor.Tighten(plan with { Steps = [Step(100, 90), Step(10_000)] })));
        Assert.Equal("policy-step", Only(floor.Tighten(plan with { Steps = [Step(100, 1, 2), Step(10_000)] })));
        Assert.Empty(PlanRules.Check(ReleasePlan.Of(ChannelPlan.BlueGreen, tightened.Plan)));
        var untouched = ChannelPolicy.Silent.Tighten(plan);
        Assert.Equal(plan.Steps.AsEnumerable(), untouched.Plan!.Steps);
        Assert.Empty(untouched.Notes);
    }

    [Theory]
    [InlineData("none", "oci", Isolation.Oci)]
    [InlineData("sandbox", "oci", Isolation.Sandbox)]
    public void The_stronger_of_two_isolations_is_asked_for(string all, string one, Isolation expected)
    {
        var policy = Parse($"slipway-policy: 1\nmodels: {{ '*': {{ production: {{ least-isolation: {all} }} }}, m: {{ production: {{ least-isolation: {one} }} }} }}");
        Assert.Equal(expected, policy.Floor("m", "production").LeastIsolation);
        Assert.Null(policy.Floor("m", "staging").LeastIsolation);
    }

    [Fact]
    public void What_the_judge_would_let_pass_is_bounded_and_what_is_stricter_stays()
    {
        var floor = Parse("slipway-policy: 1\nmodels: { m: { production: { largest-error-rate: 2 %, largest-false-alarm: 5 %, largest-tolerated-ratio: 1.2, largest-promote-margin: 0.4 } } }").Floor("m", "production");
        var lax = ChannelPlan.Canary with { Judge = new(new(0.5), 100, 10, OnInsufficient.Hold) };
        var tightened = floor.Tighten(lax);
        Assert.Equal(new Guard(new Ratio(0.02), null), tightened.Plan!.Guard);
        Assert.Equal(new JudgeSettings(new(0.05), 1.2, 0.4, OnInsufficient.Hold), tightened.Plan.Judge);
        Assert.Equal(4, tightened.Notes.Length);
        Assert.Contains("error-rate is at most 2 %, as the policy wants; the plan says nothing", tightened.Notes);
        Assert.Contains("tolerated-ratio is at most 1.2, as the policy wants; the plan says 100", tightened.Notes);

        var strict = ChannelPlan.Canary with { Guard = new(new(0.001), null), Judge = new(new(0.01), 1, 0.1, OnInsufficient.Rollback) };
        Assert.Equal((strict.Guard, strict.Judge), (floor.Tighten(strict).Plan!.Guard, floor.Tighten(strict).Plan!.Judge));
        Assert.Empty(floor.Tighten(strict).Notes);
        Assert.Equal((lax.Guard, lax.Judge), (ChannelPolicy.Silent.Tighten(lax).Plan!.Guard, ChannelPolicy.Silent.Tighten(lax).Plan!.Judge));
        Assert.Equal(1.1, ChannelPolicy.StricterOf(floor, ChannelPolicy.Silent with { LargestToleratedRatio = 1.1 }).LargestToleratedRatio);
    }

    [Theory]
    [InlineData("models: {}", "missing-key", "slipway-policy")]
    [InlineData("slipway-policy: 1", "missing-key", "models")]
    [InlineData("slipway-policy: 2\nmodels: {}", "bad-value", "allowed 1")]
    [InlineData("slipway-policy: 1\nmodels: { Bad: {} }", "bad-name", "'*' for all models")]
    [InlineData("slipway-policy: 1\nmodels: { m: { prod: {} } }", "unknown-key", "m may have staging, production")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { approval: [] } } }", "unknown-key", "nearest is 'approvals'")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { strategies: [] } } }", "bad-value", "has 0 items")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { strategies: [flag] } } }", "not-offered", "does not offer yet")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { widest-first-step: 0 } } }", "wrong-unit", "0.0001 to 1")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { approvals: [{ group: a }, { group: a }] } } }", "bad-value", "stands twice")]
    [InlineData("slipway-policy: 1\nmodels: { m: { production: { longest-at-most: 1 min, shortest-at-least: 2 min } } }", "bad-value", "no step could be both")]
    public void One_mistake_gives_one_fault(string yaml, string code, string message)
    {
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => Parse(yaml)).Faults);
        Assert.Equal(code, fault.Code);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.NotNull(fault.Line);
    }

    [Fact]
    public void A_policy_from_elsewhere_is_held_to_the_same_rules()
    {
        static Policy Of(string model, string channel, ChannelPolicy said) => new(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, ChannelPolicy>>.Empty.Add(model, ImmutableSortedDictionary<string, ChannelPolicy>.Empty.Add(channel, said)));
        Assert.Empty(PolicyRules.Check(Of("*", "production", ChannelPolicy.Silent)));
        Policy[] broken =
        [
            Of("m", "production", ChannelPolicy.Silent with { LargestToleratedRatio = double.NaN }),
            Of("m", "production", ChannelPolicy.Silent with { LargestErrorRate = new Ratio(0) }),
            Of("../x", "production", ChannelPolicy.Silent), Of("m", "prod", ChannelPolicy.Silent),
            Of("m", "production", ChannelPolicy.Silent with { Strategies = [] }), Of("m", "production", ChannelPolicy.Silent with { Strategies = [(Strategy)9] }),
            Of("m", "production", ChannelPolicy.Silent with { WidestFirstStep = 0 }), Of("m", "production", ChannelPolicy.Silent with { LongestAtMost = default(Duration) }),
            Of("m", "production", ChannelPolicy.Silent with { Approvals = [new ApprovalRule("a", 0)] }), Of("m", "production", ChannelPolicy.Silent with { RequiredGates = [""] }),
            Of("m", "production", ChannelPolicy.Silent with { RequiredGates = default }),
        ];
        Assert.All(broken, policy => Assert.NotEmpty(PolicyRules.Check(policy)));
    }

    [Fact]
    public void A_policy_comes_back_from_its_canonical_bytes()
    {
        var policy = Parse(Full);
        Assert.Equal(policy.Digest, JsonSerializer.Deserialize(CanonicalJson.Serialize(policy, PolicyJson.Default.Policy), PolicyJson.Default.Policy)!.Digest);
        Assert.NotEqual(policy.Digest, Policy.Default.Digest);
    }

    [Fact]
    public async Task The_schema_agrees_with_the_parser() =>
        SchemaAgreementTests.Agree(await JsonSchema.FromJsonAsync(PolicySchema.Json, TestContext.Current.CancellationToken), Full, PolicyGrammar.File);

    private static Policy Parse(string yaml) => PolicyParser.Parse("policy.yaml", Encoding.UTF8.GetBytes(yaml));

    private static string Only(TightenedPlan tightened)
    {
        Assert.Null(tightened.Plan);
        return Assert.Single(tightened.Faults).Code;
    }

    private static RolloutStep Step(int weight, int? atLeast = null, int? atMost = null) =>
        new(weight, atLeast is { } least ? Minutes(least) : default, atMost is { } most ? Minutes(most) : null, 0, null);

    private static Duration Minutes(int minutes) => new(TimeSpan.FromMinutes(minutes));
}
