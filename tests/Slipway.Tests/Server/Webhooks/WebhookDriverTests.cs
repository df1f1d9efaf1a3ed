using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;
using Slipway.Server.Webhooks;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Webhooks;

/// <summary>Real receivers, a real store, and a clock that the test sets: what waits, what is sent, and what is given up.</summary>
public sealed class WebhookDriverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task An_event_arrives_signed_as_structured_CloudEvent(DatabaseKind kind)
    {
        await using var bench = await Bench.OpenAsync(kind);
        var secret = await bench.AddAsync("ops", bench.Receiver.Url);
        await bench.HappenAsync("alert.firing");
        await bench.UntilTakenAsync(1);
        var received = bench.Receiver.Taken.Single();
        Assert.Equal("application/cloudevents+json; charset=utf-8", received.ContentType);
        Assert.Equal(bench.Clock.GetUtcNow().ToUnixTimeSeconds(), received.Timestamp);
        Assert.Equal(WebhookSignature.Sign(secret, received.Id, received.Timestamp, Encoding.UTF8.GetBytes(received.Body)), received.Signature);
        var happened = JsonSerializer.Deserialize(received.Body, MonitoringJson.Default.CloudEvent)!;
        Assert.Equal(("1.0", received.Id, "dev.slipway.alert.firing", "//slipway.test/models/flight-delay/channels/production", "alerts/drift", "2026-05-01T12:00:00.000Z"), (happened.Specversion, happened.Id, happened.Type, happened.Source, happened.Subject, happened.Time));
    }

    [Fact]
    public async Task A_webhook_gets_the_events_of_its_model_alone()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("other", new Uri(bench.Receiver.Url, "/other"), model: "other-model");
        await bench.AddAsync("own", new Uri(bench.Receiver.Url, "/own"), model: "flight-delay");
        await bench.HappenAsync();
        await bench.UntilTakenAsync(1);
        Assert.Equal("/own", Assert.Single(bench.Receiver.All).Path);
    }

    [Fact]
    public async Task After_an_hour_without_a_receiver_every_event_comes_once_in_order_and_not_all_at_once()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("ops", bench.Receiver.Url);
        await bench.Receiver.StopAsync();
        var sent = new List<string>();
        for (var minute = 0; minute < 60; minute++)
        {
            sent.Add(await bench.HappenAsync());
            await bench.IdleAsync(TimeSpan.FromMinutes(1));
        }

        var standing = await bench.ViewAsync("ops");
        Assert.Equal((60, 0), (standing.Waiting, standing.Dead));
        Assert.NotNull(standing.LastError);
        // A try at 1, 2, 4 … s, then every quarter of an hour: not one a minute and event.
        Assert.InRange(await bench.TriesAsync("ops"), 5, 20);

        bench.Receiver.Start();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(1), () => !bench.Receiver.Taken.IsEmpty);
        await Bench.SettleAsync();
        Assert.Single(bench.Receiver.Taken);
        await bench.StepUntilAsync(DeliveryCourse.Spacing, () => bench.Receiver.Taken.Count == 60);

        Assert.Equal(sent, bench.Receiver.Taken.Select(received => received.Id));
        Assert.Equal(sent, bench.Receiver.All.Select(received => received.Id));
        standing = await bench.ViewAsync("ops");
        Assert.Equal((0, 0, null), (standing.Waiting, standing.Dead, standing.LastError));
    }

    [Fact]
    public async Task What_a_receiver_fails_on_for_a_day_is_dead_and_what_follows_comes()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("ops", bench.Receiver.Url);
        bench.Receiver.Answer = _ => (500, "\u001b[31mout of\r\ndisk <b>space</b>\u0007" + new string('x', 5_000));
        var first = await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(20), async () => (await bench.ViewAsync("ops")).Dead == 1);
        var dead = Assert.Single(await bench.DeliveriesAsync("ops", DeliveryState.Dead));
        Assert.Equal(first, dead.Id);
        Assert.True(bench.Clock.GetUtcNow().ToUnixTimeMilliseconds() - dead.At >= DeliveryCourse.GivenUpAfter.TotalMilliseconds);
        Assert.StartsWith("it answered 500:  [31mout of  disk <b>space</b> xxx", dead.Error);
        Assert.True(dead.Error!.Length <= 300);
        Assert.Contains(bench.Log, line => line.Contains("is given up"));

        bench.Receiver.Answer = _ => (200, "");
        var second = await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(20), () => !bench.Receiver.Taken.IsEmpty);
        Assert.Equal(second, bench.Receiver.Taken.Single().Id);

        // By hand: the same event, with the same id.
        await bench.Database.ChangeAsync(session => DeliveryTable.ReviveAsync(session, "ops", first, bench.Now), Cancellation);
        await bench.StepUntilAsync(DeliveryCourse.Spacing, () => bench.Receiver.Taken.Count == 2);
        Assert.Equal(first, bench.Receiver.Taken.Last().Id);
        Assert.Empty(await bench.DeliveriesAsync("ops", DeliveryState.Dead));
    }

    [Theory]
    [InlineData(410, 1)]
    [InlineData(400, 5)]
    [InlineData(401, 5)]
    public async Task What_a_receiver_refuses_is_given_up_after_so_many_tries(int status, int tries)
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("ops", bench.Receiver.Url);
        bench.Receiver.Answer = _ => (status, "");
        await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(1), async () => (await bench.ViewAsync("ops")).Dead == 1);
        Assert.Equal(tries, bench.Receiver.All.Count);
        Assert.Single(bench.Receiver.All.Select(received => received.Id).Distinct());
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var bench = await Bench.OpenAsync();
        await using var elsewhere = new TestReceiver();
        await bench.AddAsync("ops", bench.Receiver.Url);
        bench.Receiver.Headers["Location"] = elsewhere.Url.ToString();
        bench.Receiver.Answer = _ => (307, "");
        await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(1), () => bench.Receiver.All.Count >= 2);
        Assert.Empty(elsewhere.All);
        Assert.Equal("it answered 307", (await bench.ViewAsync("ops")).LastError);
    }

    [Fact]
    public async Task A_slow_receiver_keeps_no_other_waiting_and_is_given_ten_seconds()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("slow", new Uri(bench.Receiver.Url, "/slow"));
        await bench.AddAsync("quick", new Uri(bench.Receiver.Url, "/quick"));
        bench.Receiver.Before = path => path == "/slow" ? Task.Delay(Timeout.Infinite, Cancellation) : Task.CompletedTask;
        for (var i = 0; i < 5; i++)
            await bench.HappenAsync();
        await Eventually.True(
            () =>
            {
                bench.Clock.Step(DeliveryCourse.Spacing / 10);
                return bench.Receiver.Taken.Count == 5;
            },
            Patience);

        Assert.Single(bench.Receiver.All, received => received.Path == "/slow");
        await Eventually.TrueAsync(async () => (await bench.ViewAsync("slow")).LastError == "it did not answer within 10 s", Patience);
    }

    [Fact]
    public async Task A_name_that_leads_to_a_metadata_service_gets_nothing()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("trick", new Uri("https://169.254.169.254/"));
        await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(1), async () => (await bench.ViewAsync("trick")).Dead == 1);
        Assert.Equal("nothing was sent: 169.254.169.254 leads where no webhook may: 169.254.169.254 is link-local, unspecified, multicast or a tunnel", (await bench.ViewAsync("trick")).LastError);
    }

    [Fact]
    public async Task A_webhook_of_another_key_is_sent_nothing_with_a_wrong_signature()
    {
        await using var bench = await Bench.OpenAsync();
        await bench.AddAsync("ops", bench.Receiver.Url, keyId: "another");
        await bench.HappenAsync();
        await bench.StepUntilAsync(TimeSpan.FromMinutes(1), async () => (await bench.ViewAsync("ops")).Dead == 1);
        Assert.Empty(bench.Receiver.All);
        Assert.Contains("webhooks.key is not the one", (await bench.ViewAsync("ops")).LastError);
    }

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Nothing_is_lost_over_restarts_in_the_middle(DatabaseKind kind)
    {
        await using var bench = await Bench.OpenAsync(kind);
        await bench.AddAsync("ops", bench.Receiver.Url);
        // Each answer is held back until the server is on its way out: some were sent, and what became of them was not stored.
        var sent = new List<string>();
        for (var restart = 0; restart < 4; restart++)
        {
            for (var i = 0; i < 3; i++)
                sent.Add(await bench.HappenAsync());
            await bench.RestartAsync();
        }

        await bench.StepUntilAsync(DeliveryCourse.Spacing, () => bench.Receiver.Taken.Select(received => received.Id).Distinct().Count() == sent.Count);
        Assert.Equal(sent, bench.Receiver.Taken.Select(received => received.Id).Distinct());
    }

    [Fact]
    public async Task Two_servers_of_one_database_deliver_each_event_once()
    {
        await using var bench = await Bench.OpenAsync(DatabaseKind.Postgres);
        await bench.AddAsync("ops", bench.Receiver.Url);
        await using var other = await bench.StartOtherAsync();
        var sent = new List<string>();
        for (var i = 0; i < 20; i++)
            sent.Add(await bench.HappenAsync());
        await bench.StepUntilAsync(DeliveryCourse.Spacing, () => bench.Receiver.Taken.Count >= sent.Count);
        await Bench.SettleAsync();
        Assert.Equal(sent, bench.Receiver.All.Select(received => received.Id));
    }

    /// <summary>A store, a receiver, and the driver between them.</summary>
    private sealed class Bench : IAsyncDisposable
    {
        private readonly WebhookOutbox outbox = new("slipway.test");
        private TestDatabase store = null!;
        private WebhookKey key = null!;
        private WebhookDriver driver = null!;
        private bool isAlone;

        public TestClock Clock { get; } = new();

        public TestReceiver Receiver { get; } = new();

        public ConcurrentQueue<string> Log { get; } = new();

        public Database Database => store.Database;

        public long Now => Clock.GetUtcNow().ToUnixTimeMilliseconds();

        public static async Task<Bench> OpenAsync(DatabaseKind kind = DatabaseKind.Sqlite)
        {
            var bench = new Bench { store = await TestDatabase.OpenAsync(kind), isAlone = kind == DatabaseKind.Sqlite };
            bench.key = await WebhookKey.OpenAsync(bench.Database, Path.Combine(bench.store.Folder, "webhooks.key"), Cancellation);
            bench.driver = bench.Start(bench.Database);
            return bench;
        }

        public async Task<WebhookDriver> StartOtherAsync() => Start(await store.OpenAgainAsync());

        /// <returns>The secret.</returns>
        public async Task<byte[]> AddAsync(string name, Uri url, string model = "*", string? keyId = null)
        {
            var webhook = new StoredWebhook { Name = name, SecretId = "s-" + name, KeyId = keyId ?? key.Id, Url = url.AbsoluteUri, Model = model, AddedAt = Now, AddedBy = "user:1" };
            await Database.ChangeAsync(session => WebhookTable.AddAsync(session, webhook), Cancellation);
            return key.SecretOf(webhook.SecretId);
        }

        /// <returns>The event's id.</returns>
        public async Task<string> HappenAsync(string type = "alert.firing")
        {
            var happened = outbox.Event(type, "alerts/drift", Now, new EventData("flight-delay", "production", "drift fires", "it drifts", null, null, 3, null, "/api/v1/alerts"));
            await Database.ChangeAsync(session => outbox.SendAsync(session, Now, happened), Cancellation);
            return happened.Id;
        }

        public Task<Webhook> ViewAsync(string name) =>
            Database.ReadAsync(async session => await WebhookTable.ViewAsync(session, (await WebhookTable.FindAsync(session, name))!), Cancellation);

        public async Task<WebhookDelivery[]> DeliveriesAsync(string name, DeliveryState state) => await Database.ReadAsync(
            async session =>
            {
                var webhook = (await WebhookTable.FindAsync(session, name))!;
                return (await DeliveryTable.ListAsync(session, name, state, 100)).Select(delivery => DeliveryTable.View(delivery, webhook)).ToArray();
            },
            Cancellation);

        public Task<long> TriesAsync(string name) => Database.ReadAsync(async session => (await WebhookTable.FindAsync(session, name))!.Failures, Cancellation);

        public Task UntilTakenAsync(int count) => Eventually.True(() => Receiver.Taken.Count >= count, Patience);

        /// <summary>Lets time pass in steps until something has happened; between two steps what is due is done.</summary>
        public async Task StepUntilAsync(TimeSpan step, Func<Task<bool>> condition)
        {
            for (var steps = 0; !await condition(); steps++)
            {
                Assert.True(steps < 1_000, "it never happened");
                await IdleAsync(step);
            }
        }

        public Task StepUntilAsync(TimeSpan step, Func<bool> condition) => StepUntilAsync(step, () => Task.FromResult(condition()));

        /// <summary>Sets the clock on, and waits until nothing more is due at that time.</summary>
        public async Task IdleAsync(TimeSpan step)
        {
            Clock.Step(step);
            await Eventually.TrueAsync(
                async () => await Database.ReadAsync(
                    async session =>
                    {
                        var waiting = (await DeliveryTable.HeadsAsync(session)).Select(head => head.Webhook).ToHashSet();
                        return (await WebhookTable.ListAsync(session)).All(webhook => webhook.NextAt > Now || !waiting.Contains(webhook.Name));
                    },
                    Cancellation),
                Patience);
        }

        /// <summary>For showing that nothing more comes: as long as several looks take.</summary>
        public static Task SettleAsync() => Task.Delay(500, Cancellation);

        public async Task RestartAsync()
        {
            await driver.DisposeAsync();
            driver = Start(Database);
        }

        public async ValueTask DisposeAsync()
        {
            if (driver is not null)
                await driver.DisposeAsync();
            await Receiver.DisposeAsync();
            await store.DisposeAsync();
        }

        private WebhookDriver Start(Database database) => new(database, new WebhookSender(key, Clock), isAlone, Clock, Log.Enqueue);
    }
}
