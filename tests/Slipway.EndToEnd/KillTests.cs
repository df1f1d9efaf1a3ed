using System.Net;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>kill -9 of the server, of the gateway and of both, again and again, in every phase of a rollout, under traffic.</summary>
public sealed class KillTests : IAsyncLifetime
{
    /// <summary>The version that fails for some inputs, and answers no numbers for others.</summary>
    private const int Harmful = 3;

    /// <summary>Milliseconds; the kill comes at a random instant within as long of a phase, or of what follows it.</summary>
    private const int Longest = 250;

    /// <summary>Entries of the history that are read after a kill; a rollout makes a handful.</summary>
    private const int Recent = 60;

    /// <summary>Steps of a tenth of a second, and a bound that some hundred good answers prove: a second or two to the end.</summary>
    private const string Plan = """

        release:
          production:
            strategy: canary
            steps: [{ weight: 40 %, at-least: 100 ms, at-most: 8 s }, { weight: 70 %, at-least: 100 ms, at-most: 8 s }, { weight: 100 %, hold-back: 10 %, for: 300 ms, at-most: 8 s }]
            guard: { error-rate: 20 % }
            judge: { on-insufficient: rollback }
            keep-warm: 1 min
        """;

    /// <summary>All of them have a control.</summary>
    private const int Steps = 3;

    /// <summary>In turn, what is brought about before a kill.</summary>
    private static readonly string[] scenes = ["preparing", "stepping", "harm", "paused", "holding-back", "rolling-back"];

    private readonly string root = Directory.CreateTempSubdirectory("slipway-kill-").FullName;
    private readonly TinyProject project = new();
    // Seeded: where it fails once, it is likely to fail again.
    private readonly Random chance = new(20_260_101);
    private string port = "0", gatewayPort = "0", gatewayToken = "", approver = "";
    private Running server = null!, gateway = null!;
    private Team team = null!;
    private readonly Dictionary<string, int> met = [];
    private readonly List<JsonNode> history = [];
    private readonly HashSet<string> known = [];
    private bool waited;

