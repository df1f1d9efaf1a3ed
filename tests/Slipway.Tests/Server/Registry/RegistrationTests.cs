using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Ledger;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Store.Oci;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Server.Registry;

public sealed class RegistrationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_bundle_that_verifies_becomes_the_next_version_with_its_evidence(DatabaseKind kind)
    {
        await using var registry = await TestRegistry.StartAsync(kind);
        var author = await registry.Server.AsAsync(Role.Author);
        var (first, second) = (registry.Seal(), registry.SealAnother());

        var registered = await registry.PushAsync(author, first);
        Assert.True(registered.IsNew);
        Assert.Equal((1, first, Verdict.Pass), (registered.Version.Number, registered.Version.Bundle, registered.Version.Gates.Verdict));
        Assert.Equal(ReleasePlan.Default.Digest, registered.Version.Plan);
        Assert.Equal([registry.Sample.Key.PublicKey.KeyId], registered.Version.SignedBy);
        Assert.Equal(2, (await registry.PushAsync(author, second)).Version.Number);

        var detail = await TestServer.GetAsync(author, TestRegistry.Versions + "/1", RegistryJson.Default.ModelVersionDetail);
        Assert.Equal(0.65, detail.Evaluation!.Metrics["auc"].Value);
        Assert.Equal(["fit", "score"], detail.Lineage.Stages.Select(stage => stage.Name));
        Assert.StartsWith("auc = 0.65 [0.61, 0.69]", detail.Version.Gates.Gates[0].Reason, StringComparison.Ordinal);
        Assert.Null(Assert.Single(detail.Signers).RevokedAt);
        Assert.Equal([2, 1], (await TestServer.GetAsync(author, TestRegistry.Versions, RegistryJson.Default.ImmutableArrayModelVersion)).Select(version => version.Number));
        Assert.Equal([1], (await TestServer.GetAsync(author, TestRegistry.Versions + "?before=2", RegistryJson.Default.ImmutableArrayModelVersion)).Select(version => version.Number));
        var model = Assert.Single(await TestServer.GetAsync(author, "/api/v1/models", RegistryJson.Default.ImmutableArrayModelSummary));
        Assert.Equal((TestRegistry.Model, 2, 2), (model.Model, model.Versions, model.Latest.Number));
        Assert.Equal(["staging", "production"], model.Channels.Select(channel => channel.Channel));
    }

    [Fact]
    public async Task The_ledgers_proof_of_a_push_keeps_what_was_signed_before_its_key_was_revoked()
    {
        await using var registry = await TestRegistry.StartAsync();
        var bundle = registry.Seal();
        await registry.PushAsync(await registry.Server.AsAsync(Role.Author), bundle);
        var ledger = registry.Server.Admin;
        var pushed = Assert.Single(
            await TestServer.GetAsync(ledger, "/api/v1/ledger/entries?action=version.registered", LedgerJson.Default.ImmutableArrayLedgerRecord), record => record.Entry.Phase == LedgerPhase.Done);
        Assert.Equal(registry.Attached(bundle).Order(), pushed.Entry.Subjects.Where(subject => subject.Name.EndsWith("/attestations", StringComparison.Ordinal)).Select(subject => subject.Digest!.Value));
        var proof = await ledger.GetByteArrayAsync($"/api/v1/ledger/proof/{pushed.Index}", Stop);
        var key = NoteKey.Parse(await ledger.GetStringAsync("/api/v1/ledger/key", Stop));

        var evidence = LedgerEvidence.Open(proof, [key], "proof");
        Assert.Equal(pushed.Entry.Time, evidence.Time.ToUnixTimeMilliseconds());
        var signer = registry.Sample.Key.PublicKey;
        Assert.Null(Verify(evidence.Time).Bundle);
        Assert.NotNull(Verify(evidence.Time.AddMilliseconds(1)).Bundle);

        VerificationResult Verify(DateTimeOffset since) => BundleVerifier.Verify(
            registry.Layout, bundle, TrustPolicy.Of(KeyRing.Of(signer)) with { Revoked = [new Revocation(Digest.Parse("sha256:" + signer.KeyId), since, "it leaked")], Ledgers = [key] }, [evidence], Stop);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_same_bundle_again_is_the_same_version_and_a_changed_plan_the_next_plan(DatabaseKind kind)
    {
        await using var registry = await TestRegistry.StartAsync(kind);
        var author = await registry.Server.AsAsync(Role.Author);
        var bundle = registry.Seal();
        var plan = ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen);
        Assert.Equal(1, (await registry.PushAsync(author, bundle)).Plan.Number);
        var entries = await LedgerSizeAsync(registry);

        var again = await registry.PushAsync(author, bundle);
        Assert.Equal((false, 1, 1), (again.IsNew, again.Version.Number, again.Plan.Number));
        Assert.Equal(entries, await LedgerSizeAsync(registry));

        var changed = await registry.PushAsync(author, bundle, plan);
        Assert.Equal((false, 1, 2), (changed.IsNew, changed.Version.Number, changed.Plan.Number));
        Assert.Equal(ReleasePlan.Default.Digest, changed.Version.Plan);

        // Who says nothing of the plan keeps it.
        Assert.Equal(2, (await registry.PushAsync(author, registry.SealAnother())).Plan.Number);
        var plans = await TestServer.GetAsync(author, $"/api/v1/models/{TestRegistry.Model}/plans", RegistryJson.Default.ImmutableArrayPlanVersion);
        Assert.Equal([(2, plan.Digest), (1, ReleasePlan.Default.Digest)], plans.Select(each => (each.Number, each.Digest)));
    }

    [Fact]
    public async Task A_plan_is_changed_without_a_push_and_a_nonsensical_one_is_refused()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        var plan = ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.BlueGreen);
        var set = await TestServer.PostAsync(author, Plans, new PlanRequest(plan, "bolder"), RegistryJson.Default.PlanRequest, RegistryJson.Default.PlanVersion);
        Assert.Equal((2, plan.Digest), (set.Number, set.Digest));

        var nonsense = ReleasePlan.Of(ChannelPlan.BlueGreen, ChannelPlan.Canary with { Steps = [] });
        Assert.Equal("bad-plan", (await TestRegistry.RefusedAsync(author, Plans, new PlanRequest(nonsense, "x"), RegistryJson.Default.PlanRequest)).Faults[0].Code);
        Assert.Equal("bad-plan", (await registry.RefusedAsync(author, registry.SealAnother(), nonsense)).Faults[0].Code);
        Assert.Equal(HttpStatusCode.NotFound, (await TestRegistry.RefusedAsync(author, "/api/v1/models/other/plans", new PlanRequest(plan, "x"), RegistryJson.Default.PlanRequest)).Status);
        Assert.Equal("no-reason", (await TestRegistry.RefusedAsync(author, Plans, new PlanRequest(ReleasePlan.Default, " "), RegistryJson.Default.PlanRequest)).Faults[0].Code);
    }

    /// <summary>JSON can say what no parser of ours ever writes.</summary>
    /// <param name="part">Of a sound request, as a pattern.</param>
    [Theory]
    [InlineData("""\{"channels":.*\}(?=,"reason")""", """{"channels":{}}""")]
    [InlineData("""\{"channels":.*\}(?=,"reason")""", """{"channels":{"production":null,"staging":null}}""")]
    [InlineData("""\{"channels":.*\}(?=,"reason")""", "null")]
    [InlineData("""(?<="steps":)\[\{.*?\]""", "[null]")]
    [InlineData("""(?<="steps":)\[\{.*?\]""", "null")]
    [InlineData("""(?<="steps":)\[\]""", "null")]
    [InlineData("""(?<="approvals":)\[\]""", "[null]")]
    [InlineData("""(?<="approvals":)\[\]""", "null")]
    [InlineData("""(?<="strategy":)"canary.""", "7")]
    [InlineData("""(?<="strategy":)"canary.""", "\"flag\"")]
    [InlineData("""(?<="onInsufficient":)"hold.""", "9")]
    [InlineData("""(?<="keepWarm":)3600""", "-1")]
    [InlineData("""(?<="weight":)100""", "1e9")]
    [InlineData("""(?<="weight":)100""", "0")]
    [InlineData("""(?<="falseAlarm":)0\.01""", "0.9")]
    [InlineData("\"strategy\"", "\"extra\":1,\"strategy\"")]
    public async Task A_plan_that_only_a_program_could_write_is_refused_as_any_other(string part, string instead)
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        var sound = Encoding.UTF8.GetString(CanonicalJson.Serialize(new PlanRequest(ReleasePlan.Default, "x"), RegistryJson.Default.PlanRequest));
        var broken = new Regex(part).Replace(sound, instead, 1);
        Assert.NotEqual(sound, broken);
        using var response = await author.PostAsync(Plans, new StringContent(broken, Encoding.UTF8, "application/json"), Stop);
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{response.StatusCode} to {broken}: {await response.Content.ReadAsStringAsync(Stop)}");
        Assert.Single(await TestServer.GetAsync(author, Plans, RegistryJson.Default.ImmutableArrayPlanVersion));
    }

    [Theory]
    [InlineData("""{"models":{"*":null}}""")]
    [InlineData("""{"models":{"*":{"production":null}}}""")]
    [InlineData("""{"models":{"*":{"production":{"approvals":[null],"strategies":null,"widestFirstStep":null,"shortestAtLeast":null,"longestAtMost":null,"requiredGates":[]}}}}""")]
    [InlineData("""{"models":{"*":{"production":{"approvals":null,"strategies":[9],"widestFirstStep":null,"shortestAtLeast":null,"longestAtMost":null,"requiredGates":[]}}}}""")]
    [InlineData("""{"models":{"*":{"production":{"approvals":null,"strategies":null,"widestFirstStep":null,"shortestAtLeast":null,"longestAtMost":null,"requiredGates":null}}}}""")]
    [InlineData("""{"models":{"*":{"production":{}}}}""")]
    public async Task A_policy_that_only_a_program_could_write_is_refused_as_any_other(string policy)
    {
        await using var registry = await TestRegistry.StartAsync();
        using var response = await registry.Server.Admin.PutAsync("/api/v1/policy", new StringContent($$"""{"policy":{{policy}},"reason":"x"}""", Encoding.UTF8, "application/json"), Stop);
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync(Stop)}");
        Assert.Equal(0, (await TestServer.GetAsync(registry.Server.Admin, "/api/v1/policy", PolicyJson.Default.PolicyVersion)).Number);
    }

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task What_became_no_version_is_collected_after_a_week_and_what_is_registered_stays(DatabaseKind kind)
    {
        var clock = new TestClock();
        await using var registry = await TestRegistry.StartAsync(kind, with: options => options with { Time = clock });
        registry.Server.TokenDays = 30;
        var author = await registry.Server.AsAsync(Role.Author);
        var bundle = registry.Seal();
        await registry.PushAsync(author, bundle);
        var (stray, repeated, last) = (Digest.Of("stray"u8), Digest.Of("repeated"u8), Digest.Of("last"u8));
        await TestRegistry.PutAsync(author, stray, "stray"u8.ToArray());
        await TestRegistry.PutAsync(author, repeated, "repeated"u8.ToArray());

        clock.Step(TimeSpan.FromDays(6.5));
        Assert.Equal(HttpStatusCode.NotFound, await HasAsync(author, stray));
        await TestRegistry.PutAsync(author, repeated, "repeated"u8.ToArray());
        Assert.True(File.Exists(BlobFile(registry, stray)));
        clock.Step(TimeSpan.FromDays(1));
        await TestRegistry.PutAsync(author, last, "last"u8.ToArray());
        Assert.False(File.Exists(BlobFile(registry, stray)));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await HasAsync(author, repeated), await HasAsync(author, last)));
        Assert.All(registry.BlobsOf(bundle), blob => Assert.True(File.Exists(BlobFile(registry, blob)), blob.ToString()));
    }

    private static string BlobFile(TestRegistry registry, Digest blob) => Path.Combine(registry.Server.Store.Folder, "bundles", "blobs", "sha256", blob.Hex);

    private static async Task<HttpStatusCode> HasAsync(HttpClient author, Digest blob)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/blobs/{blob}");
        using var response = await author.SendAsync(request, Stop);
        return response.StatusCode;
    }

    [Fact]
    public async Task Servers_that_share_a_database_share_bundles()
    {
        await using var registry = await TestRegistry.StartAsync(DatabaseKind.Postgres);
        var (store, bundle) = (registry.Server.Store, registry.Seal());
        await using var other = await ControlPlane.StartAsync(new ServerOptions { Folder = store.Folder, Database = store.Connection, Port = 0 }, Stop);
        var (author, gateway) = (await registry.Server.NewTokenAsync("author", [], new RoleGrant(Role.Author, "*")), await registry.Server.NewTokenAsync("gateway", [], new RoleGrant(Role.Gateway, "*")));
        HttpClient There(string token) => new() { BaseAddress = other.Url, DefaultRequestHeaders = { Authorization = new("Bearer", token) } };

        using var pushing = There(author.Token);
        Assert.Equal(1, (await registry.PushAsync(registry.Server.As(author.Token), bundle)).Version.Number);
        Assert.False((await registry.PushAsync(pushing, bundle)).IsNew);
        Assert.Equal(2, (await registry.PushAsync(pushing, registry.SealAnother())).Version.Number);
        using var fetching = There(gateway.Token);
        var contents = await TestServer.GetAsync(fetching, $"/api/v1/bundles/{bundle}", RegistryJson.Default.BundleContents);
        Assert.Equal(bundle, Digest.Of(await fetching.GetByteArrayAsync($"/api/v1/blobs/{contents.Bundle}", Stop)));
    }

    [Fact]
    public async Task What_no_trusted_builder_vouches_for_is_refused()
    {
        await using var registry = await TestRegistry.StartAsync(trusts: false);
        var author = await registry.Server.AsAsync(Role.Author);
        var bundle = registry.Seal();
        Assert.Equal("provenance-missing", (await registry.RefusedAsync(author, bundle)).Faults[0].Code);

        using var other = SigningKey.Create();
        await registry.TrustAsync(other.PublicKey, KeyRole.Builder);
        Assert.Equal("signer-untrusted", (await registry.RefusedAsync(author, bundle)).Faults[0].Code);

        // A key that may speak of gates alone says nothing of where a bundle is from.
        await registry.TrustAsync(registry.Sample.Key.PublicKey, KeyRole.Evaluator);
        var (status, faults) = await registry.RefusedAsync(author, bundle);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "provenance-missing"), (status, faults[0].Code));
        await NothingIsRegisteredAsync(registry);
    }

    [Fact]
    public async Task A_revoked_key_vouches_for_nothing_new_and_is_shown_for_what_it_vouched_for()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        await registry.PushAsync(author, registry.Seal());
        await registry.RevokeAsync(registry.Sample.Key.PublicKey.KeyId);

        using var other = SigningKey.Create();
        await registry.TrustAsync(other.PublicKey, KeyRole.Builder);
        Assert.Contains("key-revoked", (await registry.RefusedAsync(author, registry.SealAnother())).Faults.Select(fault => fault.Code));
        var signer = Assert.Single((await TestServer.GetAsync(author, TestRegistry.Versions + "/1", RegistryJson.Default.ModelVersionDetail)).Signers);
        Assert.Equal("it leaked", signer.RevokedBecause);
        Assert.NotNull(signer.RevokedAt);
    }

    [Fact]
    public async Task A_bundle_of_another_model_is_refused()
    {
        await using var registry = await TestRegistry.StartAsync();
        var (status, faults) = await registry.RefusedAsync(await registry.Server.AsAsync(Role.Author), registry.Seal(), model: "fraud");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "model-contradicts-bundle"), (status, Assert.Single(faults).Code));
        await NothingIsRegisteredAsync(registry);
    }

    [Fact]
    public async Task Documents_that_contradict_each_other_are_refused()
    {
        await using var registry = await TestRegistry.StartAsync();
        var request = SampleRun.In(Path.Combine(registry.Layout.Folder, "..", "forged"));
        registry.Sample.ReadForged(request, files: files => files.SetItem("lineage.json", Encoding.UTF8.GetBytes("""{"stages":[]}""")));
        var forged = Assert.Single(registry.Layout.ReadIndex().Manifests.Where(entry => entry.Annotation(OciLayout.SubjectAnnotation) is null && registry.Attached(entry.Digest).Length > 0)).Digest;
        var (status, faults) = await registry.RefusedAsync(await registry.Server.AsAsync(Role.Author), forged);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("lineage-contradicts-spec", faults.Select(fault => fault.Code));
        await NothingIsRegisteredAsync(registry);
    }

    [Theory]
    [InlineData("auc >= 0.70", Verdict.Fail)]
    [InlineData("auc >= 0.65", Verdict.InsufficientEvidence)]
    public async Task A_bundle_whose_gates_do_not_pass_is_kept_as_evidence(string condition, Verdict verdict)
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var registered = await registry.PushAsync(author, registry.Seal(request => request with { Spec = request.Spec with { Gates = [new GateSpec("good enough", condition, WithoutBaseline.Refuse)] } }));
        Assert.Equal(verdict, registered.Version.Gates.Verdict);
        Assert.Equal("gates-not-passed", Assert.Single((await TestRegistry.PromotionRefusedAsync(author, 1, "staging")).Faults).Code);
    }

    [Fact]
    public async Task A_verdict_that_the_evidence_does_not_give_is_refused_and_recorded()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        SealRequest? sealed_ = null;
        var bundle = registry.Seal(request => sealed_ = request with { Spec = request.Spec with { Gates = [new GateSpec("good enough", "auc >= 0.70", WithoutBaseline.Refuse)] } });
        var documents = Sealer.Documents(sealed_!);
        var forged = new GateReport(bundle, null, Verdict.Pass, [new GateResult("good enough", "auc >= 0.70", Verdict.Pass, "it is", ImmutableSortedDictionary<string, Figure>.Empty)]);
        Attestation.Attach(registry.Layout, bundle, VerdictStatement.OfGates(forged, documents, SampleRun.Noon), registry.Sample.Key, Stop);

        var before = await LedgerSizeAsync(registry);
        var (status, faults) = await registry.RefusedAsync(author, bundle);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "verdict-contradicts-evidence"), (status, Assert.Single(faults).Code));
        Assert.Contains("attests: pass, good enough (auc >= 0.70) pass; the sealed evaluation says: fail", faults[0].Message, StringComparison.Ordinal);
        Assert.Equal(before + 2, await LedgerSizeAsync(registry));
        await NothingIsRegisteredAsync(registry);

        // The same word from a key that nobody trusts is no word at all.
        using var stranger = SigningKey.Create();
        var other = registry.Seal(request => request with { Spec = request.Spec with { License = "other" } });
        Attestation.Attach(registry.Layout, other, VerdictStatement.OfGates(forged with { Bundle = other }, documents, SampleRun.Noon), stranger, Stop);
        var registered = await registry.PushAsync(author, other);
        Assert.Equal(Verdict.Pass, registered.Version.Gates.Verdict);
        Assert.Contains(registered.Notes, note => note.Contains("not trusted", StringComparison.Ordinal));
        Assert.Single((await TestServer.GetAsync(await registry.Server.AsAsync(Role.Gateway), $"/api/v1/bundles/{other}", RegistryJson.Default.BundleContents)).Attestations);
    }

    [Fact]
    public async Task A_delta_gate_counts_only_against_a_registered_version_of_the_model()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var baseline = registry.Seal(request => request with { Evaluation = request.Evaluation! with { Method = "percentile" } });
        Digest Against(Digest named, double auc, string license) => registry.Seal(request => request with
        {
            Lock = request.Lock with { Baseline = named },
            Evaluation = request.Evaluation! with
            {
                Method = "percentile",
                Metrics = request.Evaluation.Metrics.SetItem("auc", new Figure(auc, 0.61, 0.69, 10)),
            },
            Spec = request.Spec with
            {
                License = license,
                Evaluate = request.Spec.Evaluate! with { Baseline = "oci:releases:production" },
                // A skip is for a spec without a baseline: one that is named, and not here, is no skip.
                Gates = [request.Spec.Gates[0], new GateSpec("no worse", "auc.delta > -0.005", WithoutBaseline.Skip)],
            },
        });

        var early = await registry.PushAsync(author, Against(baseline, 0.65, "early"));
        Assert.Equal((Verdict.InsufficientEvidence, 1), (early.Version.Gates.Verdict, early.Version.Number));
        Assert.Contains("is no registered version of flight-delay", early.Version.Gates.Gates[1].Reason, StringComparison.Ordinal);

        await registry.PushAsync(author, baseline);
        var after = await registry.PushAsync(author, Against(baseline, 0.65, "after"));
        Assert.Equal((baseline, Verdict.Pass), (after.Version.Gates.Baseline!.Value, after.Version.Gates.Verdict));
        Assert.Equal(Verdict.InsufficientEvidence, (await registry.PushAsync(author, Against(Digest.Of("nowhere"u8), 0.65, "nowhere"))).Version.Gates.Verdict);
    }

    [Fact]
    public async Task Blobs_that_are_missing_are_all_named()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var bundle = registry.Seal();
        var push = new VersionPush(bundle, registry.Attached(bundle), null, "a test");
        Assert.Equal(2, (await TestRegistry.RefusedAsync(author, TestRegistry.Versions, push, RegistryJson.Default.VersionPush)).Faults.Length);
        foreach (var manifest in registry.Attached(bundle).Prepend(bundle))
            await TestRegistry.PutAsync(author, manifest, registry.Layout.ReadBlob(manifest, int.MaxValue).Bytes);
        var (status, faults) = await TestRegistry.RefusedAsync(author, TestRegistry.Versions, push, RegistryJson.Default.VersionPush);
        Assert.Equal((HttpStatusCode.BadRequest, registry.BlobsOf(bundle).Length - 2), (status, faults.Length));
        Assert.All(faults, fault => Assert.Equal("blob-missing", fault.Code));
    }

    [Fact]
    public async Task Two_who_push_at_once_get_versions_one_after_the_other()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var bundles = Enumerable.Range(0, 4).Select(_ => registry.SealAnother()).ToArray();
        var registered = await Task.WhenAll(bundles.Append(bundles[0]).Select(bundle => registry.PushAsync(author, bundle)));
        Assert.Equal([1, 2, 3, 4], registered[..4].Select(each => each.Version.Number).Order());
        Assert.Equal(registered[0].Version.Number, registered[4].Version.Number);
        Assert.Equal(4, registered.Count(each => each.IsNew));
    }

    [Theory]
    [InlineData("..%2f..%2fetc")]
    [InlineData("Upper")]
    [InlineData("a%00b")]
    [InlineData("%2e%2e")]
    public async Task Names_that_are_none_are_refused_and_touch_no_path(string model)
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var bundle = registry.Seal();
        await registry.UploadAsync(author, bundle);
        using var response = await author.PostAsync($"/api/v1/models/{model}/versions", TestServer.Json(new VersionPush(bundle, registry.Attached(bundle), null, "x"), RegistryJson.Default.VersionPush), Stop);
        Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed, response.StatusCode.ToString());
        await NothingIsRegisteredAsync(registry);
    }

    private const string Plans = $"/api/v1/models/{TestRegistry.Model}/plans";

    private static async Task NothingIsRegisteredAsync(TestRegistry registry) =>
        Assert.Empty(await TestServer.GetAsync(registry.Server.Admin, "/api/v1/models", RegistryJson.Default.ImmutableArrayModelSummary));

    private static async Task<long> LedgerSizeAsync(TestRegistry registry)
    {
        using var response = await registry.Server.Admin.GetAsync("/api/v1/ledger/checkpoint", Stop);
        return long.Parse((await response.Content.ReadAsStringAsync(Stop)).Split('\n')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
