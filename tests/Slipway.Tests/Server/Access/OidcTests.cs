using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Access;

public sealed class OidcTests : IAsyncLifetime
{
    private readonly TestClock clock = new();
    private TestIssuer issuer = null!;
    private TestServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    public async ValueTask InitializeAsync()
    {
        issuer = await TestIssuer.StartAsync();
        server = await StartAsync(Trust);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_person_is_known_by_issuer_and_subject_and_may_what_their_groups_may()
    {
        var claims = issuer.Claims(Now);
        claims["groups"] = new JsonArray("ml-team", "others");
        var alice = await WhoAsync(issuer.Sign(claims));
        Assert.Equal(("Alice Example", PrincipalKind.Person), (alice.Name, alice.Kind));
        Assert.Equal(["ml-team", "others"], alice.Groups);
        Assert.Equal([new RoleGrant(Role.Author, "flight-delay")], alice.Roles);
        Assert.Equal((Now + 3600) * 1000, alice.Expires);

        // The groups are not kept, and the name is the one that was seen first.
        claims = issuer.Claims(Now);
        claims["name"] = "Another";
        var later = await WhoAsync(issuer.Sign(claims));
        Assert.Equal((alice.Id, "Alice Example"), (later.Id, later.Name));
        Assert.Empty(later.Roles);
        Assert.NotEqual(alice.Id, (await WhoAsync(issuer.Sign(issuer.Claims(Now, "bob")))).Id);
        Assert.Equal(3, (await TestServer.GetAsync(server.Admin, "/api/v1/principals", AccessJson.Default.ImmutableArrayPrincipal)).Length);
    }

    [Fact]
    public async Task What_an_administrator_grants_comes_on_top_and_who_is_disabled_is_refused()
    {
        var token = issuer.Sign(issuer.Claims(Now));
        var alice = await WhoAsync(token);
        await ChangeAsync(alice.Id, new(null, null, ["release-managers"], [], [new(Role.Approver, "*")], [], "She approves."));
        var granted = await WhoAsync(token);
        Assert.Equal(["release-managers"], granted.Groups);
        Assert.Equal([new RoleGrant(Role.Approver, "*")], granted.Roles);
        await ChangeAsync(alice.Id, new(null, true, [], [], [], [], "She left."));
        Assert.Equal("principal-disabled", await RefusalAsync(token));
    }

    [Fact]
    public async Task A_browsers_session_has_what_the_provider_said_and_what_is_granted_here_now_and_no_more()
    {
        var claims = issuer.Claims(Now);
        claims["groups"] = new JsonArray("ml-team");
        var token = issuer.Sign(claims);
        var alice = await WhoAsync(token);
        var browser = await Web.Browser.SignedInAsync(server, token);
        Assert.Contains("Alice Example", await browser.PageAsync(), StringComparison.Ordinal);
        // The provider's token is nowhere; what it said is, until it ends.
        await browser.PageAsync("/ledger");
        await ChangeAsync(alice.Id, new(null, null, [], [], [new(Role.Operator, "flight-delay")], [], "She is on call."));
        await browser.PageAsync("/models/other", HttpStatusCode.Forbidden);
        await browser.PageAsync("/models/flight-delay", HttpStatusCode.NotFound);
        await ChangeAsync(alice.Id, new(null, true, [], [], [], [], "She left."));
        await browser.PageAsync("/", HttpStatusCode.Unauthorized);
        await ChangeAsync(alice.Id, new(null, false, [], [], [], [], "She came back."));
        await browser.PageAsync();
        clock.Step(TimeSpan.FromHours(2));
        await browser.PageAsync("/", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_lone_string_is_a_group_too_and_what_is_no_string_is_none()
    {
        var claims = issuer.Claims(Now);
        claims["groups"] = "ml-team";
        Assert.Equal(["ml-team"], (await WhoAsync(issuer.Sign(claims))).Groups);
        claims["groups"] = new JsonArray(1, true, new JsonObject { ["name"] = "ml-team" });
        Assert.Empty((await WhoAsync(issuer.Sign(claims))).Roles);
    }

    [Theory]
    [InlineData(3600 + 29, null)]
    [InlineData(3600 + 30, "token-expired")]
    [InlineData(-30, null)]
    [InlineData(-31, "token-not-yet-valid")]
    public async Task A_token_counts_in_its_time_and_30_s_around_it(int seconds, string? refusal)
    {
        var token = issuer.Sign(issuer.Claims(Now));
        clock.Step(TimeSpan.FromSeconds(seconds));
        Assert.Equal(refusal, await RefusalAsync(token));
    }

    public static TheoryData<string, string> Forgeries => new()
    {
        { "wrong issuer", "token-unknown" },
        { "issuer with a slash more", "token-unknown" },
        { "wrong audience", "token-not-ours" },
        { "no audience", "token-not-ours" },
        { "no subject", "token-invalid" },
        { "empty subject", "token-invalid" },
        { "endless subject", "token-invalid" },
        { "no expiry", "token-invalid" },
        { "a claim that is required is another", "token-not-ours" },
        { "a claim that is required is missing", "token-not-ours" },
        { "alg none", "token-invalid" },
        { "alg None with the signature cut off", "token-invalid" },
        { "HS256 with the public key as the secret", "token-invalid" },
        { "HS256 with the key that discovery names", "token-invalid" },
        { "unknown key", "token-invalid" },
        { "no key id", "token-invalid" },
        { "another key under a known id", "token-invalid" },
        { "key in the header", "token-invalid" },
        { "tampered payload", "token-invalid" },
        { "tampered signature", "token-invalid" },
        { "empty signature", "token-invalid" },
        { "a logout token", "token-invalid" },
        { "four parts", "token-unknown" },
        { "an encrypted token", "token-unknown" },
        { "no JSON", "token-unknown" },
        { "too long", "bad-token" },
    };

    [Theory, MemberData(nameof(Forgeries))]
    public async Task A_forged_token_proves_nothing(string forgery, string code)
    {
        var claims = issuer.Claims(Now);
        claims["tenant"] = "ours";
        await using var strict = await StartAsync(Trust with { Require = ImmutableSortedDictionary<string, string>.Empty.Add("tenant", "ours") });
        var good = issuer.Sign(claims);
        // What is forged differs from a good token in one thing alone.
        Assert.Null(await RefusalAsync(good, strict));
        Assert.Equal(code, await RefusalAsync(Forge(forgery, claims, good), strict));
        Assert.Null(await RefusalAsync(good, strict));
    }

    private string Forge(string forgery, JsonObject claims, string good)
    {
        var parts = good.Split('.');
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string Changed(string claim, JsonNode? value)
        {
            claims[claim] = value;
            return issuer.Sign(claims);
        }

        string Without(string claim)
        {
            claims.Remove(claim);
            return issuer.Sign(claims);
        }

        string Shared(byte[] secret) => TestIssuer.Assemble(new() { ["alg"] = "HS256", ["kid"] = "first", ["typ"] = "JWT" }, claims, signed => HMACSHA256.HashData(secret, signed));

        return forgery switch
        {
            "wrong issuer" => Changed("iss", "https://evil.example"),
            "issuer with a slash more" => Changed("iss", issuer.Url + "/"),
            "wrong audience" => Changed("aud", "another-service"),
            "no audience" => Without("aud"),
            "no subject" => Without("sub"),
            "empty subject" => Changed("sub", ""),
            "endless subject" => Changed("sub", new string('a', 256)),
            "no expiry" => Without("exp"),
            "a claim that is required is another" => Changed("tenant", "theirs"),
            "a claim that is required is missing" => Without("tenant"),
            "alg none" => TestIssuer.Assemble(new() { ["alg"] = "none", ["typ"] = "JWT" }, claims, _ => []),
            "alg None with the signature cut off" => $"{TestIssuer.Encode("""{"alg":"None","kid":"first","typ":"JWT"}""")}.{parts[1]}.",
            "HS256 with the public key as the secret" => Shared(issuer.PublicPem()),
            "HS256 with the key that discovery names" => Shared("first"u8.ToArray()),
            "unknown key" => TestIssuer.Sign(claims, stranger, "second"),
            "no key id" => TestIssuer.Sign(claims, stranger, null),
            "another key under a known id" => TestIssuer.Sign(claims, stranger, "first"),
            "key in the header" => TestIssuer.Assemble(
                new()
                {
                    ["alg"] = "ES256",
                    ["typ"] = "JWT",
                    ["jwk"] = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64(stranger.ExportParameters(false).Q.X!), ["y"] = Base64(stranger.ExportParameters(false).Q.Y!) },
                },
                claims,
                signed => stranger.SignData(signed, HashAlgorithmName.SHA256)),
            "tampered payload" => $"{parts[0]}.{TestIssuer.Encode(Changed("sub", "admin") is var _ ? claims.ToJsonString() : "")}.{parts[2]}",
            "tampered signature" => good[..^4] + (good.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA"),
            "empty signature" => $"{parts[0]}.{parts[1]}.",
            "a logout token" => issuer.Sign(claims, type: "logout+jwt"),
            "four parts" => good + ".x",
            "an encrypted token" => string.Join('.', parts) + ".x.y",
            "no JSON" => "a.b.c",
            "too long" => new string('a', 20_000),
            _ => throw new ArgumentOutOfRangeException(nameof(forgery)),
        };
    }

    [Fact]
    public async Task A_new_key_is_found_when_it_is_first_used_and_made_up_ones_cause_no_storm()
    {
        Assert.Null(await RefusalAsync(issuer.Sign(issuer.Claims(Now))));
        Assert.Equal(1, issuer.Fetches);
        issuer.Publish("second", RSA.Create(2048));
        clock.Step(TimeSpan.FromMinutes(1));
        Assert.Null(await RefusalAsync(issuer.Sign(issuer.Claims(Now), "second")));
        Assert.Equal(2, issuer.Fetches);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        for (var n = 0; n < 10; n++)
            Assert.Equal("token-invalid", await RefusalAsync(TestIssuer.Sign(issuer.Claims(Now), stranger, $"made-up-{n}")));
        Assert.Equal(2, issuer.Fetches);
        clock.Step(TimeSpan.FromSeconds(10));
        Assert.Equal("token-invalid", await RefusalAsync(TestIssuer.Sign(issuer.Claims(Now), stranger, "made-up")));
        Assert.Equal(3, issuer.Fetches);
    }

    [Fact]
    public async Task A_withdrawn_key_is_forgotten_within_the_hour()
    {
        issuer.Publish("second", RSA.Create(2048));
        Assert.Null(await RefusalAsync(issuer.Sign(issuer.Claims(Now), "second")));
        var claims = issuer.Claims(Now);
        claims["exp"] = Now + 100_000;
        var token = issuer.Sign(claims, "second");
        issuer.Withdraw("second");
        clock.Step(TimeSpan.FromMinutes(61));
        Assert.Equal("token-invalid", await RefusalAsync(token));
    }

    [Fact]
    public async Task While_the_provider_is_away_its_keys_count_for_a_day_and_then_it_is_told()
    {
        var claims = issuer.Claims(Now);
        claims["exp"] = Now + 200_000;
        var token = issuer.Sign(claims);
        Assert.Null(await RefusalAsync(token));
        issuer.Broken = true;
        clock.Step(TimeSpan.FromHours(23));
        Assert.Null(await RefusalAsync(token));
        clock.Step(TimeSpan.FromHours(1));
        Assert.Equal("provider-unreachable", await RefusalAsync(token));
        issuer.Broken = false;
        clock.Step(TimeSpan.FromSeconds(10));
        Assert.Null(await RefusalAsync(token));
    }

    [Fact]
    public async Task A_provider_that_says_it_is_another_is_not_believed()
    {
        issuer.Claimed = "https://evil.example";
        Assert.Equal("provider-unreachable", await RefusalAsync(issuer.Sign(issuer.Claims(Now))));
    }

    [Fact]
    public async Task Subjects_of_an_issuer_of_programs_are_services()
    {
        await using var builds = await StartAsync(Trust with { Kind = PrincipalKind.Service });
        using var response = await builds.As(issuer.Sign(issuer.Claims(Now))).GetAsync("/api/v1/whoami", Cancellation);
        Assert.Equal(PrincipalKind.Service, (await response.Content.ReadFromJsonAsync(AccessJson.Default.Identity, Cancellation))!.Kind);
    }

    private OidcTrust Trust => new(
        issuer.Url, TestIssuer.Audience, Roles: ImmutableSortedDictionary<string, ImmutableArray<RoleGrant>>.Empty.Add("ml-team", [new RoleGrant(Role.Author, "flight-delay")]));

    private Task<TestServer> StartAsync(OidcTrust trust) => TestServer.StartAsync(DatabaseKind.Sqlite, options => options with { Time = clock, Oidc = [trust] });

    private Task<Principal> ChangeAsync(string id, PrincipalChange change) =>
        TestServer.PostAsync(server.Admin, $"/api/v1/principals/{id}/changes", change, AccessJson.Default.PrincipalChange, AccessJson.Default.Principal);

    private Task<Identity> WhoAsync(string token) => TestServer.GetAsync(server.As(token), "/api/v1/whoami", AccessJson.Default.Identity);

    /// <returns>The fault's code; null when the token is taken.</returns>
    private async Task<string?> RefusalAsync(string token, TestServer? at = null)
    {
        using var response = await (at ?? server).As(token).GetAsync("/api/v1/whoami", Cancellation);
        if (response.IsSuccessStatusCode)
            return null;
        var fault = Assert.Single((await response.Content.ReadFromJsonAsync(RegistryJson.Default.ErrorDocument, Cancellation))!.Faults);
        Assert.Equal(fault.Code == "provider-unreachable" ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Unauthorized, response.StatusCode);
        return fault.Code;
    }

    private static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
