using System.Diagnostics;
using Slipway.Documents.Access;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>A real server, an operator, and gateways that are scripted.</summary>
internal sealed class RolloutStage : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Caller Olga = new("user:olga", "Olga", [], [], []);

    private readonly List<ScriptedGateway> gateways = [];
    private string operatorToken = "", gatewayToken = "";

    private RolloutStage(TestServer server) => Server = server;

    public TestServer Server { get; }

    /// <summary>The store, opened once more.</summary>
    public Database Database { get; private set; } = null!;

    public HttpClient Operator => Server.As(operatorToken);

    public HttpClient GatewayClient => Server.As(gatewayToken);

    public static async Task<RolloutStage> OpenAsync(DatabaseKind kind = DatabaseKind.Sqlite, Func<ServerOptions, ServerOptions>? with = null)
    {
        var stage = new RolloutStage(await TestServer.StartAsync(kind, with));
        try
        {
            stage.operatorToken = (await stage.Server.NewTokenAsync("Olga", [], new RoleGrant(Role.Operator, RoleGrant.AllModels))).Token;
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

    public ScriptedGateway AddGateway(string name = "g1", string boot = "b1")
    {
        var gateway = new ScriptedGateway(() => GatewayClient, name, boot);
        gateways.Add(gateway);
        return gateway;
    }

    /// <summary>Starts a rollout of a version, against whatever is live.</summary>
    public async Task<RolloutState> StartAsync(ChannelPlan plan, int version)
    {
        using var ledger = await LedgerWriter.OpenAsync(Database, Path.Combine(Server.Store.Folder, "ledger.key"), TimeProvider.System, TestContext.Current.CancellationToken);
        return await Database.ChangeAsync(
            async session =>
            {
                var live = await LiveVersionTable.FindAsync(session, Sample.Model, Sample.Channel);
                var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
                var state = Sample.State(plan, live?.Live) with { Id = $"r{version}-{now}", Candidate = Sample.Version(version), StartedAt = now, Weights = [new(1, 0, now)] };
                await new RolloutChanges(ledger).StartAsync(session, state, Olga, "a better model");
                return state;
            },
            TestContext.Current.CancellationToken);
    }

    /// <summary>Releases a version and waits until it is live.</summary>
    public async Task ReleaseAsync(int version) => await UntilAsync((await StartAsync(Sample.BlueGreen, version)).Id, view => view.State.Phase == RolloutPhase.Promoted);

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

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in gateways)
            await gateway.DisposeAsync();
        await Server.DisposeAsync();
    }
}
