using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Ledger;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Server.Registry;

/// <summary>The question that a release asks inside its own change.</summary>
public sealed class ReleaseApprovalTests
{
    private const string Model = "flight-delay";

    private static readonly Caller alice = new("user:alice", "Alice", [], [], []) { Kind = PrincipalKind.Person };
    private static readonly Caller bob = new("user:bob", "Bob", ["risk"], [], []) { Kind = PrincipalKind.Person };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_release_goes_by_the_approved_plan_under_the_policy_of_the_moment(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        using var key = SigningKey.Create();
        await RegisterAsync(ledger, key);
        var promotions = new Promotions(ledger.Writer, ledger.Clock);

        await RefusedAsync(ledger, "not-promoted", "nobody asked");
        var asked = await ledger.Database.ChangeAsync(session => promotions.RequestAsync(session, alice, Model, new PromotionRequest(1, "production", "try it")), Stop);
        await RefusedAsync(ledger, "not-approved", "flight-delay.1 is waiting");
        await ledger.Database.ChangeAsync(session => promotions.VoteAsync(session, bob, Model, asked.Number, new Vote(true, "fine")), Stop);

        var approved = await RequireAsync(ledger);
        Assert.Equal((1, 100, asked.Id), (approved.Version.Number, approved.Plan.Steps[0].Weight, approved.Promotion.Id));
        Assert.Empty(await RemarksAsync(ledger));

        // A stricter policy that the plan can meet makes the plan stricter; one that it cannot meet stops it.
        await SetPolicyAsync(ledger, 1, ChannelPolicy.Silent with { LongestAtMost = new(TimeSpan.FromHours(1)) });
        var cut = await RequireAsync(ledger);
        Assert.All(cut.Plan.Steps[..^1], step => Assert.Equal(TimeSpan.FromHours(1), step.AtMost!.Value.Value));
        Assert.Equal(3, cut.Notes.Length);
        await SetPolicyAsync(ledger, 2, ChannelPolicy.Silent with { Strategies = [Strategy.BlueGreen] });
        await RefusedAsync(ledger, "not-approved", "the plan's strategy is canary, and the policy allows blue-green");
        Assert.Contains("would not be let through to production now", Assert.Single(await RemarksAsync(ledger)), StringComparison.Ordinal);

        // A key that is revoked is shown, and stops what goes forward.
        await SetPolicyAsync(ledger, 3, ChannelPolicy.Silent);
        Assert.Equal("Alice", (await RequireAsync(ledger)).Version.PushedByName);
        await ledger.Database.ChangeAsync(
            async session => await TrustedKeyTable.SaveAsync(session, (await TrustedKeyTable.FindAsync(session, key.PublicKey.KeyId))! with { Revoked = new KeyRevocation(1, "user:admin", "it leaked") }), Stop);
        await RefusedAsync(ledger, "not-approved", "no builder's key that is trusted now vouches for the bundle");
        Assert.Contains("the key 'ci', which signed version 1, was revoked: it leaked", await RemarksAsync(ledger));
    }

    [Fact]
    public async Task What_was_never_registered_is_never_approved()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await RefusedAsync(ledger, "no-version", "there is no version 1");
        Assert.Empty(await RemarksAsync(ledger));
    }

    private static async Task RegisterAsync(TestLedger ledger, SigningKey key)
    {
        var bundle = Digest.Of("bundle"u8);
        var gates = new GateReport(bundle, null, Verdict.Pass, [new GateResult("good enough", "auc > 0.6", Verdict.Pass, "it is", ImmutableSortedDictionary<string, Figure>.Empty)]);
        var version = new ModelVersion(Model, 1, bundle, ReleasePlan.Default.Digest, gates, [key.PublicKey.KeyId], alice.Id, alice.Name, 0, "first");
        var statement = new VerifiedStatement(Statement.About(bundle, Model, SlsaProvenance.PredicateType, JsonDocument.Parse("{}").RootElement), key.PublicKey, Digest.Of("attestation"u8));
        await ledger.Database.ChangeAsync(
            async session =>
            {
                await TrustedKeyTable.SaveAsync(session, new TrustedKey(key.PublicKey.KeyId, "ci", key.PublicKey.ToPem(), [KeyRole.Builder], null, 0, "user:admin", null));
                await PlanTable.InsertAsync(session, new PlanVersion(Model, 1, ReleasePlan.Default.Digest, ReleasePlan.Default, alice.Id, alice.Name, 0, "first"), []);
                await VersionTable.InsertAsync(session, version, new SealedEvidence(null, null, new LineageGraph([])));
                await VersionTable.NotePushAsync(session, bundle, alice, 0);
                await VersionTable.AddAttestationsAsync(session, bundle, [statement]);
            },
            Stop);
    }

    private static Task SetPolicyAsync(TestLedger ledger, int number, ChannelPolicy production)
    {
        var policy = new Policy(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, ChannelPolicy>>.Empty.Add("*", ImmutableSortedDictionary<string, ChannelPolicy>.Empty.Add("production", production)));
        return ledger.Database.ChangeAsync(session => PolicyTable.InsertAsync(session, new PolicyVersion(number, policy.Digest, policy, "user:admin", "admin", 0, "x")), Stop);
    }

    private static Task<ApprovedRelease> RequireAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => Promotions.RequireApprovedAsync(session, Model, 1, "production"), Stop);

    private static Task<ImmutableArray<string>> RemarksAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => Promotions.RemarksAsync(session, Model, 1, "production"), Stop);

    private static async Task RefusedAsync(TestLedger ledger, string code, string message)
    {
        var problem = await Assert.ThrowsAsync<ApiProblem>(() => RequireAsync(ledger));
        Assert.Equal(code, problem.Fault.Code);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
    }
}
