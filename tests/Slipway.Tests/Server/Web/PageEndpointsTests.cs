using System.Net;
using System.Net.Http.Headers;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Server.Access;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Tests.Server.Web;

/// <summary>The pages over HTTP, as a browser calls them.</summary>
public sealed class PageEndpointsTests : IAsyncLifetime
{
    private const string Flights = "flight-delay", Other = "other-model";

    private readonly TestClock clock = new();
    private TestServer server = null!;
    private Database database = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string OwnOrigin => server.Url.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(with: options => options with { Time = clock });
        database = await server.Store.OpenAgainAsync();
        await RegisterAsync(Flights, "deeper trees");
        await RegisterAsync(Other, "wider ones");
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get()
    {
        using var answer = await SignInAsync(server.AdminToken);

        Assert.Equal((HttpStatusCode.SeeOther, "/"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie")).Split("; ");
        Assert.Equal($"slipway-session={server.AdminToken}", cookie[0]);
        Assert.Equal(["httponly", "path=/", "samesite=strict"], cookie[1..].Order(StringComparer.Ordinal));

        Assert.Contains("<h1>Models</h1>", await PageAsync(server.AdminToken), StringComparison.Ordinal);
    }

    /// <summary>A proxy speaks plain HTTP to the server; the browser says that it came by TLS.</summary>
    [Fact]
    public async Task Behind_a_proxy_with_tls_the_cookie_goes_by_tls_alone()
    {
        using var answer = await SignInAsync(server.AdminToken, origin: $"https://{server.Url.Authority}");

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Contains("; secure", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://evil.example", null)]
    [InlineData("null", null)]
    [InlineData("http://127.0.0.1", null)]
    [InlineData(null, "cross-site")]
    [InlineData(null, "same-site")]
    [InlineData("own", "cross-site")]
    public async Task A_form_of_another_site_signs_nobody_in_or_out(string? origin, string? site)
    {
        origin = origin == "own" ? OwnOrigin : origin;
        foreach (var path in new[] { "/sign-in", "/sign-out" })
        {
            using var answer = await PostAsync(path, server.AdminToken, origin, site);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Contains("other-site", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Theory]
    [InlineData("own", null)]
    [InlineData("own", "same-origin")]
    [InlineData("null", "same-origin")]
    [InlineData(null, null)]
    public async Task A_form_of_its_own_page_is_taken(string? origin, string? site)
    {
        using var answer = await PostAsync("/sign-in", server.AdminToken, origin == "own" ? OwnOrigin : origin, site);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_in_the_browser()
    {
        using var answer = await PostAsync("/sign-out", "", OwnOrigin, "same-origin");

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("slipway-session=; expires=Thu, 01 Jan 1970", cookie, StringComparison.Ordinal);
        Assert.Contains("path=/", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_shown_to_who_is_not_signed_in()
    {
        using var answer = await server.Anonymous.GetAsync("/", Stop);
        var page = await answer.Content.ReadAsStringAsync(Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        AssertShowsNothing(page);
        // The cookie is what signs a browser in: the API's way does not, nor does the cookie at the API.
        AssertShowsNothing(await server.Admin.GetStringAsync("/", Stop));
        using var api = await GetAsync("/api/v1/models", server.AdminToken);
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_told_on_the_page_and_counts_with_the_apis()
    {
        var guess = "slw_" + new string('0', 64);
        using (var refused = await SignInAsync(guess))
        {
            var page = await refused.Content.ReadAsStringAsync(Stop);
            Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (refused.StatusCode, refused.Content.Headers.ContentType?.MediaType));
            Assert.Contains("not known here", page, StringComparison.Ordinal);
            Assert.DoesNotContain(guess, page, StringComparison.Ordinal);
        }

        // By form, by cookie and by header: one count.
        for (var n = 1; n < FailedSignIns.Most; n++)
        {
            using var again = await (n % 3 == 0 ? SignInAsync(guess) : n % 3 == 1 ? GetAsync("/", guess) : server.As(guess).GetAsync("/api/v1/whoami", Stop));
            Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        }

        foreach (var slowed in new[] { await SignInAsync(guess), await GetAsync("/", guess), await server.As(guess).GetAsync("/api/v1/whoami", Stop) })
        {
            using (slowed)
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, slowed.StatusCode);
                Assert.NotNull(slowed.Headers.RetryAfter);
            }
        }

        using var good = await SignInAsync(server.AdminToken);
        Assert.Equal(HttpStatusCode.SeeOther, good.StatusCode);
    }

    [Theory]
    [InlineData("revoked")]
    [InlineData("expired")]
    [InlineData("disabled")]
    public async Task A_session_whose_token_is_over_shows_nothing_more(string how)
    {
        var (id, token) = await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, "*"));
        Assert.Contains(Flights, await PageAsync(token), StringComparison.Ordinal);
        await EndAsync(how, id);

        using var answer = await GetAsync("/", token);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        AssertShowsNothing(page);
        Assert.Contains(how, page, StringComparison.Ordinal);
        Assert.StartsWith("slipway-session=; expires=Thu, 01 Jan 1970", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_viewer_of_one_model_sees_that_model_alone()
    {
        var page = await PageAsync((await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, Flights))).Token);
        Assert.Contains(Flights, page, StringComparison.Ordinal);
        Assert.DoesNotContain(Other, page, StringComparison.Ordinal);

        var all = await PageAsync((await server.NewTokenAsync("Victor", [], new RoleGrant(Role.Viewer, "*"))).Token);
        Assert.Contains(Flights, all, StringComparison.Ordinal);
        Assert.Contains(Other, all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_others_named_and_wrote_is_text_on_the_page()
    {
        const string Markup = "<img src=x onerror=alert(1)>\"'&";
        await RegisterAsync("hostile", Markup);
        var page = await PageAsync((await server.NewTokenAsync(Markup, [], new RoleGrant(Role.Viewer, "*"))).Token);

        Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        // The viewer's name, who pushed, and why.
        Assert.Equal(4, page.Split("&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;").Length);
    }

    [Fact]
    public async Task A_pages_headers_are_there_once_and_let_it_have_its_style_and_forms()
    {
        foreach (var answer in new[] { await server.Anonymous.GetAsync("/", Stop), await GetAsync("/", server.AdminToken), await SignInAsync("wrong") })
        {
            using (answer)
            {
                Assert.Equal("default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
                // Without an origin in its forms, a browser's own page would look like another site's.
                Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
                Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
                Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
                Assert.Equal("no-store", Assert.Single(answer.Headers.GetValues("Cache-Control")));
            }
        }
    }

    [Theory]
    [InlineData("text/plain", "token=x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data; boundary=x", "--x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/x-www-form-urlencoded", "many", HttpStatusCode.BadRequest)]
    public async Task A_form_that_is_none_is_told(string type, string body, HttpStatusCode status)
    {
        body = body == "many" ? string.Join('&', Enumerable.Range(0, 3_000).Select(n => $"a{n}=1")) : body;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new StringContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var answer = await server.Anonymous.SendAsync(request, Stop);

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains("bad-form", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    private static void AssertShowsNothing(string page)
    {
        Assert.Contains("<h1>Sign in</h1>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Flights, page, StringComparison.Ordinal);
        Assert.DoesNotContain(Other, page, StringComparison.Ordinal);
        Assert.DoesNotContain("Sign out", page, StringComparison.Ordinal);
    }

    private async Task EndAsync(string how, string principal)
    {
        switch (how)
        {
            case "revoked":
                var tokens = await TestServer.GetAsync(server.Admin, $"/api/v1/all-tokens?principal={principal}", AccessJson.Default.ImmutableArrayApiToken);
                await TestServer.PostAsync(server.Admin, $"/api/v1/tokens/{Assert.Single(tokens).Id}/revoke", new RevokeToken(false, "a test"), AccessJson.Default.RevokeToken, AccessJson.Default.RevokedTokens);
                break;
            case "disabled":
                await TestServer.PostAsync(
                    server.Admin, $"/api/v1/principals/{principal}/changes", new PrincipalChange(null, true, [], [], [], [], "a test"), AccessJson.Default.PrincipalChange, AccessJson.Default.Principal);
                break;
            default:
                clock.Step(TimeSpan.FromDays(server.TokenDays));
                break;
        }
    }

    private async Task<string> PageAsync(string token)
    {
        using var answer = await GetAsync("/", token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Cookie", $"slipway-session={cookie}");
        return await server.Anonymous.SendAsync(request, Stop);
    }

    private Task<HttpResponseMessage> SignInAsync(string token, string? origin = null) => PostAsync("/sign-in", token, origin ?? OwnOrigin, null);

    private async Task<HttpResponseMessage> PostAsync(string path, string token, string? origin, string? site)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]) };
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        if (site is not null)
            request.Headers.Add("Sec-Fetch-Site", site);
        return await server.Anonymous.SendAsync(request, Stop);
    }

    private Task RegisterAsync(string model, string reason)
    {
        var bundle = Digest.Of(System.Text.Encoding.UTF8.GetBytes(model));
        return database.ChangeAsync(
            session => VersionTable.InsertAsync(
                session, new ModelVersion(model, 1, bundle, bundle, new GateReport(bundle, null, Verdict.Pass, []), [], "user:author", reason, 1, reason), new SealedEvidence(null, null, new LineageGraph([]))),
            Stop);
    }
}
