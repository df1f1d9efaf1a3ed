using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>kill -9 of the server, of the gateway and of both, again and again, while canaries run under traffic.</summary>
public sealed class KillTests : IAsyncLifetime
{
    private const int Kills = 100;

    /// <summary>Steps of a tenth of a second, and a bound that some hundred good answers prove: every phase is met within a second or two.</summary>
    private const string Plan = """

        release:
          production:
            strategy: canary
            steps: [{ weight: 20 %, at-least: 100 ms, at-most: 4 s }, { weight: 50 %, at-least: 100 ms, at-most: 4 s }, { weight: 100 %, hold-back: 10 %, for: 200 ms }]
            guard: { error-rate: 20 % }
            judge: { on-insufficient: rollback }
            keep-warm: 1 min
        """;

    private readonly string root = Directory.CreateTempSubdirectory("slipway-kill-").FullName;
    private readonly TinyProject project = new();
    // Seeded: where it fails once, it is likely to fail again.
    private readonly Random chance = new(20_260_101);
    private string port = "0", gatewayPort = "0", gatewayToken = "";
    private Running server = null!, gateway = null!;
    private Team team = null!;

    public async ValueTask InitializeAsync()
    {
        project.MakeKey();
        File.AppendAllText(project.PathOf("slipway.yaml"), Plan);
        server = await StartServerAsync();
        port = server.Url("api").Port.ToString();
        team = new Team(server.Url("api"), server.AdminToken!);
        await team.PostAsync("trusted-keys", new()
        {
            ["name"] = "builder",
            ["owner"] = null,
            ["pem"] = File.ReadAllText(Path.Combine(project.Home, ".config/slipway/keys/default.key.pub")),
            ["roles"] = new JsonArray("builder", "evaluator"),
            ["reason"] = "It builds.",
        });
        project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();
        var (author, approver) = (await team.MakeAsync("bob", "person", "author"), await team.MakeAsync("ann", "person", "approver"));
        foreach (var (version, bins) in new[] { (1, "bins: 10"), (2, "bins: 12") })
        {
            project.Edit("slipway.yaml", "bins: 10", bins);
            Assert.True(project.Run("run", "-q").Code is 0 or 1);
            Slipway(author, "push", "tiny", "--reason", "another one");
            Slipway(author, "promote", $"tiny@{version}", "--to", "production", "--reason", "for all to use");
            Slipway(approver, "approve", $"tiny.{version}", "--reason", "it was looked at");
        }

        gatewayToken = await team.MakeAsync("edge", "service", "gateway");
        gateway = await StartGatewayAsync();
        gatewayPort = gateway.Url("production").Port.ToString();
        Assert.Equal("promoted", (string)(await team.ReleaseAsync("production", 1))["state"]!["phase"]!);
    }

