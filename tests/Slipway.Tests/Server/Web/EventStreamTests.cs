using System.Net;
using System.Threading.Channels;
using Slipway.Documents.Access;
using Slipway.Server.Web.Live;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Web;

/// <summary>What open pages hear.</summary>
public sealed class EventStreamTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_change_is_told_and_one_that_comes_while_that_is_told_is_told_after_it()
    {
        await using var stream = await OpenAsync((await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, "*"))).Token);
        for (var n = 0; n < 2; n++)
        {
            // The second one comes within the pause after the first.
            await server.NewTokenAsync($"somebody {n}", []);
            Assert.Equal("event: changed", await stream.NextAsync());
            Assert.Matches("^data: [0-9]+$", await stream.NextAsync());
        }
    }

    [Fact]
    public async Task It_ends_with_the_session()
    {
        var (id, token) = await server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, "*"));
        await using var stream = await OpenAsync(token);
        await TestServer.PostAsync(
            server.Admin, $"/api/v1/principals/{id}/changes", new PrincipalChange(null, true, [], [], [], [], "a test"), AccessJson.Default.PrincipalChange, AccessJson.Default.Principal);
        Assert.Equal("event: over", await stream.NextAsync());
        Assert.Equal("data: session", await stream.NextAsync());
        Assert.Null(await stream.NextAsync());
    }

    [Fact]
    public async Task It_does_not_hold_up_a_server_that_stops()
    {
        await using var stream = await OpenAsync(server.AdminToken);
        await server.Plane.DisposeAsync().AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
        // What had happened before may still be told.
        while (await stream.NextAsync() is { } line)
            Assert.DoesNotContain("over", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_more_than_there_may_be_is_told_so_and_has_room_again_when_another_ends()
    {
        var browser = await Browser.SignedInAsync(server, server.AdminToken);
        var streams = new List<Heard>();
        for (var n = 0; n < EventStreams.MostOfOne; n++)
            streams.Add(await OpenAsync(browser));
        using (var refused = await browser.GetAsync("/events"))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await streams[0].DisposeAsync();
        // The server notices that it is gone at its next word, or when the connection closes.
        await Eventually.TrueAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/events") { Headers = { { "Cookie", $"slipway-session={browser.Cookie}" } } };
                using var answer = await server.Anonymous.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            Patience);
        await Task.WhenAll(streams.Skip(1).Select(stream => stream.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Without_a_session_there_is_none()
    {
        using var answer = await new Browser(server).GetAsync("/events");
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
    }

    private async Task<Heard> OpenAsync(string token)
    {
        return await OpenAsync(await Browser.SignedInAsync(server, token));
    }

    private async Task<Heard> OpenAsync(Browser browser)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/events") { Headers = { { "Cookie", $"slipway-session={browser.Cookie}" } } };
        var answer = await server.Anonymous.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        var heard = new Heard(answer);
        Assert.Equal("retry: 5000", await heard.NextAsync());
        return heard;
    }

    /// <summary>Lines of a stream as they come, without the empty ones and the heartbeat's.</summary>
    private sealed class Heard : IAsyncDisposable
    {
        private readonly HttpResponseMessage answer;
        private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
        private readonly Task reading;

        public Heard(HttpResponseMessage answer)
        {
            this.answer = answer;
            reading = Task.Run(ReadAsync);
        }

        /// <returns>Null once it is over.</returns>
        public async Task<string?> NextAsync()
        {
            using var patience = new CancellationTokenSource(Patience);
            return await lines.Reader.WaitToReadAsync(patience.Token) && lines.Reader.TryRead(out var line) ? line : null;
        }

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            await reading;
        }

        private async Task ReadAsync()
        {
            try
            {
                using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
                while (await reader.ReadLineAsync() is { } line)
                {
                    if (line.Length > 0 && !line.StartsWith(':'))
                        await lines.Writer.WriteAsync(line);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or HttpRequestException)
            {
                // The server or the test ended it.
            }
            finally
            {
                lines.Writer.Complete();
            }
        }
    }
}
