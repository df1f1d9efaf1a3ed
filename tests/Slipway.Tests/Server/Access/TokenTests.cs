using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Server.Access;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Access;

public sealed class TokenTests : IAsyncLifetime
{
    private static readonly RoleGrant Author = new(Role.Author, "flight-delay"), Viewer = new(Role.Viewer, "*");

    private readonly TestClock clock = new();
    private TestServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(with: options => options with { Time = clock });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_token_is_shown_once_and_only_its_hash_is_stored()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Viewer);
        var list = await server.Admin.GetStringAsync("/api/v1/all-tokens", Cancellation);
        var ledger = await server.Admin.GetStringAsync("/api/v1/ledger/entries?limit=1000", Cancellation);
        Assert.DoesNotContain(token, list + ledger);
        Assert.DoesNotContain(new TokenSecret(token).Hash, list + ledger);
        // What the files hold is what a thief of a backup has.
        await server.RestartAsync(async () =>
        {
            foreach (var file in Directory.GetFiles(server.Store.Folder, "server.db*"))
            {
                var content = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancellation));
                Assert.DoesNotContain(token, content);
                Assert.DoesNotContain(token[TokenSecret.Prefix.Length..], content);
            }
        });
        Assert.Null(await RefusalAsync(token));
    }

    [Fact]
    public async Task It_ends_on_its_day_or_when_it_is_revoked()
    {
        var (alice, token) = await server.NewTokenAsync("Alice", [], Viewer);
        var second = await IssueAsync(server.As(token), new(null, "laptop", [], 2, "more"));
        Assert.Equal((alice, "laptop", clock.GetUtcNow().AddDays(2).ToUnixTimeMilliseconds()), (second.Token.Principal, second.Token.Label, second.Token.ExpiresAt));
        clock.Step(TimeSpan.FromDays(1) - TimeSpan.FromMilliseconds(1));
        Assert.Null(await RefusalAsync(token));
        clock.Step(TimeSpan.FromMilliseconds(1));
        Assert.Equal("token-expired", await RefusalAsync(token));
        Assert.Null(await RefusalAsync(second.Secret));
        var revoked = await RevokeAsync(server.As(second.Secret), second.Token.Id);
        Assert.Equal([second.Token.Id], revoked.Revoked);
        Assert.Equal("token-revoked", await RefusalAsync(second.Secret));
        Assert.Empty((await RevokeAsync(server.Admin, second.Token.Id)).Revoked);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(367)]
    [InlineData(int.MaxValue)]
    public async Task None_lasts_for_ever(int days) =>
        Assert.Equal((400, "bad-days"), await RefusalAsync(server.Admin, new NewToken(null, "x", [], days, "why not")));

    [Fact]
    public async Task A_scope_narrows_and_never_widens()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Author, Viewer);
        var alice = server.As(token);
        async Task<ImmutableArray<RoleGrant>> RolesAsync(params RoleGrant[] scope) =>
            (await WhoAsync((await IssueAsync(alice, new(null, "narrow", [.. scope], 1, "for a build"))).Secret)).Roles;

        Assert.Equal([Viewer, Author], await RolesAsync());
        Assert.Equal([Author], await RolesAsync(Author));
        Assert.Equal([new RoleGrant(Role.Viewer, "flight-delay")], await RolesAsync(new RoleGrant(Role.Viewer, "flight-delay")));
        Assert.Equal([Author], await RolesAsync(new RoleGrant(Role.Author, "*")));
        Assert.Empty(await RolesAsync(new RoleGrant(Role.Author, "other-model")));
        Assert.Empty(await RolesAsync(new RoleGrant(Role.Admin, "*"), new RoleGrant(Role.Approver, "flight-delay")));
    }

    [Fact]
    public async Task What_is_taken_from_a_person_is_taken_from_their_tokens_at_once()
    {
        var (id, token) = await server.NewTokenAsync("Alice", [], Author);
        await ChangeAsync(id, new(null, null, [], [], [], [Author], "moved on"));
        Assert.Empty((await WhoAsync(token)).Roles);
        await ChangeAsync(id, new(null, true, [], [], [], [], "left"));
        Assert.Equal("principal-disabled", await RefusalAsync(token));
        await ChangeAsync(id, new(null, false, [], [], [], [], "came back"));
        Assert.Null(await RefusalAsync(token));
    }

    [Fact]
    public async Task A_narrow_token_makes_no_tokens()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Author, new RoleGrant(Role.Admin, "*"));
        var narrow = await IssueAsync(server.As(token), new(null, "narrow", [new RoleGrant(Role.Admin, "*")], 1, "x"));
        Assert.Equal((403, "forbidden"), await RefusalAsync(server.As(narrow.Secret), new NewToken(null, "wide", [], 1, "x")));
    }

    [Fact]
    public async Task Others_tokens_are_an_administrators_alone()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Author);
        var (bob, _) = await server.NewTokenAsync("Bob", [], Author);
        var bobs = Assert.Single(await ListAsync(server.Admin, $"/api/v1/all-tokens?principal={bob}"));
        Assert.Equal((403, "forbidden"), await RefusalAsync(server.As(token), new NewToken(bob, "as Bob", [], 1, "x")));
        Assert.DoesNotContain(await ListAsync(server.As(token), "/api/v1/tokens"), found => found.Principal == bob);
        foreach (var id in new[] { bobs.Id, "tok-none" })
        {
            using var response = await server.As(token).PostAsync($"/api/v1/tokens/{id}/revoke", TestServer.Json(new RevokeToken(false, "x"), AccessJson.Default.RevokeToken), Cancellation);
            Assert.Equal((HttpStatusCode.NotFound, $"you have no token '{id}'"), (response.StatusCode, (await FaultAsync(response)).Message));
        }
    }

    [Fact]
    public async Task A_token_that_its_holder_made_proves_nothing_until_its_hash_is_enrolled_and_is_enrolled_once()
    {
        var (alice, _) = await server.NewTokenAsync("Alice", [], Author);
        var made = TokenSecret.Create();
        Assert.Equal("token-unknown", await RefusalAsync(made.Text));
        var enrolled = await IssueAsync(server.Admin, new(alice, "hers", [], 1, "x") { Hash = made.Hash });
        Assert.Equal(("", alice), (enrolled.Secret, enrolled.Token.Principal));
        Assert.Equal(alice, (await WhoAsync(made.Text)).Id);
        Assert.Equal((409, "token-known"), await RefusalAsync(server.Admin, new NewToken(alice, "again", [], 1, "x") { Hash = made.Hash }));
        foreach (var hash in new[] { "", made.Text, made.Hash.ToUpperInvariant() + "", made.Hash[1..] })
            Assert.Equal((400, "bad-hash"), await RefusalAsync(server.Admin, new NewToken(alice, "none", [], 1, "x") { Hash = hash }));
    }

    [Fact]
    public async Task A_narrowed_token_sees_and_ends_itself_alone()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Author);
        var narrow = await IssueAsync(server.As(token), new(null, "narrow", [Viewer], 1, "x"));
        var whole = Assert.Single(await ListAsync(server.As(token), "/api/v1/tokens"), found => found.Scope.IsEmpty);
        Assert.Equal(narrow.Token.Id, Assert.Single(await ListAsync(server.As(narrow.Secret), "/api/v1/tokens")).Id);
        using var response = await server.As(narrow.Secret).PostAsync($"/api/v1/tokens/{whole.Id}/revoke", TestServer.Json(new RevokeToken(false, "x"), AccessJson.Default.RevokeToken), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Null(await RefusalAsync(token));
        await RevokeAsync(server.As(narrow.Secret), narrow.Token.Id);
        Assert.Equal("token-revoked", await RefusalAsync(narrow.Secret));
    }

    [Fact]
    public async Task Who_held_a_token_before_is_known_from_all_that_were_made_with_it()
    {
        var admin = (await WhoAsync(server.AdminToken)).Id;
        var (alice, enrolled) = await server.NewTokenAsync("Alice", [], Viewer);
        var first = await IssueAsync(server.Admin, new(alice, "first", [], 1, "x"));
        var second = await IssueAsync(server.As(first.Secret), new(null, "second", [], 1, "x"));
        var third = await IssueAsync(server.As(second.Secret), new(null, "third", [], 1, "x"));
        Assert.Equal([admin], third.Token.KnownTo);
        Assert.Equal((alice, second.Token.Id), (third.Token.CreatedBy, third.Token.MadeWith));
        // Who enrolled a token by its hash has never held it.
        var own = Assert.Single(await ListAsync(server.Admin, $"/api/v1/all-tokens?principal={alice}"), found => found.CreatedBy == admin && found.Id != first.Token.Id);
        Assert.Empty(own.KnownTo);
        Assert.Empty((await IssueAsync(server.As(enrolled), new(null, "made with it", [], 1, "x"))).Token.KnownTo);
        // The administrator's own are nobody else's, and a server that printed one forgets it.
        Assert.Empty((await IssueAsync(server.Admin, new(null, "own", [], 1, "x"))).Token.KnownTo);
    }

    [Fact]
    public async Task A_stolen_token_is_revoked_with_all_that_were_made_with_it()
    {
        var (alice, first) = await server.NewTokenAsync("Alice", [], Viewer);
        var second = await IssueAsync(server.As(first), new(null, "second", [], 1, "x"));
        var third = await IssueAsync(server.As(second.Secret), new(null, "third", [], 1, "x"));
        var apart = await IssueAsync(server.Admin, new(alice, "apart", [], 1, "x"));
        var id = (await ListAsync(server.As(first), "/api/v1/tokens")).Single(token => token.Label == "a test's").Id;
        var told = await RevokeAsync(server.Admin, id);
        Assert.Equal([id], told.Revoked);
        Assert.Equal(new[] { second.Token.Id, third.Token.Id }.Order(StringComparer.Ordinal), told.MadeWithIt);
        Assert.Null(await RefusalAsync(third.Secret));
        told = await RevokeAsync(server.Admin, id, andMadeWithIt: true);
        Assert.Equal(2, told.Revoked.Length);
        Assert.Empty(told.MadeWithIt);
        Assert.Equal("token-revoked", await RefusalAsync(third.Secret));
        Assert.Null(await RefusalAsync(apart.Secret));
    }

    [Fact]
    public async Task The_last_use_is_known_to_the_hour_and_not_written_at_each_call()
    {
        var (_, token) = await server.NewTokenAsync("Alice", [], Viewer);
        async Task<long?> LastUsedAsync() => Assert.Single(await ListAsync(server.As(token), "/api/v1/tokens")).LastUsedAt;
        var first = clock.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(first, await LastUsedAsync());
        clock.Step(TimeSpan.FromMinutes(59));
        Assert.Equal(first, await LastUsedAsync());
        clock.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(clock.GetUtcNow().ToUnixTimeMilliseconds(), await LastUsedAsync());
    }

    [Fact]
    public async Task Somebody_has_so_many_tokens_and_no_more_until_one_ends()
    {
        for (var n = 1; n < TokenIssuer.MostInForce; n++)
            await IssueAsync(server.Admin, new(null, $"{n}", [], 1, "x"));
        Assert.Equal((409, "too-many-tokens"), await RefusalAsync(server.Admin, new NewToken(null, "one more", [], 1, "x")));
        clock.Step(TimeSpan.FromDays(1));
        await IssueAsync(server.Admin, new(null, "one more", [], 1, "x"));
    }

    [Fact]
    public async Task The_gateway_beside_the_server_is_a_gateway_and_nothing_else()
    {
        var gateway = await WhoAsync(server.Plane.LocalGatewayToken);
        Assert.Equal([new RoleGrant(Role.Gateway, "*")], gateway.Roles);
        Assert.Equal(PrincipalKind.Service, gateway.Kind);
        Assert.Equal((404, "no-principal"), await RefusalAsync(server.As(server.Plane.LocalGatewayToken), new NewToken(null, "x", [], 1, "x")));
        var before = server.Plane.LocalGatewayToken;
        await server.RestartAsync();
        Assert.Equal("token-unknown", await RefusalAsync(before));
    }

    private static Task<IssuedToken> IssueAsync(HttpClient client, NewToken wanted) =>
        TestServer.PostAsync(client, "/api/v1/tokens", wanted, AccessJson.Default.NewToken, AccessJson.Default.IssuedToken);

    private static Task<RevokedTokens> RevokeAsync(HttpClient client, string id, bool andMadeWithIt = false) =>
        TestServer.PostAsync(client, $"/api/v1/tokens/{id}/revoke", new RevokeToken(andMadeWithIt, "a test"), AccessJson.Default.RevokeToken, AccessJson.Default.RevokedTokens);

    private Task<Principal> ChangeAsync(string id, PrincipalChange change) =>
        TestServer.PostAsync(server.Admin, $"/api/v1/principals/{id}/changes", change, AccessJson.Default.PrincipalChange, AccessJson.Default.Principal);

    private static Task<ImmutableArray<ApiToken>> ListAsync(HttpClient client, string path) => TestServer.GetAsync(client, path, AccessJson.Default.ImmutableArrayApiToken);

    private Task<Identity> WhoAsync(string token) => TestServer.GetAsync(server.As(token), "/api/v1/whoami", AccessJson.Default.Identity);

    private async Task<string?> RefusalAsync(string token)
    {
        using var response = await server.As(token).GetAsync("/api/v1/whoami", Cancellation);
        return response.IsSuccessStatusCode ? null : (await FaultAsync(response)).Code;
    }

    private static async Task<(int, string)> RefusalAsync(HttpClient client, NewToken wanted)
    {
        using var response = await client.PostAsync("/api/v1/tokens", TestServer.Json(wanted, AccessJson.Default.NewToken), Cancellation);
        return ((int)response.StatusCode, (await FaultAsync(response)).Code);
    }

    private static async Task<Slipway.Primitives.Faults.Fault> FaultAsync(HttpResponseMessage response) =>
        Assert.Single((await response.Content.ReadFromJsonAsync(RegistryJson.Default.ErrorDocument, Cancellation))!.Faults);
}
