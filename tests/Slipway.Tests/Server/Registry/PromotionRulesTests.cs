using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Registry;

namespace Slipway.Tests.Server.Registry;

public sealed class PromotionRulesTests
{
    private static readonly ChannelPolicy floor = Policy.Default.Floor("m", "production");

    private static readonly PromotionFacts sound = new(
        floor, ChannelPlan.Canary, Report(Verdict.Pass), [For("bob", "risk")], new Authors(["alice", "admin"]), null, null, null);

    [Fact]
    public void One_person_who_did_not_write_it_suffices_for_production_by_default()
    {
        var ruling = PromotionRules.Judge(sound);
        Assert.Equal(PromotionState.Approved, ruling.State);
        Assert.Empty(ruling.Missing);
        Assert.NotNull(ruling.Tightened.Plan);
        var without = PromotionRules.Judge(sound with { Votes = [] });
        Assert.Equal((PromotionState.Waiting, "1 more person must approve, who neither pushed nor signed it"), (without.State, Assert.Single(without.Missing)));
        Assert.Equal(PromotionState.Approved, PromotionRules.Judge(sound with { Votes = [], Floor = Policy.Default.Floor("m", "staging") }).State);
    }

    [Fact]
    public void Authors_never_count_whatever_token_they_hold()
    {
        Assert.Equal(PromotionState.Waiting, PromotionRules.Judge(sound with { Votes = [For("alice")] }).State);
        Assert.Equal(PromotionState.Waiting, PromotionRules.Judge(sound with { Votes = [For("admin")] }).State);
        Assert.Equal(PromotionState.Waiting, PromotionRules.Judge(sound with { Votes = [Cast("bob", true, ["risk"], "alice")] }).State);
        // An administrator who made both tokens may be both.
        Assert.Equal(PromotionState.Waiting, PromotionRules.Judge(sound with { Votes = [Cast("bob", true, ["risk"], "admin")] }).State);
        Assert.Equal(PromotionState.Approved, PromotionRules.Judge(sound with { Votes = [Cast("bob", true, ["risk"], "another admin")] }).State);
    }

    [Fact]
    public void Votes_that_one_person_may_have_cast_count_as_one()
    {
        var plan = ChannelPlan.Canary with { Approvals = [new ApprovalRule("risk", 2)] };
        PromotionState With(params CastVote[] votes) => PromotionRules.Judge(sound with { Plan = plan, Votes = [.. votes] }).State;
        Assert.Equal(PromotionState.Approved, With(For("bob", "risk"), For("carol", "risk")));
        Assert.Equal(PromotionState.Waiting, With(Cast("bob", true, ["risk"], "root"), Cast("carol", true, ["risk"], "root")));
        Assert.Equal(PromotionState.Waiting, With(Cast("bob", true, ["risk"], "carol"), For("carol", "risk")));
        Assert.Equal(PromotionState.Approved, With(Cast("bob", true, ["risk"], "root"), Cast("carol", true, ["risk"], "root"), For("dan", "risk")));
    }

    [Fact]
    public void A_baseline_that_served_nobody_is_no_comparison()
    {
        var ruling = PromotionRules.Judge(sound with { Baseline = new Fault("baseline-never-live", "version 3 was never live") });
        Assert.Equal((PromotionState.Waiting, "baseline-never-live"), (ruling.State, Assert.Single(ruling.Hard).Code));
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData(null, Isolation.None, false)]
    [InlineData(Isolation.Sandbox, Isolation.Sandbox, false)]
    [InlineData(Isolation.Sandbox, Isolation.Oci, true)]
    [InlineData(Isolation.Oci, Isolation.Sandbox, false)]
    [InlineData(Isolation.Oci, Isolation.None, true)]
    [InlineData(Isolation.None, null, true)]
    public void A_policy_may_ask_for_an_isolation_and_who_tells_of_none_lacks_it(Isolation? asked, Isolation? told, bool lacks)
    {
        var ruling = PromotionRules.Judge(sound with { Floor = floor with { LeastIsolation = asked }, Isolation = told });
        Assert.Equal(lacks ? ["policy-isolation"] : [], ruling.Hard.Select(fault => fault.Code));
        Assert.Equal(lacks ? PromotionState.Waiting : PromotionState.Approved, ruling.State);
    }

