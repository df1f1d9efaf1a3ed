using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Processes;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Ledger;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>A server that is killed again and again while it drives rollouts: each goes on or is taken back, and none is half done.</summary>
public sealed class KilledServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>How often; <c>SLIPWAY_KILLS</c> asks for more.</summary>
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("SLIPWAY_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 8;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Whenever_it_is_killed_rollouts_go_on_and_nothing_is_half_done(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        using var elsewhere = ClientOf(FreePort(), stage.OperatorToken);
        using var gateways = ClientOf(elsewhere.BaseAddress!.Port, stage.GatewayToken);
        var current = () => stage.GatewayClient;
        var gateway = stage.AddGateway(client: () => current());
        await stage.ReleaseAsync(1);
        // On PostgreSQL each one first waits for the lease of the one that was killed to run out.
        var (kills, life) = kind == DatabaseKind.Sqlite ? (Kills, 2_000) : (Kills / 2, 2 * (int)RolloutDriver.LeaseTime.TotalMilliseconds);
        var last = 2 + kills;
        for (var version = 2; version <= last; version++)
            await stage.ApproveAsync(RolloutRunTests.Canary, version);

        var random = new Random(20_261_122);
        await stage.Server.RestartAsync(async () =>
        {
            current = () => gateways;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var traffic = ServeAsync(gateway, stop.Token);
            for (var kill = 0; kill < kills; kill++)
            {
                await using var server = Start(stage, elsewhere.BaseAddress!.Port);
                await UntilAnsweringAsync(elsewhere, server);
                AssertSound(await StatesAsync(stage));
                await ReleaseNextAsync(elsewhere, await StatesAsync(stage), last);
                await Task.Delay(random.Next(life), Cancellation);
                Process.GetProcessById(server.Id).Kill();
                await server.Exited;
                AssertSound(await StatesAsync(stage));
            }

            await stop.CancelAsync();
            await traffic;
        });

        current = () => stage.GatewayClient;
        foreach (var running in (await StatesAsync(stage)).Where(state => !state.IsOver))
            await stage.UntilAsync(running.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, Failures(running.Candidate.Number)));
        var states = await StatesAsync(stage);
        AssertSound(states);
        Assert.True(states.Length > 2, "too little happened between two kills to show anything");
        var promoted = states.Where(state => state.Phase == Promoted).OrderBy(state => state.EndedAt).Select(state => state.Candidate.Number).ToArray();
        Assert.DoesNotContain(promoted, IsBad);
        Assert.Equal(promoted[^1], (await stage.ChannelAsync()).Live!.Number);
        var audit = await LedgerAudit.RunAsync(new HttpLedger(stage.Server.Admin), null, [], (_, _) => { }, Cancellation);
        Assert.Empty(audit.Problems);
    }

    /// <summary>Every third candidate fails too often.</summary>
    private static bool IsBad(int version) => version % 3 == 0;

    private static Func<Arm, double> Failures(int candidate) => arm => arm == Arm.Candidate && IsBad(candidate) ? 0.5 : 0.02;

    /// <summary>What must hold at any instant, also between a death and the next start.</summary>
    private static void AssertSound(ImmutableArray<RolloutState> states)
    {
        Assert.True(states.Count(state => !state.IsOver) <= 1);
        foreach (var state in states.Where(state => state.Stable is not null))
        {
            // One order for each step that was reached, and one for the way back.
            var weights = state.Weights.Select(weight => weight.Weight).ToArray();
            Assert.Equal(state.Weight, weights[^1]);
            Assert.True(weights is [0] or [0, 1_000] or [0, 1_000, 5_000] or [0, 1_000, 5_000, Weight.All] or [0, .., 0], string.Join(", ", weights));
            Assert.True(state.Phase != Promoted || weights[^1] == Weight.All);
            Assert.True(state.Phase is not (RolledBack or RollingBack) || state.Weight == 0);
        }
    }

    private static Task<ImmutableArray<RolloutState>> StatesAsync(RolloutStage stage) =>
        stage.Database.ReadAsync(session => RolloutTable.ListAsync(session, Sample.Model, Sample.Channel, 1_000), Cancellation);

    private static async Task ReleaseNextAsync(HttpClient client, ImmutableArray<RolloutState> states, int last)
    {
        if (states.Any(state => !state.IsOver) || states.Max(state => state.Candidate.Number) is var before && before == last)
            return;
        await TestServer.PostAsync(
            client, $"/api/v1/models/{Sample.Model}/channels/{Sample.Channel}/releases", new ReleaseRequest(before + 1, "the next"), RolloutJson.Default.ReleaseRequest, RolloutJson.Default.RolloutState);
    }

    private static async Task ServeAsync(ScriptedGateway gateway, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            if (gateway.Route?.Rollout is { } rollout)
                await gateway.ServeAsync(2_000, Failures(rollout.Candidate.Number), cancellation: cancellation);
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private static async Task UntilAnsweringAsync(HttpClient client, ChildProcess server) => await Eventually.TrueAsync(
        async () =>
        {
            Assert.False(server.Exited.IsCompleted, "the server ended by itself");
            try
            {
                await TestServer.GetAsync(client, $"/api/v1/models/{Sample.Model}/channels", RegistryJson.Default.ImmutableArrayChannelState);
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        },
        Patience);

    private static ChildProcess Start(RolloutStage stage, int port)
    {
        var store = stage.Server.Store;
        return ChildProcess.Start(ChildProgram.Command("serve-control-plane", [store.Folder, port.ToString(CultureInfo.InvariantCulture), store.Connection ?? "", Path.Combine(store.Folder, "ledger.key")], Path.Combine(store.Folder, "log")));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static HttpClient ClientOf(int port, string token) => new()
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };

    /// <summary>A server, until it is killed: <c>FOLDER PORT DATABASE LEDGER-KEY</c>.</summary>
    internal static int ServeProgram(string[] args)
    {
        var options = new ServerOptions
        {
            Folder = args[0],
            Port = int.Parse(args[1], CultureInfo.InvariantCulture),
            Database = args[2].Length == 0 ? null : args[2],
            LedgerKey = args[3],
            Log = Console.WriteLine,
        };
        var plane = ControlPlane.StartAsync(options, CancellationToken.None).GetAwaiter().GetResult();
        File.WriteAllText(Path.Combine(args[0], "ready"), "");
        Thread.Sleep(Timeout.Infinite);
        GC.KeepAlive(plane);
        return 0;
    }
}
