using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Statements;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>A real server, an operator, and gateways that are scripted.</summary>
internal sealed class RolloutStage : IAsyncDisposable
{
    private const string Key = "00000000000000000000000000000000000000000000000000000000000000aa";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ScriptedGateway> gateways = [];
    private string operatorToken = "", approverToken = "", gatewayToken = "";

    private RolloutStage()
    {
    }

    public TestServer Server { get; private set; } = null!;

    /// <summary>What the server says.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    /// <summary>As the server was last started.</summary>
    public ServerOptions Options { get; private set; } = null!;

    /// <summary>The store, opened once more.</summary>
    public Database Database { get; private set; } = null!;

    public string OperatorToken => operatorToken;

    public string GatewayToken => gatewayToken;

    public HttpClient Operator => Server.As(operatorToken);

    public HttpClient GatewayClient => Server.As(gatewayToken);

    public static async Task<RolloutStage> OpenAsync(DatabaseKind kind = DatabaseKind.Sqlite, Func<ServerOptions, ServerOptions>? with = null, PostgresCluster? own = null)
    {
        var stage = new RolloutStage();
        try
        {
            stage.Server = await TestServer.StartAsync(kind, given => stage.Options = (with?.Invoke(given) ?? given) with { Log = stage.Log.Enqueue }, own);
            stage.operatorToken = (await stage.Server.NewTokenAsync("Olga", [], new RoleGrant(Role.Operator, RoleGrant.AllModels))).Token;
            stage.approverToken = (await stage.Server.NewTokenAsync("Anna", ["model-risk"], new RoleGrant(Role.Approver, RoleGrant.AllModels))).Token;
            stage.gatewayToken = (await stage.Server.NewTokenAsync("gateways", [], new RoleGrant(Role.Gateway, RoleGrant.AllModels))).Token;
            stage.Database = await stage.Server.Store.OpenAgainAsync();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <param name="client">How it calls; default: this stage's server.</param>
    public ScriptedGateway AddGateway(string name = "g1", string boot = "b1", Func<HttpClient>? client = null)
    {
        var gateway = new ScriptedGateway(client ?? (() => GatewayClient), name, boot);
        gateways.Add(gateway);
        return gateway;
    }

    /// <summary>Registers a version, promotes it under a plan, and lets somebody approve it.</summary>
    public async Task ApproveAsync(ChannelPlan plan, int version)
    {
        await RegisterAsync(plan, version);
        var promotion = await TestServer.PostAsync(
            Operator, $"/api/v1/models/{Sample.Model}/promotions", new(version, Sample.Channel, "it is better"), RegistryJson.Default.PromotionRequest, RegistryJson.Default.Promotion);
        if (promotion.State != PromotionState.Approved)
            await TestServer.PostAsync(Server.As(approverToken), $"/api/v1/models/{Sample.Model}/promotions/{promotion.Number}/votes", new(true, "so it is"), RegistryJson.Default.Vote, RegistryJson.Default.Promotion);
    }

    public Task RegisterAsync(ChannelPlan plan, int version) => Database.ChangeAsync(session => RegisterAsync(session, plan, version), TestContext.Current.CancellationToken);

    /// <summary>Revokes the key that vouches for every version.</summary>
    public Task RevokeKeyAsync() => Database.ChangeAsync(
        async session => await TrustedKeyTable.SaveAsync(session, (await TrustedKeyTable.FindAsync(session, Key))! with { Revoked = new(1, "user:admin", "the laptop was stolen") }),
        TestContext.Current.CancellationToken);

    public async Task<HttpClient> NewOperatorAsync(string name) => Server.As((await Server.NewTokenAsync(name, [], new RoleGrant(Role.Operator, RoleGrant.AllModels))).Token);

    /// <param name="models">As in a policy file.</param>
    public async Task SetPolicyAsync(string models)
    {
        var policy = PolicyParser.Parse("policy.yaml", System.Text.Encoding.UTF8.GetBytes("slipway-policy: 1\nmodels: " + models));
        using var response = await Server.Admin.PutAsync("/api/v1/policy", TestServer.Json(new PolicyRequest(policy, "a test"), PolicyJson.Default.PolicyRequest), TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Ends what runs, if anything does.</summary>
    public async Task SettleAsync()
    {
        if ((await ChannelAsync()).Rollout is not { } running)
            return;
        await TryAsync($"rollouts/{running}/abort", new RolloutCommand("enough"), RolloutJson.Default.RolloutCommand);
        await UntilAsync(running, view => view.State.IsOver);
    }

    /// <summary>Starts the rollout of a version that is approved under a plan.</summary>
    public async Task<RolloutState> StartAsync(ChannelPlan plan, int version)
    {
        await ApproveAsync(plan, version);
        return await PostAsync("releases", new ReleaseRequest(version, "a better model"), RolloutJson.Default.ReleaseRequest);
    }

    public Task<RolloutState> RollBackAsync(int? to = null, int? from = null) => PostAsync("rollback", new RollbackRequest("it was better before", to, from), RolloutJson.Default.RollbackRequest);

    public Task<RolloutState> PostAsync<T>(string order, T body, JsonTypeInfo<T> type) =>
        TestServer.PostAsync(Operator, $"/api/v1/models/{Sample.Model}/channels/{Sample.Channel}/{order}", body, type, RolloutJson.Default.RolloutState);

    /// <summary>Orders something that is refused, and gives the status and the first fault's code.</summary>
    public async Task<(int Status, string Code)> RefusedAsync<T>(string order, T body, JsonTypeInfo<T> type)
    {
        var answer = await TryAsync(order, body, type);
        var parts = answer.Split(' ');
        Assert.NotEqual("", parts[1]);
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]);
    }

    /// <summary>Orders something, and gives the status and, where it is refused, the first fault's code.</summary>
    /// <param name="by">Default: the stage's operator.</param>
    public async Task<string> TryAsync<T>(string order, T body, JsonTypeInfo<T> type, HttpClient? by = null)
    {
        using var response = await (by ?? Operator).PostAsync($"/api/v1/models/{Sample.Model}/channels/{Sample.Channel}/{order}", TestServer.Json(body, type), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {(response.IsSuccessStatusCode ? "" : JsonSerializer.Deserialize(text, RegistryJson.Default.ErrorDocument)!.Faults[0].Code)}";
    }

    /// <summary>Releases a version and waits until it is live and every gateway serves it.</summary>
    public async Task ReleaseAsync(int version, ChannelPlan? plan = null)
    {
        await UntilAsync((await StartAsync(plan ?? Sample.BlueGreen, version)).Id, view => view.State.Phase == RolloutPhase.Promoted);
        await UntilServedAsync(version);
    }

    public async Task UntilServedAsync(int version) =>
        await Eventually.True(() => gateways.All(gateway => gateway.Route is { Rollout: null } route && route.Stable == Sample.Version(version)), Patience);

    public async Task<ChannelState> ChannelAsync() =>
        (await TestServer.GetAsync(Operator, $"/api/v1/models/{Sample.Model}/channels", RegistryJson.Default.ImmutableArrayChannelState)).Single(channel => channel.Channel == Sample.Channel);

    public Task<RolloutView> ShowAsync(string id) => TestServer.GetAsync(Operator, $"/api/v1/models/{Sample.Model}/channels/{Sample.Channel}/rollouts/{id}", RolloutJson.Default.RolloutView);

    public Task<RolloutState> TellAsync(string id, string order, string reason = "a test") => TestServer.PostAsync(
        Operator, $"/api/v1/models/{Sample.Model}/channels/{Sample.Channel}/rollouts/{id}/{order}", new RolloutCommand(reason), RolloutJson.Default.RolloutCommand, RolloutJson.Default.RolloutState);

    public async Task<HistoryEntry[]> HistoryAsync() =>
        [.. await TestServer.GetAsync(Operator, $"/api/v1/models/{Sample.Model}/history", RolloutJson.Default.ImmutableArrayHistoryEntry)];

    /// <summary>Waits for a condition; between two looks it does something, such as serving requests.</summary>
    public async Task<RolloutView> UntilAsync(string id, Func<RolloutView, bool> condition, Func<Task>? meanwhile = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var view = await ShowAsync(id);
            if (condition(view))
                return view;
            Assert.True(clock.Elapsed < Patience, $"it stays {view.State.Phase} at {view.State.Weight}: {view.State.Reason}; {view.Report?.Verdict}; waiting for {string.Join(", ", view.Waiting)}");
            if (meanwhile is not null)
                await meanwhile();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What a push leaves behind; the bytes of a bundle play no part here.</summary>
    private static async Task RegisterAsync(Session session, ChannelPlan plan, int version)
    {
        var release = ReleasePlan.Of(ChannelPlan.BlueGreen, plan);
        var before = await PlanTable.LatestAsync(session, Sample.Model);
        if (before?.Digest != release.Digest)
            await PlanTable.InsertAsync(session, new PlanVersion(Sample.Model, (before?.Number ?? 0) + 1, release.Digest, release, "user:author", "Ada", 1, "a test"), []);
        if (await VersionTable.FindAsync(session, Sample.Model, version) is not null)
            return;
        var bundle = Sample.Version(version).Bundle;
        await TrustedKeyTable.SaveAsync(session, new TrustedKey(Key, "the build's", "", [KeyRole.Builder], null, 1, "user:admin", null));
        await VersionTable.InsertAsync(
            session, new ModelVersion(Sample.Model, version, bundle, release.Digest, new GateReport(bundle, null, Verdict.Pass, []), [Key], "user:author", "Ada", 1, "a test"), new SealedEvidence(null, null, new LineageGraph([])));
        await session.ExecuteAsync(
            "INSERT INTO attestations (bundle, manifest, predicate_type, key_id) VALUES (@bundle, @bundle, @type, @Key)", new { bundle = bundle.ToString(), type = SlsaProvenance.PredicateType, Key });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in gateways)
            await gateway.DisposeAsync();
        if (Server is not null)
            await Server.DisposeAsync();
    }
}
