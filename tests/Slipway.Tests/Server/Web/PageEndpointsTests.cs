using System.Net;
using System.Net.Http.Headers;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Access;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Tests.Server.Web;

/// <summary>Signing in and out, and what everybody is shown, over HTTP as a browser calls.</summary>
public sealed class PageEndpointsTests : IAsyncLifetime
{
    private const string Flights = "flight-delay", Other = "other-model";

    private readonly TestClock clock = new();
    private TestServer server = null!;
    private Database database = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(with: options => options with { Time = clock });
        database = await server.Store.OpenAgainAsync();
        await RegisterAsync(Flights, "deeper trees");
        await RegisterAsync(Other, "wider ones");
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Signing_in_gives_a_cookie_that_is_no_token_and_that_scripts_and_other_sites_do_not_get()
    {
        var browser = new Browser(server);
        using var answer = await browser.SignInAsync(server.AdminToken);

        Assert.Equal((HttpStatusCode.SeeOther, "/"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie")).Split("; ");
        Assert.Matches("^slipway-session=[0-9a-f]{64}$", cookie[0]);
        Assert.DoesNotContain(server.AdminToken[4..], cookie[0], StringComparison.Ordinal);
        Assert.Equal(["httponly", "path=/", "samesite=strict"], cookie[1..].Order(StringComparer.Ordinal));
        Assert.Contains("<h1>Overview</h1>", await browser.PageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_is_stored_by_its_hash_alone()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        var stored = await database.ReadAsync(session => session.QueryAsync<string>("SELECT hash || COALESCE(token, '') || COALESCE(provided, '') FROM sessions"), Stop);
        Assert.DoesNotContain(browser.Cookie, Assert.Single(stored), StringComparison.Ordinal);
    }

    /// <summary>A proxy speaks plain HTTP to the server; the browser says that it came by TLS.</summary>
    [Fact]
    public async Task Behind_a_proxy_with_tls_the_cookie_goes_by_tls_alone()
    {
        using var answer = await new Browser(server).SendAsync("/sign-in", [("token", server.AdminToken)], $"https://{server.Url.Authority}", null);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie")).Split("; ");
        Assert.Matches("^__Host-slipway-session=[0-9a-f]{64}$", cookie[0]);
        // What the prefix asks for, without which browsers throw it away: secure, this host alone, all its paths.
        Assert.Equal(["httponly", "path=/", "samesite=strict", "secure"], cookie[1..].Order(StringComparer.Ordinal));
    }

    /// <summary>A neighbour under the same domain may set the plain name; it may not set the other.</summary>
    [Theory]
    [InlineData("__Host-slipway-session", "https", HttpStatusCode.OK)]
    [InlineData("__Host-slipway-session", null, HttpStatusCode.OK)]
    [InlineData("slipway-session", null, HttpStatusCode.OK)]
    [InlineData("slipway-session", "https", HttpStatusCode.Unauthorized)]
    public async Task By_tls_only_the_cookie_counts_that_no_neighbour_can_set(string name, string? proxied, HttpStatusCode expected)
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html" }, { "Cookie", $"{name}={browser.Cookie}" } } };
        if (proxied is not null)
            request.Headers.Add("X-Forwarded-Proto", proxied);
        using var answer = await server.Anonymous.SendAsync(request, Stop);
        var isIn = (await answer.Content.ReadAsStringAsync(Stop)).Contains("<h1>Overview</h1>", StringComparison.Ordinal);
        Assert.Equal(expected == HttpStatusCode.OK, isIn);
    }

    [Fact]
    public async Task The_address_of_the_sign_in_is_a_page_signed_in_or_not()
    {
        AssertShowsNothing(await new Browser(server).PageAsync("/sign-in?to=/alerts"));
        Assert.Contains("name=\"to\" value=\"/alerts\"", await new Browser(server).PageAsync("/sign-in?to=/alerts"), StringComparison.Ordinal);
        Assert.Contains("name=\"to\" value=\"/\"", await new Browser(server).PageAsync("/sign-in?to=//evil.example"), StringComparison.Ordinal);
        AssertShowsNothing(await new Browser(server) { Cookie = new string('0', 64) }.PageAsync("/sign-in"));
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        using var answer = await browser.GetAsync("/sign-in?to=/alerts");
        Assert.Equal((HttpStatusCode.SeeOther, "/alerts"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
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
        foreach (var path in new[] { "/sign-in", "/sign-out" })
        {
            using var answer = await new Browser(server).SendAsync(path, [("token", server.AdminToken)], origin, site);
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
        using var answer = await new Browser(server).SendAsync("/sign-in", [("token", server.AdminToken)], origin, site);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    [Theory]
    [InlineData("/models/flight-delay", "/models/flight-delay")]
    [InlineData("/ledger?before=3", "/ledger?before=3")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("/a\r\nSet-Cookie: x=y", "/")]
    [InlineData("/sign-out", "/")]
    public async Task Who_signs_in_goes_on_to_a_page_of_this_server(string to, string then)
    {
        using var answer = await new Browser(server).SignInAsync(server.AdminToken, to);
        Assert.Equal((HttpStatusCode.SeeOther, then), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_here_as_well_as_in_the_browser()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        await browser.PageAsync();
        using (var answer = await browser.SendAsync("/sign-out"))
        {
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            Assert.StartsWith("slipway-session=; expires=Thu, 01 Jan 1970", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        }

        // Whoever copied the cookie has nothing of it.
        AssertShowsNothing(await browser.PageAsync("/", HttpStatusCode.Unauthorized));
        Assert.Empty(await database.ReadAsync(session => session.QueryAsync<string>("SELECT hash FROM sessions"), Stop));
    }

    [Fact]
    public async Task A_sign_out_without_the_sessions_own_form_signs_nobody_out()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        browser.FormToken = new string('0', 64);
        using (var answer = await browser.SendAsync("/sign-out"))
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        await browser.PageAsync();
    }

    [Fact]
    public async Task Nothing_is_shown_to_who_is_not_signed_in()
    {
        AssertShowsNothing(await new Browser(server).PageAsync());
        AssertShowsNothing(await new Browser(server).PageAsync($"/models/{Flights}"));
        // The cookie is what signs a browser in: the API's way does not, nor does the cookie at the API.
        AssertShowsNothing(await server.Admin.GetStringAsync("/", Stop));
        AssertShowsNothing(await new Browser(server) { Cookie = server.AdminToken }.PageAsync());
        using var api = await (await Browser.SignedInAsync(server, server.AdminToken)).GetAsync("/api/v1/models");
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_told_on_the_page_and_counts_with_the_apis()
    {
        var guess = "slw_" + new string('0', 64);
        using (var refused = await new Browser(server).SignInAsync(guess))
        {
            var page = await refused.Content.ReadAsStringAsync(Stop);
            Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (refused.StatusCode, refused.Content.Headers.ContentType?.MediaType));
            Assert.Contains("not known here", page, StringComparison.Ordinal);
            Assert.DoesNotContain(guess, page, StringComparison.Ordinal);
        }

        // By form and by header: one count.
        for (var n = 1; n < FailedSignIns.Most; n++)
        {
            using var again = await (n % 2 == 0 ? new Browser(server).SignInAsync(guess) : server.As(guess).GetAsync("/api/v1/whoami", Stop));
            Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        }

        foreach (var slowed in new[] { await new Browser(server).SignInAsync(guess), await server.As(guess).GetAsync("/api/v1/whoami", Stop) })
        {
            using (slowed)
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, slowed.StatusCode);
                Assert.NotNull(slowed.Headers.RetryAfter);
            }
        }

        await Browser.SignedInAsync(server, server.AdminToken);
    }

    [Fact]
    public async Task The_gateway_beside_the_server_has_no_pages()
    {
        using var answer = await new Browser(server).SignInAsync(server.Plane.LocalGatewayToken);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("revoked")]
    [InlineData("expired")]
    [InlineData("disabled")]
    public async Task A_session_whose_token_is_over_shows_nothing_more(string how)
    {
        var (id, token) = await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, "*"));
        var browser = await Browser.SignedInAsync(server, token);
        Assert.Contains(Flights, await browser.PageAsync(), StringComparison.Ordinal);
        await EndAsync(how, id);

        using var answer = await browser.GetAsync("/");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        AssertShowsNothing(page);
        Assert.Contains(how == "expired" ? "session is over" : how, page, StringComparison.Ordinal);
        Assert.StartsWith("slipway-session=; expires=Thu, 01 Jan 1970", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_ends_when_it_is_idle_and_after_a_day_whatever_was_done_in_it()
    {
        server.TokenDays = 30;
        var token = (await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, "*"))).Token;
        var idle = await Browser.SignedInAsync(server, token);
        var busy = await Browser.SignedInAsync(server, token);
        for (var hours = 7; hours < 24; hours += 7)
        {
            clock.Step(TimeSpan.FromHours(7));
            await busy.PageAsync();
        }

        clock.Step(TimeSpan.FromHours(2.9));
        await busy.PageAsync();
        await idle.PageAsync("/", HttpStatusCode.Unauthorized);
        clock.Step(TimeSpan.FromMinutes(6));
        await busy.PageAsync("/", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Of_many_sessions_of_one_the_oldest_ends()
    {
        var first = await Browser.SignedInAsync(server, server.AdminToken);
        for (var n = 0; n < Sessions.MostOfOne; n++)
        {
            clock.Step(TimeSpan.FromSeconds(1));
            await Browser.SignedInAsync(server, server.AdminToken);
        }

        await first.PageAsync("/", HttpStatusCode.Unauthorized);
        Assert.Equal(Sessions.MostOfOne, (await database.ReadAsync(session => session.QueryAsync<string>("SELECT hash FROM sessions"), Stop)).Count);
    }

    [Fact]
    public async Task A_viewer_of_one_model_sees_that_model_alone()
    {
        var one = await Browser.SignedInAsync(server, (await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, Flights))).Token);
        var page = await one.PageAsync();
        Assert.Contains(Flights, page, StringComparison.Ordinal);
        Assert.DoesNotContain(Other, page, StringComparison.Ordinal);
        // What may not be seen looks like what is not there.
        Assert.Equal(await one.PageAsync($"/models/{Other}", HttpStatusCode.Forbidden), (await one.PageAsync("/models/no-such-one", HttpStatusCode.Forbidden)).Replace("no-such-one", Other, StringComparison.Ordinal));

        var all = await Browser.SignedInAsync(server, (await server.NewTokenAsync("Victor", [], new RoleGrant(Role.Viewer, "*"))).Token);
        page = await all.PageAsync();
        Assert.Contains(Flights, page, StringComparison.Ordinal);
        Assert.Contains(Other, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_told_as_a_page_to_a_browser_and_as_a_document_to_a_program()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        Assert.Contains("<h1>There is nothing here</h1>", await browser.PageAsync("/nowhere", HttpStatusCode.NotFound), StringComparison.Ordinal);
        Assert.Contains("<h1>There is nothing here</h1>", await browser.PageAsync("/models/none", HttpStatusCode.NotFound), StringComparison.Ordinal);
        Assert.Contains("<h1>This was not understood</h1>", await browser.PageAsync("/models/NO%20NAME", HttpStatusCode.BadRequest), StringComparison.Ordinal);
        using var program = await server.Admin.GetAsync("/nowhere", Stop);
        Assert.Equal("application/json", program.Content.Headers.ContentType?.MediaType);
        using var api = await browser.GetAsync("/api/v1/nowhere");
        Assert.Equal("application/json", api.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_pages_headers_are_there_once_and_let_it_have_what_is_its_own()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        foreach (var answer in new[] { await new Browser(server).GetAsync("/"), await browser.GetAsync("/"), await browser.GetAsync("/nowhere"), await new Browser(server).SignInAsync("wrong") })
        {
            using (answer)
            {
                Assert.Equal(
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                    Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
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
        Assert.DoesNotContain(Other, page, StringComparison.Ordinal);
        Assert.DoesNotContain("deeper trees", page, StringComparison.Ordinal);
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

    private Task RegisterAsync(string model, string reason)
    {
        var bundle = Digest.Of(System.Text.Encoding.UTF8.GetBytes(model));
        return database.ChangeAsync(
            async session =>
            {
                await PlanTable.InsertAsync(session, new PlanVersion(model, 1, ReleasePlan.Default.Digest, ReleasePlan.Default, "user:author", "Ada", 1, "a test"), []);
                await VersionTable.InsertAsync(
                    session, new ModelVersion(model, 1, bundle, bundle, new GateReport(bundle, null, Verdict.Pass, []), [], "user:author", "Ada", 1, reason), new SealedEvidence(null, null, new LineageGraph([])),
                    new SealedProfile("regression", new([], []), null, System.Collections.Immutable.ImmutableSortedDictionary<string, Figure>.Empty));
            },
            Stop);
    }
}