    [Fact]
    public void Each_person_counts_once_for_each_rule_that_names_a_group_of_theirs()
    {
        var plan = ChannelPlan.Canary with { Approvals = [new ApprovalRule("risk", 2), new ApprovalRule("ops", 1)] };
        PromotionRuling With(params CastVote[] votes) => PromotionRules.Judge(sound with { Plan = plan, Votes = [.. votes] });
        Assert.Equal(2, With(For("bob", "risk"), For("bob", "risk")).Missing.Length);
        Assert.Equal("1 more person of the group 'ops' must approve, who neither pushed nor signed it", Assert.Single(With(For("bob", "risk"), For("carol", "risk")).Missing));
        Assert.Equal(PromotionState.Approved, With(For("bob", "risk", "ops"), For("carol", "risk")).State);
        Assert.Equal([new ApprovalRule("*", 1), new ApprovalRule("ops", 1), new ApprovalRule("risk", 2)], With().Tightened.Approvals);
        Assert.Equal(3, With(For("bob", "other"), For("carol", "other")).Missing.Length + 1);
    }

    [Fact]
    public void A_last_vote_against_blocks_and_a_change_of_mind_counts()
    {
        var rejected = PromotionRules.Judge(sound with { Votes = [For("bob"), For("carol"), Against("bob")] });
        Assert.Equal((PromotionState.Rejected, "bob rejects it: because"), (rejected.State, Assert.Single(rejected.Missing)));
        Assert.Equal(PromotionState.Approved, PromotionRules.Judge(sound with { Votes = [Against("bob"), For("bob")] }).State);
        // An author may stop their own work.
        Assert.Equal(PromotionState.Rejected, PromotionRules.Judge(sound with { Votes = [For("bob"), Against("alice")] }).State);
    }

    [Theory]
    [InlineData(Verdict.Fail)]
    [InlineData(Verdict.InsufficientEvidence)]
    [InlineData(Verdict.NotEvaluated)]
    public void No_approval_mends_a_verdict_that_is_no_pass(Verdict verdict)
    {
        var ruling = PromotionRules.Judge(sound with { Gates = Report(verdict) });
        Assert.Equal((PromotionState.Waiting, "gates-not-passed"), (ruling.State, Assert.Single(ruling.Hard).Code));
    }

    [Fact]
    public void Gates_that_the_policy_wants_must_be_declared_and_pass()
    {
        PromotionRuling With(GateReport gates, params string[] wanted) => PromotionRules.Judge(sound with { Gates = gates, Floor = floor with { RequiredGates = [.. wanted] } });
        Assert.Equal(PromotionState.Approved, With(Report(Verdict.Pass), "g").State);
        Assert.Contains("the bundle does not declare it", Assert.Single(With(Report(Verdict.Pass), "h").Hard).Message, StringComparison.Ordinal);
        // Skipped is no pass of that gate, though the whole passed.
        Assert.Contains("its verdict is not-evaluated", Assert.Single(With(Report(Verdict.Pass) with { Gates = [Gate(Verdict.NotEvaluated)] }, "g").Hard).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_outside_the_policy_or_a_bundle_that_nobody_vouches_for_is_not_let_through()
    {
        Assert.Equal("policy-strategy", Assert.Single(PromotionRules.Judge(sound with { Floor = floor with { Strategies = [Strategy.BlueGreen] } }).Hard).Code);
        var distrusted = PromotionRules.Judge(sound with { Distrust = new Fault("signer-revoked", "nobody vouches") });
        Assert.Equal((PromotionState.Waiting, "nobody vouches"), (distrusted.State, Assert.Single(distrusted.Missing)));
    }

    private static CastVote For(string who, params string[] groups) => Cast(who, true, groups);

    private static CastVote Against(string who) => Cast(who, false, []);

    private static CastVote Cast(string who, bool approves, string[] groups, params string[] mayBe) =>
        new(new Approval(who, who, [.. groups], approves, 0, "because"), new Actor(who, [.. mayBe]));

    private static GateReport Report(Verdict verdict) => new(Digest.Of("bundle"u8), null, verdict, [Gate(verdict)]);

    private static GateResult Gate(Verdict verdict) => new("g", "auc > 0", verdict, "so it is", ImmutableSortedDictionary<string, Figure>.Empty);
}
