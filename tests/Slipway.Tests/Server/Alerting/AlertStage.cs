using System.Collections.Concurrent;
using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Monitoring;
using Slipway.Tests.Server.Storage;
using Slipway.Tests.Server.Webhooks;

namespace Slipway.Tests.Server.Alerting;

/// <summary>A server whose model is live and watched, a clock that the test sets, a gateway that tells what the test says, and a webhook's receiver.</summary>
internal sealed class AlertStage : IAsyncDisposable
{
    public const string Model = MonitoringStage.Model, Channel = MonitoringStage.Channel;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private long sequence;

    private AlertStage(MonitoringStage monitoring) => Monitoring = monitoring;

    public MonitoringStage Monitoring { get; }

    public TestReceiver Receiver { get; } = new();

    /// <summary>What the server says.</summary>
    public ConcurrentQueue<string> Log { get; private init; } = new();

    public TestServer Server => Monitoring.Server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static AlertRule Failing(double seconds = 0) =>
        new("failing", "error_rate > 10 %", Channel, AlertSeverity.Critical, new Duration(TimeSpan.FromSeconds(seconds)), "docs/runbooks/failing.md");

    public static MonitorPlan Plan(params AlertRule[] rules) => MonitorPlan.Default with { Window = new Duration(TimeSpan.FromSeconds(60)), Alerts = [.. rules] };

    /// <summary>Opens a stage on which version 1 is live.</summary>
    public static async Task<AlertStage> OpenAsync(DatabaseKind kind = DatabaseKind.Sqlite, MonitorPlan? plan = null, ImmutableArray<Trigger>? triggers = null)
    {
        var log = new ConcurrentQueue<string>();
        var monitoring = await MonitoringStage.OpenAsync(kind, plan ?? Plan(Failing()), with: options => options with { Log = log.Enqueue, Triggers = triggers ?? [] });
        var stage = new AlertStage(monitoring) { Log = log };
        await monitoring.Database.ChangeAsync(
            session => LiveVersionTable.GoLiveAsync(session, Rollouts.Sample.State(Rollouts.Sample.BlueGreen, null) with { Candidate = Live, EndedAt = monitoring.Now }, new GoLive(Live, null)), Cancellation);
        await stage.HearAsync();
        return stage;
    }

