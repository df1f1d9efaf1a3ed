using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Listening;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Api;

/// <summary>What the listener makes of requests that nobody should send.</summary>
public sealed class HardeningTests : IAsyncLifetime
{
    private readonly TestClock clock = new();
    private TestServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(with: options => options with { Time = clock, HostNames = ["Slipway.example.org"] });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory]
    [InlineData("GET", "/api/v1/nothing", 404, "no-such-path")]
    [InlineData("GET", "/api/v1/principals/user:none", 404, "no-principal")]
    [InlineData("DELETE", "/api/v1/whoami", 405, "no-such-method")]
    [InlineData("OPTIONS", "/api/v1/whoami", 405, "no-such-method")]
    [InlineData("TRACE", "/api/v1/whoami", 405, "no-such-method")]
    [InlineData("GET", "/API/v1/models/Flight%20Delay", 400, "bad-name")]
    public async Task What_is_not_there_is_told_as_a_document(string method, string path, int status, string code)
    {
        using var response = await server.Admin.SendAsync(new HttpRequestMessage(new(method), path), Cancellation);
        Assert.Equal((status, code), ((int)response.StatusCode, await CodeAsync(response)));
    }

    [Fact]
    public async Task Whatever_can_be_read_can_be_asked_about_without_its_body()
    {
        using var whole = await server.Admin.GetAsync("/api/v1/whoami", Cancellation);
        using var head = await server.Admin.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/api/v1/whoami"), Cancellation);
        Assert.Equal((HttpStatusCode.OK, whole.Content.Headers.ContentLength), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancellation));
    }

    public static TheoryData<string, string> Malformed => new()
    {
        { "empty", "" },
        { "cut off", """{"name":"x","kind":"person","groups":[""" },
        { "null", "null" },
        { "an array", "[]" },
        { "an unknown key", """{"name":"x","kind":"person","groups":[],"roles":[],"reason":"r","admin":true}""" },
        { "a key twice", """{"name":"x","name":"y","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "a missing key", """{"name":"x","kind":"person","groups":[],"roles":[]}""" },
        { "a null list", """{"name":"x","kind":"person","groups":null,"roles":[],"reason":"r"}""" },
        { "a number for a kind", """{"name":"x","kind":1,"groups":[],"roles":[],"reason":"r"}""" },
        { "an unknown kind", """{"name":"x","kind":"root","groups":[],"roles":[],"reason":"r"}""" },
        { "an unknown role", """{"name":"x","kind":"person","groups":[],"roles":[{"role":"root","model":"*"}],"reason":"r"}""" },
        { "a role as a number", """{"name":"x","kind":"person","groups":[],"roles":[{"role":5,"model":"*"}],"reason":"r"}""" },
        { "a model that is none", """{"name":"x","kind":"person","groups":[],"roles":[{"role":"admin","model":"../x"}],"reason":"r"}""" },
        { "a lone surrogate", """{"name":"\ud800","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "a lone surrogate in the reason", """{"name":"x","kind":"person","groups":[],"roles":[],"reason":"\udc00"}""" },
        { "a NUL in the name", """{"name":"a\u0000b","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "an empty name", """{"name":" ","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "an endless name", $$"""{"name":"{{new string('x', 101)}}","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "no reason", """{"name":"x","kind":"person","groups":[],"roles":[],"reason":" "}""" },
        { "too deep", new string('[', 10_000) },
        { "two documents", """{"name":"x","kind":"person","groups":[],"roles":[],"reason":"r"}{}""" },
        { "a comment", """/* x */ {"name":"x","kind":"person","groups":[],"roles":[],"reason":"r"}""" },
        { "too many groups", $$"""{"name":"x","kind":"person","groups":[{{string.Join(',', Enumerable.Range(0, 101).Select(n => $"\"{n}\""))}}],"roles":[],"reason":"r"}""" },
    };

    [Theory, MemberData(nameof(Malformed))]
    public async Task A_malformed_body_is_told_and_changes_nothing(string what, string body)
    {
        Assert.NotEmpty(what);
        var before = await server.Admin.GetStringAsync("/api/v1/principals", Cancellation);
        using var response = await server.Admin.PostAsync("/api/v1/principals", new StringContent(body), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.NotEmpty(await CodeAsync(response));
        Assert.Equal(before, await server.Admin.GetStringAsync("/api/v1/principals", Cancellation));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_told()
    {
        using var response = await server.Admin.PostAsync("/api/v1/principals", new ByteArrayContent([(byte)'"', 0xFF, 0xFE, (byte)'"']), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_the_limit_is_not_read(bool announced)
    {
        var body = new byte[2 * 1024 * 1024];
        Array.Fill(body, (byte)' ');
        HttpContent content = announced ? new ByteArrayContent(body) : new StreamContent(new UnknownLength(body));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/principals") { Content = content };
        request.Headers.TransferEncodingChunked = announced ? null : true;
        request.Headers.ExpectContinue = true;
        using var response = await server.Admin.SendAsync(request, Cancellation);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too-large"), (response.StatusCode, await CodeAsync(response)));
    }

    /// <summary>Sent byte for byte, since a client library would tidy them up.</summary>
    [Theory]
    [InlineData("GET /api/v1/models/..%2f..%2fetc%2fpasswd/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/models/%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 404)]
    [InlineData("GET /api/v1/models/../../../../etc/passwd HTTP/1.1", 404)]
    [InlineData("GET /api/v1/models/..\\..\\etc/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/models/a%00b/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/models/%c0%ae%c0%ae/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/models/%ff/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/models/%/versions HTTP/1.1", 400)]
    [InlineData("GET /api/v1/principals/..%2f..%2fserver.db HTTP/1.1", 404)]
    [InlineData("GET /api/v1/principals/%2e%2e%2fserver.db HTTP/1.1", 404)]
    [InlineData("GET /api/v1/principals/'%20OR%20'1'='1 HTTP/1.1", 404)]
    [InlineData("GET /api/v1/all-tokens?principal=%00 HTTP/1.1", 200)]
    [InlineData("GET http://evil.example/api/v1/whoami HTTP/1.1", 400)]
    [InlineData("GET /api/v1/whoami HTTP/9.9", 505)]
    [InlineData("GET  /api/v1/whoami HTTP/1.1", 400)]
    [InlineData("nonsense", 400)]
    public async Task A_crooked_path_leads_nowhere(string line, int status) => Assert.Equal(status, await RawAsync(line + "\r\nHost: localhost\r\n"));

    [Fact]
    public async Task What_is_too_long_is_refused()
    {
        Assert.Equal(414, await RawAsync($"GET /api/v1/whoami?{new string('x', 20_000)} HTTP/1.1\r\nHost: localhost\r\n"));
        Assert.Equal(431, await RawAsync($"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('x', 40_000)}\r\n"));
        Assert.Equal(431, await RawAsync($"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 200).Select(n => $"X-{n}: 1\r\n"))}"));
        Assert.Equal(404, await RawAsync($"GET /api/v1/principals/{new string('x', 7_000)} HTTP/1.1\r\nHost: localhost\r\n"));
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:4040", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]:4040", 200)]
    [InlineData("slipway.example.org", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("evil.example:4040", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    public async Task A_name_that_is_not_its_own_is_not_answered_to(string host, int status) =>
        Assert.Equal(status, await RawAsync($"GET /api/v1/whoami HTTP/1.1\r\nHost: {host}\r\n"));

    [Fact]
    public async Task Every_answer_says_what_a_browser_must_not_do_with_it()
    {
        foreach (var (client, path) in new[] { (server.Admin, "/api/v1/whoami"), (server.Anonymous, "/api/v1/whoami"), (server.Admin, "/api/v1/nothing"), (server.Anonymous, "/") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("Origin", "https://evil.example");
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
            Assert.Equal(["same-origin"], response.Headers.GetValues("Referrer-Policy"));
            Assert.Contains("frame-ancestors 'none'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
            Assert.True(response.Headers.CacheControl!.NoStore);
            Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase) || header.Key == "Server");
            Assert.Equal(response.StatusCode == HttpStatusCode.Unauthorized ? "Bearer" : "", response.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task Who_guesses_tokens_is_slowed_down_and_a_good_token_is_always_taken()
    {
        var guess = server.As("slw_" + new string('0', 64));
        var codes = new List<HttpStatusCode>();
        for (var n = 0; n < FailedSignIns.Most + 2; n++)
        {
            using var response = await guess.GetAsync("/api/v1/whoami", Cancellation);
            codes.Add(response.StatusCode);
            Assert.Equal(response.StatusCode == HttpStatusCode.TooManyRequests, response.Headers.RetryAfter is not null);
        }

        Assert.Equal(Enumerable.Repeat(HttpStatusCode.Unauthorized, FailedSignIns.Most).Concat(Enumerable.Repeat(HttpStatusCode.TooManyRequests, 2)), codes);
        using (var good = await server.Admin.GetAsync("/api/v1/whoami", Cancellation))
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        clock.Step(TimeSpan.FromMinutes(1));
        using var later = await guess.GetAsync("/api/v1/whoami", Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, later.StatusCode);
    }

    [Fact]
    public async Task A_bug_is_told_without_its_inside_and_logged_with_it()
    {
        using var folder = new TestFolder();
        var log = new List<string>();
        await using var listener = new ApiListener(
            new ServerOptions { Folder = folder.Root, Port = 0, Log = log.Add },
            [
                new("GET", "/bug", Permission.Anyone, _ => throw new InvalidOperationException("the inside")),
                new("GET", "/half", Permission.Anyone, async call =>
                {
                    await call.Http.Response.WriteAsync("half");
                    throw new InvalidOperationException("the inside");
                }),
            ],
            _ => Task.FromResult(Caller.Nobody),
            (_, _, _) => Task.FromResult(false));
        await listener.StartAsync(Cancellation);
        using var client = new HttpClient { BaseAddress = listener.Url };
        using var response = await client.GetAsync("/bug", Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.Equal((HttpStatusCode.InternalServerError, "bug"), (response.StatusCode, await CodeAsync(response)));
        Assert.DoesNotContain("inside", text);
        Assert.Contains("the inside", Assert.Single(log));
        // Half an answer must not pass for a whole one.
        await Assert.ThrowsAnyAsync<Exception>(() => client.GetStringAsync("/half", Cancellation));
    }

    [Fact]
    public async Task A_gateway_that_waits_for_news_is_answered_when_the_server_stops()
    {
        var (_, token) = await server.NewTokenAsync("gateway", [], new RoleGrant(Role.Gateway, "*"));
        using var client = new HttpClient { BaseAddress = server.Url };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var first = await client.GetAsync("/api/v1/gateway/desired?channel=production", Cancellation);
        var state = (await first.Content.ReadFromJsonAsync(Slipway.Documents.Rollouts.RolloutJson.Default.DesiredState, Cancellation))!;
        var waiting = client.GetAsync($"/api/v1/gateway/desired?channel=production&after={state.Epoch}.{state.Revision}", Cancellation);
        // The request must have arrived, and waits: another one that came later is answered.
        using (await server.Admin.GetAsync("/api/v1/whoami", Cancellation))
            Assert.False(waiting.IsCompleted);
        var restart = server.RestartAsync();
        using var answer = await waiting;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "server-stopping"), (answer.StatusCode, await CodeAsync(answer)));
        await restart;
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused()
    {
        using var folder = new TestFolder();
        var options = new ServerOptions { Folder = folder.Root, Port = 0 };
        await using var first = await Slipway.Server.ControlPlane.StartAsync(options, Cancellation);
        var refused = await Assert.ThrowsAsync<Slipway.Primitives.Faults.SlipwayException>(() => Slipway.Server.ControlPlane.StartAsync(options, Cancellation));
        Assert.Equal("folder-in-use", refused.Faults[0].Code);
        using var other = new TestFolder();
        var taken = await Assert.ThrowsAsync<Slipway.Primitives.Faults.SlipwayException>(() => Slipway.Server.ControlPlane.StartAsync(new ServerOptions { Folder = other.Root, Port = first.Url.Port }, Cancellation));
        Assert.Equal("port-taken", taken.Faults[0].Code);
    }

    private static async Task<string> CodeAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.DoesNotContain("   at ", text);
        return System.Text.Json.JsonSerializer.Deserialize(text, RegistryJson.Default.ErrorDocument)!.Faults[0].Code;
    }

    /// <summary>Sends a request's head as it stands, with a good token, and gives the status.</summary>
    private async Task<int> RawAsync(string head)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port, Cancellation);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{head}Authorization: Bearer {server.AdminToken}\r\nConnection: close\r\n\r\n"), Cancellation);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var status = await reader.ReadLineAsync(Cancellation);
        return status is null ? 0 : int.Parse(status.Split(' ')[1]);
    }

    /// <summary>So that the client cannot announce its length.</summary>
    private sealed class UnknownLength(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
