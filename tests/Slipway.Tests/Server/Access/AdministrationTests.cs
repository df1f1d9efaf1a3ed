using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Primitives.Faults;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Server.Access;

/// <summary>Principals and trusted keys: what an administrator changes, on both stores, and what the ledger says of it.</summary>
public sealed class AdministrationTests
{
    private static readonly RoleGrant Admin = new(Role.Admin, "*"), Author = new(Role.Author, "flight-delay");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_principal_is_made_and_changed_bit_by_bit(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        var made = await MakeAsync(server, new("CI", PrincipalKind.Service, ["builds", "builds"], [Author, Author], "to push"));
        Assert.StartsWith("service:", made.Id);
        Assert.Equal(["builds"], made.Groups);
        Assert.Equal([Author], made.Roles);
        var changed = await ChangeAsync(server, made.Id, new("CI of flight-delay", null, ["a"], ["builds"], [new(Role.Viewer, "*"), Author], [], "more"));
        Assert.Equal("CI of flight-delay", changed.Name);
        Assert.Equal(["a"], changed.Groups);
        Assert.Equal([new RoleGrant(Role.Viewer, "*"), Author], changed.Roles);
        await ChangeAsync(server, made.Id, new(null, null, [], [], [], [Author], "less"));
        var shown = await TestServer.GetAsync(server.Admin, $"/api/v1/principals/{made.Id}", AccessJson.Default.Principal);
        Assert.Equal([new RoleGrant(Role.Viewer, "*")], shown.Roles);
        Assert.Contains(await ListAsync(server), found => found.Id == made.Id);
        Assert.Equal((404, "no-principal"), await RefusalAsync(server, "/api/v1/principals/user:none/changes", new PrincipalChange("x", null, [], [], [], [], "x")));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_last_administrator_stays(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        var first = Assert.Single(await ListAsync(server)).Id;
        var path = $"/api/v1/principals/{first}/changes";
        PrincipalChange disable = new(null, true, [], [], [], [], "x"), demote = new(null, null, [], [], [], [Admin], "x");
        Assert.Equal((409, "last-admin"), await RefusalAsync(server, path, disable));
        Assert.Equal((409, "last-admin"), await RefusalAsync(server, path, demote));
        // An administrator of one model, or one that is disabled, is none.
        await MakeAsync(server, new("of one model", PrincipalKind.Person, [], [new(Role.Admin, "flight-delay")], "x"));
        await ChangeAsync(server, (await MakeAsync(server, new("gone", PrincipalKind.Person, [], [Admin], "x"))).Id, disable);
        Assert.Equal((409, "last-admin"), await RefusalAsync(server, path, disable));
        await MakeAsync(server, new("second", PrincipalKind.Person, [], [Admin], "x"));
        Assert.True((await ChangeAsync(server, first, disable)).Disabled);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Of_two_administrators_who_disable_each_other_one_stays(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        var first = Assert.Single(await ListAsync(server)).Id;
        var (second, token) = await server.NewTokenAsync("second", [], Admin);
        var disable = new PrincipalChange(null, true, [], [], [], [], "a coup");
        var statuses = await Task.WhenAll(
            new[] { (server.Admin, second), (server.As(token), first) }.Select(async coup =>
            {
                using var response = await coup.Item1.PostAsync($"/api/v1/principals/{coup.Item2}/changes", TestServer.Json(disable, AccessJson.Default.PrincipalChange), Cancellation);
                return response.StatusCode;
            }));
        Assert.Single(statuses, status => status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Every_change_is_in_the_ledger_with_its_reason_and_a_refused_one_is_not()
    {
        await using var server = await TestServer.StartAsync();
        var admin = Assert.Single(await ListAsync(server)).Id;
        var before = (await EntriesAsync(server)).Length;
        Assert.Equal(["principal.created", "principal.created", "token.issued", "token.issued"], (await EntriesAsync(server)).Select(record => record.Entry.Action));
        var made = await MakeAsync(server, new("Alice", PrincipalKind.Person, [], [], "she joined"));
        await ChangeAsync(server, made.Id, new(null, null, [], [], [Author], [], "she writes models"));
        Assert.Equal((400, "no-reason"), await RefusalAsync(server, $"/api/v1/principals/{made.Id}/changes", new PrincipalChange(null, null, [], [], [Admin], [], " ")));
        Assert.Equal((409, "last-admin"), await RefusalAsync(server, $"/api/v1/principals/{admin}/changes", new PrincipalChange(null, true, [], [], [], [], "x")));
        Assert.Equal([Author], (await TestServer.GetAsync(server.Admin, $"/api/v1/principals/{made.Id}", AccessJson.Default.Principal)).Roles);
        var entries = (await EntriesAsync(server)).Skip(before).ToArray();
        Assert.Equal(
            [
                ("principal.created", LedgerPhase.Intent, "she joined"), ("principal.created", LedgerPhase.Done, "she joined"),
                ("principal.changed", LedgerPhase.Intent, "she writes models"), ("principal.changed", LedgerPhase.Done, "she writes models"),
            ],
            entries.Select(record => (record.Entry.Action, record.Entry.Phase, record.Payload!.Reason)));
        Assert.All(entries, record => Assert.Equal((admin, $"principals/{made.Id}"), (record.Entry.Actor, record.Entry.Subjects[0].Name)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_key_is_trusted_for_what_its_roles_say_until_it_is_revoked_for_ever(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        using var pair = SigningKey.Create();
        var (alice, token) = await server.NewTokenAsync("Alice", [], new RoleGrant(Role.Viewer, "flight-delay"));
        var added = await AddAsync(server, new("Alice's", "a note before the key\n" + pair.PublicKey.ToPem(), [KeyRole.Evaluator], alice, "she evaluates"));
        Assert.Equal((pair.PublicKey.KeyId, pair.PublicKey.ToPem(), alice), (added.Id, added.Pem, added.Owner));
        Assert.Equal(pair.PublicKey.KeyId, added.ToVerificationKey().KeyId);
        Assert.True(added.MaySign("https://in-toto.io/attestation/test-result/v0.1"));
        Assert.False(added.MaySign("https://slsa.dev/provenance/v1"));
        Assert.Equal([added.Id], (await TestServer.GetAsync(server.As(token), "/api/v1/whoami", AccessJson.Default.Identity)).Keys);
        Assert.Equal((409, "key-known"), await RefusalAsync(server, new("again", pair.PublicKey.ToPem(), [KeyRole.Builder], null, "x")));

        var revoked = await RevokeAsync(server, added.Id, "the laptop was stolen");
        Assert.Equal("the laptop was stolen", revoked.Revoked!.Reason);
        Assert.False(revoked.MaySign("https://in-toto.io/attestation/test-result/v0.1"));
        Assert.Equal(revoked.Revoked, (await RevokeAsync(server, added.Id, "again")).Revoked);
        Assert.Equal((409, "key-revoked"), await RefusalAsync(server, new("again", pair.PublicKey.ToPem(), [KeyRole.Evaluator], alice, "x")));
        // It stays listed, and stays hers: what she signed with it she may not approve.
        Assert.NotNull(Assert.Single(await TestServer.GetAsync(server.As(token), "/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey)).Revoked);
        Assert.Equal([added.Id], (await TestServer.GetAsync(server.As(token), "/api/v1/whoami", AccessJson.Default.Identity)).Keys);
    }

    [Fact]
    public async Task A_builders_key_that_was_made_without_a_passphrase_is_taken_only_when_told_to()
    {
        await using var server = await TestServer.StartAsync();
        using var scratch = new Slipway.Tests.Store.Archives.ScratchFolder();
        using var pair = SigningKey.Create();
        pair.Save(scratch["plain"]);
        var pem = File.ReadAllText(scratch["plain.pub"]);
        Assert.Equal((400, "key-unprotected"), await RefusalAsync(server, new("a build's", pem, [KeyRole.Builder], null, "x")));
        Assert.Equal((400, "key-unprotected"), await RefusalAsync(server, new("a build's", pem, [KeyRole.Evaluator, KeyRole.Builder], null, "x")));
        var taken = await AddAsync(server, new("a build's", pem, [KeyRole.Builder], null, "x", AllowUnprotected: true));
        Assert.True(taken.ToVerificationKey().IsUnprotected);

        using var other = SigningKey.Create();
        other.Save(scratch["other"]);
        await AddAsync(server, new("an evaluator's", File.ReadAllText(scratch["other.pub"]), [KeyRole.Evaluator], null, "x"));
    }

    [Fact]
    public async Task A_key_of_nobody_is_given_an_owner_once_and_never_changes_hands()
    {
        await using var server = await TestServer.StartAsync();
        using var pair = SigningKey.Create();
        var alice = (await server.NewTokenAsync("Alice", [], new RoleGrant(Role.Author, RoleGrant.AllModels))).Id;
        var bob = (await server.NewTokenAsync("Bob", [], new RoleGrant(Role.Approver, RoleGrant.AllModels))).Id;
        NewTrustedKey Of(string? owner) => new("a build's", pair.PublicKey.ToPem(), [KeyRole.Builder], owner, "a test");
        await AddAsync(server, Of(null));
        Assert.Equal((409, "key-known"), await RefusalAsync(server, Of(null)));
        var owned = await AddAsync(server, Of(alice) with { Name = "another name", Roles = [KeyRole.Evaluator] });
        Assert.Equal((alice, "a build's", KeyRole.Builder), (owned.Owner, owned.Name, Assert.Single(owned.Roles)));
        Assert.Equal((409, "key-known"), await RefusalAsync(server, Of(bob)));
        Assert.Equal((409, "key-known"), await RefusalAsync(server, Of(null)));
        Assert.Equal(alice, Assert.Single(await TestServer.GetAsync(server.Admin, "/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey)).Owner);
    }

    [Fact]
    public async Task What_is_no_public_key_is_refused_and_a_private_one_is_not_repeated()
    {
        await using var server = await TestServer.StartAsync();
        using var secret = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var curve = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        using var pair = SigningKey.Create();
        Assert.Equal((400, "key-is-private"), await RefusalAsync(server, new("x", secret.ExportPkcs8PrivateKeyPem(), [KeyRole.Builder], null, "x")));
        Assert.Equal((400, "key-wrong-curve"), await RefusalAsync(server, new("x", curve.ExportSubjectPublicKeyInfoPem(), [KeyRole.Builder], null, "x")));
        Assert.Equal((400, "not-a-key"), await RefusalAsync(server, new("x", "hello", [KeyRole.Builder], null, "x")));
        Assert.Equal((400, "bad-role"), await RefusalAsync(server, new("x", pair.PublicKey.ToPem(), [], null, "x")));
        Assert.Equal((404, "no-principal"), await RefusalAsync(server, new("x", pair.PublicKey.ToPem(), [KeyRole.Builder], "user:none", "x")));
        Assert.Empty(await TestServer.GetAsync(server.Admin, "/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_lost_all_administrators_tokens_gets_one_at_the_next_start(DatabaseKind kind)
    {
        var again = false;
        await using var server = await TestServer.StartAsync(kind, options => options with { NewAdminToken = again });
        var admin = Assert.Single(await ListAsync(server)).Id;
        await MakeAsync(server, new("second", PrincipalKind.Person, [], [Admin], "x"));
        await server.RestartAsync();
        Assert.Null(server.Plane.FirstAdminToken);
        again = true;
        await server.RestartAsync();
        var fresh = server.Plane.FirstAdminToken!;
        Assert.NotEqual(server.AdminToken, fresh);
        Assert.Equal(admin, (await TestServer.GetAsync(server.As(fresh), "/api/v1/whoami", AccessJson.Default.Identity)).Id);
    }

    [Fact]
    public void A_description_of_an_identity_provider_is_checked()
    {
        using var folder = new Slipway.Tests.Primitives.TestFolder();
        OidcTrust Load(string json) => OidcTrust.Load(folder.Write("oidc.json", json));
        var good = Load("""{"issuer":"https://id.example.org","audience":"slipway","require":{"tenant":"ours"},"roles":{"ml":[{"role":"author","model":"*"}]}}""");
        Assert.Equal((PrincipalKind.Person, "groups"), (good.Kind, good.GroupsClaim));
        Assert.Equal([new RoleGrant(Role.Author, "*")], good.RolesOf("ml"));
        Assert.Empty(good.RolesOf("others"));
        foreach (var bad in new[]
        {
            "", "{}", """{"issuer":"http://id.example.org","audience":"x"}""", """{"issuer":"https://id.example.org","audience":""}""", """{"issuer":"id","audience":"x"}""",
            """{"issuer":"https://id.example.org","audience":"x","rolls":{}}""", """{"issuer":"https://id.example.org","audience":"x","roles":{"ml":[{"role":"author","model":"../x"}]}}""",
        })
        {
            Assert.Equal("bad-oidc", Assert.Throws<SlipwayException>(() => Load(bad)).Faults[0].Code);
        }

        Assert.Equal(ExitCode.NotThere, Assert.Throws<SlipwayException>(() => OidcTrust.Load(folder["none.json"])).Exit);
    }

    private static Task<ImmutableArray<Principal>> ListAsync(TestServer server) => TestServer.GetAsync(server.Admin, "/api/v1/principals", AccessJson.Default.ImmutableArrayPrincipal);

    private static async Task<ImmutableArray<LedgerRecord>> EntriesAsync(TestServer server) =>
        [.. (await TestServer.GetAsync(server.Admin, "/api/v1/ledger/entries?limit=1000", LedgerJson.Default.ImmutableArrayLedgerRecord)).OrderBy(record => record.Index)];

    private static Task<Principal> MakeAsync(TestServer server, NewPrincipal wanted) =>
        TestServer.PostAsync(server.Admin, "/api/v1/principals", wanted, AccessJson.Default.NewPrincipal, AccessJson.Default.Principal);

    private static Task<Principal> ChangeAsync(TestServer server, string id, PrincipalChange change) =>
        TestServer.PostAsync(server.Admin, $"/api/v1/principals/{id}/changes", change, AccessJson.Default.PrincipalChange, AccessJson.Default.Principal);

    private static Task<TrustedKey> AddAsync(TestServer server, NewTrustedKey wanted) =>
        TestServer.PostAsync(server.Admin, "/api/v1/trusted-keys", wanted, AccessJson.Default.NewTrustedKey, AccessJson.Default.TrustedKey);

    private static Task<TrustedKey> RevokeAsync(TestServer server, string id, string reason) =>
        TestServer.PostAsync(server.Admin, $"/api/v1/trusted-keys/{id}/revoke", new ReasonOnly(reason), AccessJson.Default.ReasonOnly, AccessJson.Default.TrustedKey);

    private static Task<(int, string)> RefusalAsync(TestServer server, string path, PrincipalChange change) => RefusalAsync(server, path, TestServer.Json(change, AccessJson.Default.PrincipalChange));

    private static Task<(int, string)> RefusalAsync(TestServer server, NewTrustedKey wanted) => RefusalAsync(server, "/api/v1/trusted-keys", TestServer.Json(wanted, AccessJson.Default.NewTrustedKey));

    private static async Task<(int, string)> RefusalAsync(TestServer server, string path, HttpContent body)
    {
        using var response = await server.Admin.PostAsync(path, body, Cancellation);
        return ((int)response.StatusCode, Assert.Single((await response.Content.ReadFromJsonAsync(RegistryJson.Default.ErrorDocument, Cancellation))!.Faults).Code);
    }
}