    public static VersionRef Live { get; } = new(1, Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{Model} 1")));

    /// <summary>The gateway reports, as it does every few seconds.</summary>
    public async Task HearAsync()
    {
        using var answer = await Monitoring.Gateway.PostAsync("/api/v1/gateway/report", TestServer.Json(new GatewayReport("g1", "b1", Channel, 0, 0, []), RolloutJson.Default.GatewayReport), Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>The gateway tells what it answered, and half a minute passes.</summary>
    public async Task TellAsync(long requests = 1_000, long errors = 0)
    {
        await HearAsync();
        await Monitoring.SendAsync(MonitoringStage.Batch(++sequence, Monitoring.Slice(requests, errors: errors)));
        Monitoring.Clock.Step(TimeSpan.FromSeconds(30));
    }

    /// <summary>The gateway tells what it answered, half a minute passes, and the rules are looked at.</summary>
    public async Task PassAsync(long requests = 100, long errors = 0, bool hears = true)
    {
        if (hears)
            await HearAsync();
        if (requests > 0)
            await Monitoring.SendAsync(MonitoringStage.Batch(++sequence, Monitoring.Slice(requests, errors: errors)));
        await LookAsync();
    }

    private async Task LookAsync()
    {
        // What was only looked at is stored every half a minute.
        Monitoring.Clock.Step(TimeSpan.FromSeconds(30));
        var now = Monitoring.Now;
        await Eventually.TrueAsync(async () => (await AlertsAsync()).All(alert => alert.LookedAt >= now) && (await RulesAsync()).All(rule => rule.LookedAt >= now), Patience);
    }

    /// <summary>As <see cref="PassAsync"/>, with requests whose distances are all far beyond the reference's.</summary>
    public async Task DriftAsync()
    {
        const long rows = 2_000;
        await HearAsync();
        await Monitoring.SendAsync(MonitoringStage.Batch(++sequence, Monitoring.Slice(rows) with
        {
            Sampled = rows,
            Inputs = [new("distance", new(rows, 0, [0, 0, 0, rows], new(rows, 2_000, 2_000, 2_000, 0, 0, 0)))],
        }));
        await LookAsync();
    }

    public async Task DriftUntilAsync(Func<Task<bool>> condition)
    {
        for (var passes = 0; !await condition(); passes++)
        {
            Assert.True(passes < 20, $"it never happened: {(await RulesAsync()).FirstOrDefault()}");
            await DriftAsync();
        }
    }

    /// <summary>As <see cref="PassAsync"/>, until something is so.</summary>
    public async Task PassUntilAsync(Func<Task<bool>> condition, long requests = 100, long errors = 0, bool hears = true)
    {
        for (var passes = 0; !await condition(); passes++)
        {
            Assert.True(passes < 40, $"it never happened: {string.Join("; ", (await AlertsAsync()).Select(alert => $"{alert.Rule.Name} {alert.State}: {alert.Reason}"))}");
            await PassAsync(requests, errors, hears: hears);
        }
    }

    public Task PassUntilAsync(AlertState state, long requests = 100, long errors = 0, bool hears = true) =>
        PassUntilAsync(async () => (await AlertAsync())?.State == state, requests, errors, hears);

    public async Task<Alert?> AlertAsync(string name = "failing") => (await AlertsAsync()).SingleOrDefault(alert => alert.Rule.Name == name);

    public async Task<Alert[]> AlertsAsync() => [.. await TestServer.GetAsync(Monitoring.Operator, $"/api/v1/models/{Model}/alerts", MonitoringJson.Default.ImmutableArrayAlert)];

    /// <summary>The plan's one rule; before it was looked at, an empty one.</summary>
    public async Task<Retraining> RetrainingAsync() => (await RulesAsync()) is [var rule] ? rule : new(Model, Channel, new("none", "", Channel, "", default, 1), RetrainState.InsufficientEvidence, 0, 0, "", []);

    public async Task<Retraining[]> RulesAsync() => [.. await TestServer.GetAsync(Monitoring.Operator, $"/api/v1/models/{Model}/retraining", MonitoringJson.Default.ImmutableArrayRetraining)];

    public async Task<IncidentSummary[]> IncidentsAsync(string query = "") => [.. await TestServer.GetAsync(Monitoring.Operator, "/api/v1/incidents" + query, IncidentJson.Default.ImmutableArrayIncidentSummary)];

    public Task<Incident> IncidentAsync(string id) => TestServer.GetAsync(Monitoring.Operator, $"/api/v1/incidents/{id}", IncidentJson.Default.Incident);

    /// <summary>Outcomes in the ledger of what begins so, oldest first.</summary>
    public async Task<string[]> LedgerAsync(string action)
    {
        var records = await TestServer.GetAsync(Server.Admin, $"/api/v1/ledger/entries?action={action}&after=-1", LedgerJson.Default.ImmutableArrayLedgerRecord);
        return [.. records.Where(record => record.Entry.Phase == LedgerPhase.Done).Select(record => record.Entry.Action)];
    }

    public Task<WebhookAdded> AddWebhookAsync(string name = "ops") => TestServer.PostAsync(
        Server.Admin, "/api/v1/webhooks", new WebhookRequest(name, Receiver.Url, RoleGrant.AllModels, "a test"), MonitoringJson.Default.WebhookRequest, MonitoringJson.Default.WebhookAdded);

    /// <summary>Types of the events that the receiver took, without their prefix.</summary>
    public async Task<string[]> EventsAsync(int atLeast)
    {
        await Eventually.True(
            () =>
            {
                Monitoring.Clock.Step(TimeSpan.FromMilliseconds(20));
                return Receiver.Taken.Count >= atLeast;
            },
            Patience);
        return [.. Receiver.Taken.Select(received => System.Text.Json.JsonSerializer.Deserialize(received.Body, MonitoringJson.Default.CloudEvent)!.Type["dev.slipway.".Length..])];
    }

    public async ValueTask DisposeAsync()
    {
        await Receiver.DisposeAsync();
        await Monitoring.DisposeAsync();
    }
}
