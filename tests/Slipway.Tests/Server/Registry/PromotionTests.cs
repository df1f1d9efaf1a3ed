using System.Net;
using Slipway.Documents.Access;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Server.Api;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Server.Registry;

public sealed class PromotionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Staging_needs_passed_gates_and_production_a_person_who_did_not_write_it(DatabaseKind kind)
    {
        await using var registry = await TestRegistry.StartAsync(kind);
        var (author, approver) = (await registry.Server.AsAsync(Role.Author), await registry.Server.AsAsync(Role.Approver));
        await registry.PushAsync(author, registry.Seal());

        Assert.Equal(PromotionState.Approved, (await TestRegistry.PromoteAsync(author, 1, "staging")).State);
        var asked = await TestRegistry.PromoteAsync(author, 1);
        Assert.Equal((PromotionState.Waiting, "flight-delay.2"), (asked.State, asked.Id));
        Assert.Single(asked.Missing);
        Assert.Equal([2], (await TestServer.GetAsync(approver, "/api/v1/promotions", RegistryJson.Default.ImmutableArrayPromotion)).Select(promotion => promotion.Number));

        // Asking again is the same promotion.
        Assert.Equal(asked.Number, (await TestRegistry.PromoteAsync(author, 1)).Number);
        var approved = await TestRegistry.VoteAsync(approver, asked);
        Assert.Equal(PromotionState.Approved, approved.State);
        Assert.Equal("Approver of *", Assert.Single(approved.Approvals).ByName);
        var rejected = await TestRegistry.VoteAsync(approver, asked, approves: false);
        Assert.Equal((PromotionState.Rejected, 2), (rejected.State, rejected.Approvals.Length));
        Assert.Equal(3, (await TestRegistry.PromoteAsync(author, 1)).Number);
        var all = await TestServer.GetAsync(approver, TestRegistry.Promotions, RegistryJson.Default.ImmutableArrayPromotion);
        Assert.Equal([(3, PromotionState.Waiting), (2, PromotionState.Replaced), (1, PromotionState.Approved)], all.Select(each => (each.Number, each.State)));
        Assert.Equal([3], (await TestServer.GetAsync(approver, "/api/v1/promotions", RegistryJson.Default.ImmutableArrayPromotion)).Select(promotion => promotion.Number));
        Assert.Equal("promotion-replaced", (await TestRegistry.VoteRefusedAsync(approver, asked)).Faults[0].Code);
    }

    [Fact]
    public async Task An_author_alone_reaches_production_by_no_way()
    {
        await using var registry = await TestRegistry.StartAsync(trusts: false);
        var everything = new[] { Role.Author, Role.Approver, Role.Operator };
        var (alice, token) = await registry.Server.NewTokenAsync("Alice", ["model-risk"], [.. everything.Select(role => new RoleGrant(role, "*"))]);
        await registry.TrustAsync(registry.Sample.Key.PublicKey, KeyRole.Builder, owner: alice);
        var author = registry.Server.As(token);

        // Approving what she pushed and signed.
        var loosest = ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen with { Approvals = [] });
        await registry.PushAsync(author, registry.Seal(), loosest);
        var asked = await TestRegistry.PromoteAsync(author, 1);
        Assert.Equal(PromotionState.Waiting, asked.State);
        await RefusedAsync(registry, author, asked);

        // With another token of hers, and with one that she made for a program of hers.
        var second = await TestServer.PostAsync(author, "/api/v1/tokens", new NewToken(null, "another", [], 1, "x"), AccessJson.Default.NewToken, AccessJson.Default.IssuedToken);
        await RefusedAsync(registry, registry.Server.As(second.Secret), asked);
        var (_, robot) = await registry.Server.NewTokenAsync("a robot", ["model-risk"], new RoleGrant(Role.Approver, "*"), new RoleGrant(Role.Gateway, "*"));
        Assert.Equal("approver-no-person", (await TestRegistry.VoteRefusedAsync(registry.Server.As(robot), asked)).Faults[0].Code);

        // Letting a build push what her key signed: she is its signer still.
        var build = await registry.Server.AsAsync(Role.Author);
        var another = registry.SealAnother();
        await registry.PushAsync(build, another);
        await RefusedAsync(registry, author, await TestRegistry.PromoteAsync(author, 2));

        // Revoking her own key does not make it another's.
        using var other = SigningKey.Create();
        await registry.TrustAsync(other.PublicKey, KeyRole.Builder);
        var third = registry.SealAnother();
        Attestation.Attach(registry.Layout, third, registry.Sample.Verify(third, Documents(registry, third)).Statements[0].Statement, other, Stop);
        await registry.PushAsync(build, third);
        await registry.RevokeAsync(registry.Sample.Key.PublicKey.KeyId);
        await RefusedAsync(registry, author, await TestRegistry.PromoteAsync(author, 3));

        // A version that somebody else made, by a plan of hers.
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await TestRegistry.PromotionRefusedAsync(author, 2)).Status);
        var plan = ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen with { KeepWarm = new(TimeSpan.FromSeconds(1)) });
        await TestServer.PostAsync(author, $"/api/v1/models/{TestRegistry.Model}/plans", new PlanRequest(plan, "x"), RegistryJson.Default.PlanRequest, RegistryJson.Default.PlanVersion);
        await RefusedAsync(registry, author, await TestRegistry.PromoteAsync(author, 3));

        // What was approved for staging is not approved for production, and no gateway or policy is hers.
        Assert.Equal(PromotionState.Approved, (await TestRegistry.PromoteAsync(author, 3, "staging")).State);
        Assert.Equal(PromotionState.Waiting, (await TestRegistry.PromoteAsync(author, 3)).State);
        using var policy = await author.PutAsync("/api/v1/policy", TestServer.Json(new PolicyRequest(Policy.Default, "x"), PolicyJson.Default.PolicyRequest), Stop);
        Assert.Equal(HttpStatusCode.Forbidden, policy.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await TestRegistry.RefusedAsync(author, "/api/v1/trusted-keys", new NewTrustedKey("x", other.PublicKey.ToPem(), [KeyRole.Builder], null, "x"), AccessJson.Default.NewTrustedKey)).Status);
    }

    [Fact]
    public async Task A_policy_is_a_floor_that_no_plan_lowers()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.SetPolicyAsync("{ '*': { production: { approvals: [{ group: model-risk, count: 2 }], strategies: [canary], widest-first-step: 5 %, longest-at-most: 4 h, required-gates: [good enough] } } }");
        await registry.PushAsync(author, registry.Seal(), ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen));
        var (status, faults) = await TestRegistry.PromotionRefusedAsync(author, 1);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal(["policy-strategy", "policy-first-step"], faults.Select(fault => fault.Code));

        await registry.PushAsync(author, registry.SealAnother(), ReleasePlan.Default);
        var asked = await TestRegistry.PromoteAsync(author, 2);
        Assert.Equal([new ApprovalRule("model-risk", 2)], asked.Required);
        var outsider = await registry.Server.AsAsync(Role.Approver);
        Assert.Equal(PromotionState.Waiting, (await TestRegistry.VoteAsync(outsider, asked)).State);
        await TestRegistry.VoteAsync(registry.Server.As((await registry.Server.NewTokenAsync("Bob", ["model-risk"], new RoleGrant(Role.Approver, "*"))).Token), asked);
        var last = await TestRegistry.VoteAsync(registry.Server.As((await registry.Server.NewTokenAsync("Carol", ["model-risk", "ops"], new RoleGrant(Role.Approver, TestRegistry.Model))).Token), asked);
        Assert.Equal(PromotionState.Approved, last.State);

        // Tightened later: what was approved is judged again.
        await registry.SetPolicyAsync("{ '*': { production: { approvals: [{ group: model-risk, count: 3 }], required-gates: [calibrated] } } }");
        var after = await registry.LookAsync(asked);
        Assert.Equal((PromotionState.Waiting, 2), (after.State, after.Missing.Length));
        Assert.Contains("the policy wants the gate 'calibrated' passed, and the bundle does not declare it", after.Missing);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_isolation_that_a_policy_asks_for_is_the_one_that_a_trusted_builder_tells_of(DatabaseKind kind)
    {
        await using var registry = await TestRegistry.StartAsync(kind);
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.SetPolicyAsync("{ '*': { staging: { least-isolation: oci } } }");
        await registry.PushAsync(author, registry.Seal());
        Assert.Equal("policy-isolation", Assert.Single((await TestRegistry.PromotionRefusedAsync(author, 1, "staging")).Faults).Code);

        // The same bundle once more, and better provenance beside it.
        await registry.PushAsync(author, registry.Seal(isolation: Isolation.Sandbox));
        Assert.Equal(PromotionState.Approved, (await TestRegistry.PromoteAsync(author, 1, "staging")).State);
    }

    [Fact]
    public async Task A_revoked_builders_key_stops_what_was_approved()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        var approved = await TestRegistry.VoteAsync(await registry.Server.AsAsync(Role.Approver), await TestRegistry.PromoteAsync(author, 1));
        Assert.Equal(PromotionState.Approved, approved.State);
        await registry.RevokeAsync(registry.Sample.Key.PublicKey.KeyId);
        var after = await registry.LookAsync(approved);
        Assert.Equal(PromotionState.Waiting, after.State);
        Assert.Contains("was revoked (it leaked)", Assert.Single(after.Missing), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_plan_needs_another_promotion()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        var first = await TestRegistry.VoteAsync(await registry.Server.AsAsync(Role.Approver), await TestRegistry.PromoteAsync(author, 1));
        await registry.PushAsync(author, registry.SealAnother(), ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen));
        var second = await TestRegistry.PromoteAsync(author, 1);
        Assert.Equal((first.Number + 1, PromotionState.Waiting, 2), (second.Number, second.State, second.PlanNumber));
        Assert.Equal((1, ReleasePlan.Default.Digest), ((await registry.LookAsync(first)).PlanNumber, (await registry.LookAsync(first)).Plan));
    }

    [Fact]
    public async Task Malformed_requests_are_refused()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        Assert.Equal((HttpStatusCode.NotFound, "no-channel"), Shape(await TestRegistry.PromotionRefusedAsync(author, 1, "prod")));
        Assert.Equal((HttpStatusCode.NotFound, "no-version"), Shape(await TestRegistry.PromotionRefusedAsync(author, 7)));
        Assert.Equal((HttpStatusCode.BadRequest, "no-reason"), Shape(await TestRegistry.RefusedAsync(author, TestRegistry.Promotions, new PromotionRequest(1, "staging", " "), RegistryJson.Default.PromotionRequest)));
        var approver = await registry.Server.AsAsync(Role.Approver);
        Assert.Equal((HttpStatusCode.NotFound, "no-promotion"), Shape(await TestRegistry.RefusedAsync(approver, TestRegistry.Promotions + "/9/votes", new Vote(true, "x"), RegistryJson.Default.Vote)));
        var asked = await TestRegistry.PromoteAsync(author, 1);
        Assert.Equal((HttpStatusCode.BadRequest, "no-reason"), Shape(await TestRegistry.RefusedAsync(approver, $"{TestRegistry.Promotions}/{asked.Number}/votes", new Vote(true, ""), RegistryJson.Default.Vote)));
    }

    private static (HttpStatusCode, string) Shape((HttpStatusCode Status, System.Collections.Immutable.ImmutableArray<Slipway.Primitives.Faults.Fault> Faults) refused) => (refused.Status, Assert.Single(refused.Faults).Code);

    private static async Task RefusedAsync(TestRegistry registry, HttpClient client, Promotion promotion)
    {
        Assert.Equal("approver-is-author", Assert.Single((await TestRegistry.VoteRefusedAsync(client, promotion)).Faults).Code);
        Assert.Equal(PromotionState.Waiting, (await registry.LookAsync(promotion)).State);
    }

    private static Slipway.Documents.Bundles.BundleDocuments Documents(TestRegistry registry, Slipway.Primitives.Bytes.Digest bundle) =>
        Slipway.Documents.Bundles.BundleDocuments.Read(Slipway.Trust.Verification.BundleVerifier.Verify(registry.Layout, bundle, KeyRing.Of(registry.Sample.Key.PublicKey), Stop).Require(), Stop).Require();
}