    public async ValueTask InitializeAsync()
    {
        project.MakeKey();
        // What killed processes leave goes with this test.
        project.Variables["TMPDIR"] = Directory.CreateDirectory(Path.Combine(root, "tmp")).FullName;
        File.AppendAllText(project.PathOf("slipway.yaml"), Plan);
        server = await StartServerAsync();
        port = server.Url("api").Port.ToString();
        team = new Team(server.Url("api"), server.AdminToken!);
        await team.TrustKeyOfAsync(project);
        project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();
        var author = await team.MakeAsync("bob", "person", "author");
        approver = await team.MakeAsync("ann", "person", "approver");
        for (var version = 1; version <= Harmful; version++)
        {
            if (version == 2)
                project.Edit("slipway.yaml", "bins: 10", "bins: 12");
            if (version == Harmful)
            {
                project.Edit("serve/predict.py", "def predict(inputs):\n", """
                    def predict(inputs):
                        if inputs["x"][0][0] == 0.125:
                            raise ValueError("this one is too hard")
                        if inputs["x"][0][0] == 0.375:
                            return {"probability": [[float("nan")] for row in inputs["x"]]}

                    """);
            }

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
        var kills = Kills.OrElse(2 * 4 * scenes.Length);
        for (var kill = 0; kill < kills; kill++)
        {
            var scene = scenes[kill % scenes.Length];
            var id = await BringAboutAsync(scene);
            await Task.Delay(chance.Next(Longest), TestContext.Current.CancellationToken);
            if (await RunningAsync() is { } disturbed)
                met[(string)disturbed["phase"]!] = met.GetValueOrDefault((string)disturbed["phase"]!) + 1;
            // Every pair of a scene and a death comes twice. A gateway's death loses evidence, and its rollout is then taken back when its
            // step ends: every other kill is the server's alone.
            var (ofServer, ofGateway) = ((kill + kill / scenes.Length) % 4) switch
            {
                0 or 2 => (true, false),
                1 => (false, true),
                _ => (true, true),
            };
            await KillAsync(ofServer, ofGateway);
            await CheckAsync();
            await RememberAsync();
            await CheckSceneAsync(scene, id, ofGateway);
        }

        await ClearAsync();
        await RememberAsync();
        await stopping.CancelAsync();
        await traffic;
        await CheckAsync();
        CheckEvidence();
        using var client = new HttpClient { BaseAddress = gateway.Url("production") };
        await Team.UntilReadyAsync(client);
        Assert.Equal((await LiveAsync()).ToString(), await Team.PredictAsync(client));
        Assert.All(scenes.Where(scene => scene != "harm"), phase => Assert.True(met.ContainsKey(phase), $"only met {string.Join(", ", met)}"));
        project.Variables["SLIPWAY_TOKEN"] = team.Token;
        var audit = project.Run("audit", "verify");
        Assert.True(audit.Code == 0, audit.All);
    }

    /// <summary>Brings a rollout into the phase that is to be disturbed. A gateway that is stopped makes the phases last that wait for gateways.</summary>
    /// <returns>The rollout.</returns>
    private async Task<string> BringAboutAsync(string scene)
    {
        if (scene is "preparing" or "harm" or "holding-back")
            await ClearAsync();
        if (scene == "preparing")
            gateway.Signal("STOP");
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 20, $"no rollout got to {scene}");
            var id = (string?)(await RunningAsync())?["id"] ?? await StartAsync(scene == "harm" ? Harmful : await LiveAsync() == 1 ? 2 : 1);
            if (scene == "preparing")
                return id;
            var phase = (await UntilAsync(id, phase => phase is not "preparing" && (scene != "holding-back" || phase is not "stepping"))).Phase;
            switch (scene)
            {
                case "paused" when await OrderAsync(id, "pause"):
                    return id;
                case "rolling-back":
                    gateway.Signal("STOP");
                    if (await OrderAsync(id, "rollback"))
                        return id;
                    gateway.Signal("CONT");
                    break;
                case "harm" when phase != "aborted":
                case "stepping" or "holding-back" when phase == scene:
                    return id;
            }

            // It was over, or it has lost evidence.
            await ClearAsync();
        }
    }

    private async Task KillAsync(bool ofServer, bool ofGateway)
    {
        if (ofServer)
            server.Kill();
        if (ofGateway)
            gateway.Kill();
        else
            gateway.Signal("CONT");
        var (serving, answering) = (ofServer ? StartServerAsync() : Task.FromResult(server), ofGateway ? StartGatewayAsync() : Task.FromResult(gateway));
        (server, gateway) = (await serving, await answering);
    }

    /// <summary>No half state: at most one rollout runs, each that is over says how, and what is live is what the last promoted one put there.</summary>
    private async Task CheckAsync()
    {
        var (live, rollouts) = (0, new JsonArray());
        while (live != (live = await LiveAsync()))      // a rollout may be promoted between two questions
            rollouts = (await team.GetAsync("models/tiny/channels/production/rollouts?limit=500")).AsArray();
        Assert.True(rollouts.Count(rollout => !IsOver(rollout!)) <= 1, rollouts.ToJsonString());
        var promoted = rollouts.Where(rollout => (string)rollout!["phase"]! == "promoted").MaxBy(rollout => (long)rollout!["endedAt"]!)!;
        Assert.Equal((int)promoted["candidate"]!["number"]!, live);
        Assert.NotEqual(Harmful, live);
    }

    /// <summary>What was ordered or decided before the kill holds after it.</summary>
    private async Task CheckSceneAsync(string scene, string id, bool lostEvidence)
    {
        switch (scene)
        {
            case "paused":
                var kept = await UntilAsync(id, _ => true);
                Assert.True(kept.Phase == "paused" && await OrderAsync(id, "resume"), kept.ToString());
                break;
            case "rolling-back" or "harm":
                var taken = await UntilAsync(id, IsEnd);
                Assert.True(taken.Phase == "rolled-back", taken.ToString());
                break;
            case "holding-back" when !lostEvidence || !waited:
                // Once with lost evidence too: it takes the step's whole time to be given up.
                waited |= lostEvidence;
                var ended = await UntilAsync(id, IsEnd);
                Assert.True(ended.Phase is "promoted" or "rolled-back", ended.ToString());
                break;
        }
    }

    /// <summary>Every canary that was promoted was judged no worse in each of its steps; and some were, and some did harm.</summary>
    private void CheckEvidence()
    {
        var judged = history.Where(entry => entry["report"] is not null).ToLookup(entry => (string)entry["rollout"]!, entry => (Step: (int)entry["report"]!["step"]!, Verdict: (string)entry["report"]!["verdict"]!));
        var promoted = history.Where(entry => (string)entry["action"]! == "rollout.promoted" && entry["from"] is not null).Select(entry => (string)entry["rollout"]!).ToList();
        Assert.NotEmpty(promoted);
        Assert.All(promoted, rollout => Assert.Equal(Enumerable.Range(0, Steps).Select(step => (step, "no-worse")), judged[rollout].Order()));
        Assert.Contains(judged, rollout => rollout.Any(report => report.Verdict == "harm"));
    }

    /// <summary>One answer holds a part of the history only: it is read as it grows, and each part overlaps with what is known.</summary>
    private async Task RememberAsync()
    {
        var recent = (await team.GetAsync($"models/tiny/history?channel=production&limit={Recent}")).AsArray().Select(entry => entry!).ToList();
        Assert.True(known.Count == 0 || recent.Any(entry => known.Contains(entry.ToJsonString())), "more happened than one answer tells");
        history.AddRange(recent.Where(entry => known.Add(entry.ToJsonString())));
    }

    /// <summary>Ends what runs.</summary>
    private async Task ClearAsync()
    {
        while (await RunningAsync() is { } running)
        {
            await OrderAsync((string)running["id"]!, "abort");
            await UntilAsync((string)running["id"]!, IsEnd);
        }
    }

    private async Task<string> StartAsync(int version)
    {
        if (version == Harmful)
        {
            // What was taken back for harm is approved anew.
            var asked = await team.PostAsync("models/tiny/promotions", new() { ["version"] = version, ["channel"] = "production", ["reason"] = "once more" });
            using var approves = new Team(team.Url, approver);
            await approves.PostAsync($"models/tiny/promotions/{asked["number"]}/votes", new() { ["approves"] = true, ["reason"] = "it was looked at" });
        }

        return (string)(await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = version, ["reason"] = "to be disturbed" }))["id"]!;
    }

    /// <returns>False when it is too late for that.</returns>
    private async Task<bool> OrderAsync(string id, string order) =>
        await team.TryPostAsync($"models/tiny/channels/production/rollouts/{id}/{order}", new() { ["reason"] = "to be disturbed" }) != HttpStatusCode.Conflict;

    private async Task<(string Phase, string Reason)> UntilAsync(string id, Func<string, bool> condition)
    {
        var state = (await team.UntilAsync($"models/tiny/channels/production/rollouts/{id}", view => condition((string)view["state"]!["phase"]!) || view["state"]!["endedAt"] is not null))["state"]!;
        return ((string)state["phase"]!, (string)state["reason"]!);
    }

    private static bool IsEnd(string phase) => phase is "promoted" or "rolled-back" or "aborted";

    private static bool IsOver(JsonNode? rollout) => rollout!["endedAt"] is not null;

    private async Task<JsonNode?> RunningAsync() => (await team.GetAsync("models/tiny/channels/production/rollouts?limit=5")).AsArray().FirstOrDefault(rollout => !IsOver(rollout));

    private async Task<int> LiveAsync() => (int)(await team.GetAsync("models/tiny/channels")).AsArray().Single(state => (string)state!["channel"]! == "production")!["live"]!["number"]!;

    /// <summary>Callers go on through everything; while the gateway is down there is nobody to answer them.</summary>
    private async Task SendAsync(CancellationToken stopped)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var url = $"http://127.0.0.1:{gatewayPort}/v2/models/tiny/infer";
        for (var asked = 0; !stopped.IsCancellationRequested; asked++)
        {
            try
            {
                var x = (asked % 4) switch
                {
                    0 => "0.125",
                    2 => "0.375",
                    _ => "0.5",
                };
                using var answer = await client.PostAsync(url, new StringContent($$"""{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[{{x}}]}]}"""), TestContext.Current.CancellationToken);
                // The processes that start need the processor too.
                await Task.Delay(2, TestContext.Current.CancellationToken);
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
