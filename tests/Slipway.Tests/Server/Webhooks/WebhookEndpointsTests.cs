using System.Net;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Server.Webhooks;

namespace Slipway.Tests.Server.Webhooks;

public sealed class WebhookEndpointsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_secret_is_shown_once_and_stored_nowhere()
    {
        await using var server = await TestServer.StartAsync();
        var added = await AddAsync(server, "ops", "https://hooks.example.org/T024/secret-path");
        var secret = Convert.FromBase64String(added.Secret["whsec_".Length..]);
        Assert.Equal(32, secret.Length);
        var listed = Assert.Single(await ListAsync(server));
        Assert.Equal(("ops", new Uri("https://hooks.example.org/T024/secret-path"), "*", 0L, 0L), (listed.Name, listed.Url, listed.Model, listed.Waiting, listed.Dead));

        var key = await File.ReadAllBytesAsync(Path.Combine(server.Store.Folder, "webhooks.key"), Cancellation);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Store.Folder, "webhooks.key")));
        var ledger = await server.Admin.GetStringAsync("/api/v1/ledger/entries?action=webhook", Cancellation);
        Assert.Contains("https://hooks.example.org", ledger);
        Assert.DoesNotContain("secret-path", ledger);
        await server.RestartAsync(() =>
        {
            foreach (var file in Directory.EnumerateFiles(server.Store.Folder, "server.db*"))
            {
                var bytes = File.ReadAllBytes(file);
                foreach (var hidden in (byte[][])[secret, key, Encoding.ASCII.GetBytes(added.Secret), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret))])
                    Assert.True(bytes.AsSpan().IndexOf(hidden) < 0, $"{file} holds a secret");
            }

            return Task.CompletedTask;
        });

        // The same name again is another webhook, with another secret.
        await PostAsync(server, "ops/remove", new WebhookRemoval("the desk has moved"));
        Assert.NotEqual(added.Secret, (await AddAsync(server, "ops", "https://hooks.example.org/")).Secret);
    }

    [Theory]
    [InlineData("ops", "http://hooks.example.org/", "*", "bad-webhook-url")]
    [InlineData("ops", "https://169.254.169.254/latest", "*", "bad-webhook-url")]
    [InlineData("ops", "https://ada:pw@hooks.example.org/", "*", "bad-webhook-url")]
    [InlineData("", "https://hooks.example.org/", "*", "bad-name")]
    [InlineData("a/b", "https://hooks.example.org/", "*", "bad-name")]
    [InlineData("<script>", "https://hooks.example.org/", "*", "bad-name")]
    [InlineData("bell\u0007", "https://hooks.example.org/", "*", "bad-name")]
    [InlineData("ops", "https://hooks.example.org/", "", "bad-name")]
    public async Task What_can_be_no_webhook_is_refused(string name, string url, string model, string code)
    {
        await using var server = await TestServer.StartAsync();
        using var answer = await server.Admin.PostAsync("/api/v1/webhooks", TestServer.Json(new WebhookRequest(name, new Uri(url), model, "a test"), MonitoringJson.Default.WebhookRequest), Cancellation);
        Assert.Equal((HttpStatusCode.BadRequest, code), (answer.StatusCode, JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(Cancellation), RegistryJson.Default.ErrorDocument)!.Faults[0].Code));
        Assert.Empty(await ListAsync(server));
    }

    [Fact]
    public async Task When_what_waits_is_tried_next_is_told()
    {
        await using var server = await TestServer.StartAsync();
        await using var receiver = new TestReceiver();
        receiver.Answer = _ => (503, "");
        await AddAsync(server, "ops", receiver.Url.ToString());
        Assert.Null((await ListAsync(server))[0].NextAt);
        var outbox = new WebhookOutbox("slipway.test");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var happened = outbox.Event("alert.firing", "alerts/drift", 0, new EventData("flight-delay", "production", "drift", "it drifts", null, null, 1, null, "/"));
        var database = await server.Store.OpenAgainAsync();
        await database.ChangeAsync(session => outbox.SendAsync(session, now, happened), Cancellation);
        await Primitives.Eventually.TrueAsync(async () => (await ListAsync(server))[0] is { Waiting: 1, LastError: not null }, TimeSpan.FromSeconds(60));
        Assert.True((await ListAsync(server))[0].NextAt > now);
    }

    [Fact]
    public async Task Dead_ones_are_listed_tried_again_by_hand_and_that_is_recorded()
    {
        await using var server = await TestServer.StartAsync();
        await using var receiver = new TestReceiver();
        receiver.Answer = _ => (410, "");
        await AddAsync(server, "ops", receiver.Url.ToString());
        var outbox = new WebhookOutbox("slipway.test");
        var database = await server.Store.OpenAgainAsync();
        foreach (var version in (int[])[1, 2])
        {
            var happened = outbox.Event("alert.firing", "alerts/drift", 0, new EventData("flight-delay", "production", "<b>drift</b>", "it drifts", null, null, version, null, "/"));
            await database.ChangeAsync(session => outbox.SendAsync(session, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), happened), Cancellation);
        }

        await Primitives.Eventually.TrueAsync(async () => (await ListAsync(server))[0].Dead == 2, TimeSpan.FromSeconds(60));
        var dead = await TestServer.GetAsync(server.Admin, "/api/v1/webhooks/ops/deliveries?state=dead", MonitoringJson.Default.ImmutableArrayWebhookDelivery);
        Assert.Equal([DeliveryState.Dead, DeliveryState.Dead], dead.Select(delivery => delivery.State));
        Assert.Equal(2, dead[0].Event.GetProperty("data").GetProperty("version").GetInt32());
        receiver.Answer = _ => (200, "");
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(server, "ops/retry", new WebhookRetry("the receiver is back", "evt_none")));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, "ops/retry", new WebhookRetry("the receiver is back", dead[1].Id)));
        await Primitives.Eventually.True(() => receiver.Taken.Count == 1, TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, "ops/retry", new WebhookRetry("the receiver is back")));
        await Primitives.Eventually.True(() => receiver.Taken.Count == 2, TimeSpan.FromSeconds(60));
        Assert.Equal([dead[1].Id, dead[0].Id], receiver.Taken.Select(received => received.Id));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(server, "ops/retry", new WebhookRetry("once more")));

        var records = await TestServer.GetAsync(server.Admin, "/api/v1/ledger/entries?action=webhook&after=-1", LedgerJson.Default.ImmutableArrayLedgerRecord);
        Assert.Equal(["webhook.added", "webhook.retried", "webhook.retried"], records.Where(record => record.Entry.Phase == LedgerPhase.Done).Select(record => record.Entry.Action));
    }

    [Fact]
    public async Task Dead_letters_that_find_no_room_are_counted_where_people_look()
    {
        await using var server = await TestServer.StartAsync();
        await using var receiver = new TestReceiver();
        await AddAsync(server, "ops", receiver.Url.ToString());
        var database = await server.Store.OpenAgainAsync();
        await database.ChangeAsync(
            async session =>
            {
                await WebhookTable.SaveStandingAsync(session, "ops", 1, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds(), "away");        // it rests
                foreach (var (state, first) in ((DeliveryState, long)[])[(DeliveryState.Waiting, 0), (DeliveryState.Dead, DeliveryTable.MostWaiting)])
                {
                    await session.ExecuteAsync(
                        """
                        WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < @most)
                        INSERT INTO webhook_deliveries (position, webhook, id, state, tries, at, error, event) SELECT @first + n, 'ops', 'evt', @state, 0, 0, NULL, '{}' FROM numbers
                        """,
                        new { first, most = DeliveryTable.MostWaiting, state = state.Word() });
                }

                for (var i = 0; i < 3; i++)
                    await DeliveryTable.AddAsync(session, "ops", $"evt-{i}", 0, "{}");
            },
            Cancellation);
        var webhook = Assert.Single(await ListAsync(server));
        Assert.Equal((DeliveryTable.MostWaiting, DeliveryTable.MostDead, 3), (webhook.Waiting, webhook.Dead, webhook.Dropped));
    }

    private static Task<WebhookAdded> AddAsync(TestServer server, string name, string url) => TestServer.PostAsync(
        server.Admin, "/api/v1/webhooks", new WebhookRequest(name, new Uri(url), "*", "a test"), MonitoringJson.Default.WebhookRequest, MonitoringJson.Default.WebhookAdded);

    private static async Task<Webhook[]> ListAsync(TestServer server) => [.. await TestServer.GetAsync(server.Admin, "/api/v1/webhooks", MonitoringJson.Default.ImmutableArrayWebhook)];

    private static async Task<HttpStatusCode> PostAsync<T>(TestServer server, string path, T body)
    {
        var content = body switch
        {
            WebhookRemoval removal => TestServer.Json(removal, MonitoringJson.Default.WebhookRemoval),
            WebhookRetry retry => TestServer.Json(retry, MonitoringJson.Default.WebhookRetry),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        using var answer = await server.Admin.PostAsync("/api/v1/webhooks/" + path, content, Cancellation);
        return answer.StatusCode;
    }
}
