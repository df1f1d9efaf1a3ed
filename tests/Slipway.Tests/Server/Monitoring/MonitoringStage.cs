using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Expressions;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Storage;
using Slipway.Stats.Sketches;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Monitoring;

/// <summary>A server with registered versions, a clock that the test sets, and gateways that tell what the test says.</summary>
internal sealed class MonitoringStage : IAsyncDisposable
{
    public const string Model = "flight-delay", Channel = "production";

    private string gatewayToken = "", operatorToken = "";

    private MonitoringStage()
    {
    }

    public TestServer Server { get; private set; } = null!;

    public TestClock Clock { get; } = new();

    public Database Database { get; private set; } = null!;

    public HttpClient Gateway => Server.As(gatewayToken);

    public HttpClient Operator => Server.As(operatorToken);

    public long Now => Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public static ReferenceProfile Reference { get; } = new(
        [
            new("distance", Sensitivity.Public, [100, 500, 1000], null, new(1_000, 0, [250, 250, 250, 250], new Moments(1_000, 0, 3_000, 700, 1e6, 0, 1e9))),
            new("carrier", Sensitivity.Public, null, ["AA", "DL"], new(1_000, 100, [500, 300, 100], null)),
        ],
        [new("probability", Sensitivity.Public, [0.25, 0.5, 0.75], null, new(1_000, 0, [700, 100, 100, 100], new Moments(1_000, 0, 1, 0.2, 10, 1, 5)))]);

    public static ModelSignature Signature { get; } = new(
        [new("distance", Datatype.Float32, [-1, 1], null, null), new("carrier", Datatype.String, [-1], null, null), new("image", Datatype.Float32, [-1, 8, 8], null, null)],
        [new("probability", Datatype.Float32, [-1, 1], null, null)]);

    public static async Task<MonitoringStage> OpenAsync(DatabaseKind kind = DatabaseKind.Sqlite, MonitorPlan? plan = null, string task = "binary-classification", Func<ServerOptions, ServerOptions>? with = null)
    {
        var stage = new MonitoringStage();
        try
        {
            stage.Server = await TestServer.StartAsync(kind, options => (with?.Invoke(options) ?? options) with { Time = stage.Clock });
            stage.Server.TokenDays = 90;
            stage.gatewayToken = (await stage.Server.NewTokenAsync("gateways", [], new RoleGrant(Role.Gateway, RoleGrant.AllModels))).Token;
            stage.operatorToken = (await stage.Server.NewTokenAsync("Olga", [], new RoleGrant(Role.Operator, RoleGrant.AllModels))).Token;
            stage.Database = await stage.Server.Store.OpenAgainAsync();
            await stage.RegisterAsync(1, task);
            await stage.RegisterAsync(2, task);
            if (plan is not null)
                await stage.SetPlanAsync(plan);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public Task RegisterAsync(int version, string task = "binary-classification", string model = Model, ReferenceProfile? reference = null, ModelSignature? signature = null) => Database.ChangeAsync(
        async session =>
        {
            var bundle = Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{model} {version}"));
            await VersionTable.InsertAsync(
                session,
                new ModelVersion(model, version, bundle, ReleasePlan.Default.Digest, new GateReport(bundle, null, Verdict.Pass, []), [], "user:author", "Ada", 1, "a test"),
                new SealedEvidence(null, null, new LineageGraph([])),
                new SealedProfile(task, signature ?? Signature, reference ?? Reference, ImmutableSortedDictionary<string, Figure>.Empty.Add("auc", new(0.7, 0.68, 0.72, 1_000))));
        },
        TestContext.Current.CancellationToken);

    public Task SetPlanAsync(MonitorPlan monitor) => Database.ChangeAsync(
        async session =>
        {
            var plan = ReleasePlan.Default with { Monitor = monitor };
            var number = ((await PlanTable.LatestAsync(session, Model))?.Number ?? 0) + 1;
            await PlanTable.InsertAsync(session, new PlanVersion(Model, number, plan.Digest, plan, "user:author", "Ada", Now, "a test"), []);
        },
        TestContext.Current.CancellationToken);

    /// <summary>A slice of good answers, as a gateway whose clock agrees tells it.</summary>
    public TelemetrySlice Slice(long requests = 10, int version = 1, TrafficArm arm = TrafficArm.Stable, long? at = null, long errors = 0)
    {
        var latency = new long[LatencyBuckets.Count];
        (latency[10], latency[^1]) = (requests - errors, errors);
        return new(Model, version, arm, (at ?? Now) / 1_000, 1, requests, [errors, 0, 0, 0, 0], [.. latency], 0, [], [], [], 0, []);
    }

    public static TelemetryBatch Batch(long sequence, params TelemetrySlice[] slices) =>
        new("g1", "b1", Channel, sequence, [.. slices], new HostLoad(0.5, 2, 0.7, 1_000_000, 3), 0);

    /// <param name="sentAt">The gateway's clock; default: the server's.</param>
    public async Task<TelemetryReceipt> SendAsync(TelemetryBatch batch, long? sentAt = null)
    {
        using var answer = await PostAsync(batch, sentAt);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {text}");
        return JsonSerializer.Deserialize(text, MonitoringJson.Default.TelemetryReceipt)!;
    }

    public async Task<HttpResponseMessage> PostAsync(TelemetryBatch batch, long? sentAt = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/gateway/telemetry") { Content = TestServer.Json(batch, MonitoringJson.Default.TelemetryBatch) };
        request.Headers.Add(TelemetryBatch.SentAtHeader, (sentAt ?? Now).ToString(CultureInfo.InvariantCulture));
        return await Gateway.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <param name="back">How far the view reaches back from now.</param>
    /// <param name="step">Milliseconds.</param>
    public Task<MonitoringView> ViewAsync(TimeSpan? back = null, long? step = null, TimeSpan? ahead = null)
    {
        var (from, to) = (Now - (long)(back ?? TimeSpan.FromMinutes(5)).TotalMilliseconds, Now + (long)(ahead ?? TimeSpan.FromSeconds(10)).TotalMilliseconds);
        return TestServer.GetAsync(
            Operator, $"/api/v1/models/{Model}/channels/{Channel}/monitoring?from={from}&to={to}{(step is null ? "" : $"&step={step}")}", MonitoringJson.Default.MonitoringView);
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }
}