    public ValueTask DisposeAsync()
    {
        team.Dispose();
        gateway.Dispose();
        server.Dispose();
        project.Dispose();
        Directory.Delete(root, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Killed_at_any_instant_a_rollout_goes_on_or_is_taken_back_and_the_ledger_holds()
    {
        using var stopping = new CancellationTokenSource();
        var traffic = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => SendAsync(stopping.Token))));
        var phases = new HashSet<string>();
        for (var kill = 0; kill < Kills; kill++)
        {
            if (await RunningAsync() is null)
                await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = await LiveAsync() == 1 ? 2 : 1, ["reason"] = "to be disturbed" });
            await Task.Delay(chance.Next(700), TestContext.Current.CancellationToken);
            if (await RunningAsync() is { } disturbed)
                phases.Add((string)disturbed["phase"]!);
            // A gateway's death loses evidence, and its rollout is then taken back when its step ends: every other kill is the server's alone.
            var (ofServer, ofGateway) = (kill % 4) switch
            {
                0 or 2 => (true, false),
                1 => (false, true),
                _ => (true, true),
            };
            if (ofServer)
                server.Kill();
            if (ofGateway)
                gateway.Kill();
            if (ofServer)
                server = await StartServerAsync();
            if (ofGateway)
                gateway = await StartGatewayAsync();
            await CheckAsync();
        }

        // One that lost evidence in its last step waits for a person; any other may end by itself before the order comes.
        project.Variables["SLIPWAY_TOKEN"] = team.Token;
        project.Run("release", "abort", "tiny", "--reason", "the last one was disturbed");
        await team.UntilAsync("models/tiny/channels/production/rollouts", list => list.AsArray().All(IsOver));
        await stopping.CancelAsync();
        await traffic;
        await CheckAsync();
        await CheckEvidenceAsync();
        using var client = new HttpClient { BaseAddress = gateway.Url("production") };
        await Team.UntilReadyAsync(client);
        Assert.Equal((await LiveAsync()).ToString(), await Team.PredictAsync(client));
        Assert.True(phases.Count > 1, $"only met {string.Join(", ", phases)}");
        project.Variables["SLIPWAY_TOKEN"] = team.Token;
        var audit = project.Run("audit", "verify");
        Assert.True(audit.Code == 0, audit.All);
    }

    /// <summary>No half state: at most one rollout runs, each that is over says how, and what is live is what the last promoted one put there.</summary>
    private async Task CheckAsync()
    {
        var rollouts = (await team.GetAsync("models/tiny/channels/production/rollouts")).AsArray();
        Assert.True(rollouts.Count(rollout => !IsOver(rollout!)) <= 1, rollouts.ToJsonString());
        var promoted = rollouts.Where(rollout => (string)rollout!["phase"]! == "promoted").MaxBy(rollout => (long)rollout!["endedAt"]!)!;
        Assert.Equal((int)promoted["candidate"]!["number"]!, await LiveAsync());
    }

    /// <summary>Every canary that was promoted had a judgement of no worse for what its steps asked.</summary>
    private async Task CheckEvidenceAsync()
    {
        var history = (await team.GetAsync("models/tiny/history?channel=production")).AsArray();
        foreach (var promoted in history.Where(entry => (string)entry!["action"]! == "rollout.promoted" && entry["from"] is not null))
        {
            var judged = history.Where(entry => (string)entry!["rollout"]! == (string)promoted!["rollout"]! && entry["report"] is not null).Select(entry => (string)entry!["report"]!["verdict"]!);
            Assert.Contains("no-worse", judged);
            Assert.DoesNotContain("harm", judged);
        }
    }

    private static bool IsOver(JsonNode? rollout) => rollout!["endedAt"] is not null;

    private async Task<JsonNode?> RunningAsync() => (await team.GetAsync("models/tiny/channels/production/rollouts")).AsArray().FirstOrDefault(rollout => !IsOver(rollout));

    private async Task<int> LiveAsync() => (int)(await team.GetAsync("models/tiny/channels")).AsArray().Single(state => (string)state!["channel"]! == "production")!["live"]!["number"]!;

    /// <summary>Callers go on through everything; while the gateway is down there is nobody to answer them.</summary>
    private async Task SendAsync(CancellationToken stopped)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var url = $"http://127.0.0.1:{gatewayPort}/v2/models/tiny/infer";
        while (!stopped.IsCancellationRequested)
        {
            try
            {
                using var answer = await client.PostAsync(url, new StringContent("""{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[0.5]}]}"""), TestContext.Current.CancellationToken);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    private Task<Running> StartServerAsync() => Running.StartAsync(project, "server", "--folder", Path.Combine(root, "server"), "--port", port);

    private Task<Running> StartGatewayAsync()
    {
        project.Variables["SLIPWAY_TOKEN"] = gatewayToken;
        return Running.StartAsync(project, "gateway", "--server", team.Url.ToString(), "--channel", "production", "--port", gatewayPort, "--name", "edge", "--folder", Path.Combine(root, "gateway"));
    }

    private void Slipway(string token, params string[] arguments)
    {
        project.Variables["SLIPWAY_TOKEN"] = token;
        var ended = project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }
}
