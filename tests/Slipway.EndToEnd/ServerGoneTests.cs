using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>The server is gone for longer than a candidate's weight holds without it, while callers go on.</summary>
public sealed class ServerGoneTests : IDisposable
{
    /// <summary>The first step outlasts the time until the server is killed, and is over when it comes back.</summary>
    private const string Plan = """

        release:
          production:
            strategy: canary
            steps: [{ weight: 50 %, at-least: 20 s, at-most: 90 s }, { weight: 100 %, hold-back: 10 %, for: 1 s, at-most: 30 s }]
            guard: { error-rate: 20 % }
            judge: { on-insufficient: rollback }
        """;

    /// <summary>Answers in a row of one version that stand for a weight of 0; half of them would be the other's.</summary>
    private const int InARow = 200;

    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(90);

    private readonly string root = Directory.CreateTempSubdirectory("slipway-gone-").FullName;
    private readonly TinyProject project = new();

    public void Dispose()
    {
        project.Dispose();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_canary_loses_its_weight_callers_notice_nothing_and_it_goes_on_when_the_server_is_back()
    {
        project.MakeKey();
        using var server = await StartServerAsync("0");
        using var team = new Team(server.Url("api"), server.AdminToken!);
        await ApproveTwoAsync(team);
        project.Variables["SLIPWAY_TOKEN"] = await team.MakeAsync("edge", "service", "gateway");
        using var gateway = await Running.StartAsync(project, "gateway", "--server", team.Url.ToString(), "--channel", "production", "--port", "0", "--folder", Path.Combine(root, "gateway"));
        await ReleaseFirstAsync(team);

        using var stop = new CancellationTokenSource();
        var answers = new ConcurrentQueue<string>();
        var traffic = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            // An answer that is none fails the test: each request is asked once.
            using var client = new HttpClient { BaseAddress = gateway.Url("production") };
            await Team.UntilReadyAsync(client);
            while (!stop.IsCancellationRequested)
            {
                answers.Enqueue(await Team.PredictAsync(client));
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }
        })));
        var rollout = (string)(await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = 2, ["reason"] = "to be left alone" }))["id"]!;
        var path = $"models/tiny/channels/production/rollouts/{rollout}";
        await team.UntilAsync(path, view => view["state"]!["stepSince"] is not null);
        await UntilAsync(() => LastOf(answers).Contains("2"), traffic);
        server.Kill();
        var gone = Stopwatch.StartNew();

        Assert.Contains("2", LastOf(answers));
        answers.Clear();
        await UntilAsync(() => answers.Count >= InARow && LastOf(answers).SetEquals(["1"]), traffic);
        // A weight is not dropped for a server that is only slow.
        Assert.True(gone.Elapsed > TimeSpan.FromSeconds(20), $"the weight was gone after {gone.Elapsed}");
        answers.Clear();
        await UntilAsync(() => answers.Count >= InARow && gone.Elapsed > TimeSpan.FromSeconds(33), traffic);
        Assert.All(answers, version => Assert.Equal("1", version));

        using var back = await StartServerAsync(team.Url.Port.ToString());
        await gateway.UntilLogAsync("answers again");
        var over = (await team.UntilAsync(path, view => view["state"]!["endedAt"] is not null))["state"]!;
        var (phase, reason) = ((string)over["phase"]!, (string)over["reason"]!);
        Assert.True(phase is "promoted" or "rolled-back", $"{phase}: {reason}");
        var live = phase == "promoted" ? "2" : "1";
        answers.Clear();
        await UntilAsync(() => answers.Count >= InARow && LastOf(answers).SetEquals([live]), traffic);
        await stop.CancelAsync();
        await traffic;

        var judged = (await team.GetAsync("models/tiny/history?channel=production&limit=500")).AsArray()
            .Where(entry => (string)entry!["rollout"]! == rollout && entry["report"] is not null).Select(entry => ((int)entry!["report"]!["step"]!, (string)entry["report"]!["verdict"]!)).Order();
        if (phase == "promoted")
            Assert.Equal([(0, "no-worse"), (1, "no-worse")], judged);
        else
            Assert.Contains("without enough evidence", reason);
        project.Variables["SLIPWAY_TOKEN"] = team.Token;
        var audit = project.Run("audit", "verify");
        Assert.True(audit.Code == 0, audit.All);
        gateway.Stop();
        back.Stop();
    }

    private async Task ApproveTwoAsync(Team team)
    {
        await team.TrustKeyOfAsync(project);
        project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();
        var (author, approver) = (await team.MakeAsync("bob", "person", "author"), await team.MakeAsync("ann", "person", "approver"));
        for (var version = 1; version <= 2; version++)
        {
            var switching = project.SpecOfSwitching(root);
            if (version == 2)
            {
                project.Edit("slipway.yaml", "bins: 10", "bins: 12");
                File.AppendAllText(project.PathOf("slipway.yaml"), Plan);
            }

            Assert.True(project.Run("run", "-q").Code is 0 or 1);
            As(author, ["push", "tiny", "--reason", "another one", .. version == 1 ? ["--plan-from", switching] : Array.Empty<string>()]);
            As(author, "promote", $"tiny@{version}", "--to", "production", "--reason", "for all to use");
            As(approver, "approve", $"tiny.{version}", "--reason", "it was looked at");
        }
    }

    private static async Task ReleaseFirstAsync(Team team) => Assert.Equal("promoted", (string)(await team.ReleaseAsync("production", 1))["state"]!["phase"]!);

    private static HashSet<string> LastOf(ConcurrentQueue<string> answers) => [.. answers.TakeLast(InARow)];

    private static async Task UntilAsync(Func<bool> condition, Task traffic)
    {
        for (var started = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            if (traffic.IsFaulted)
                await traffic;
            Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, "it never happened");
        }
    }

    private Task<Running> StartServerAsync(string port) => Running.StartAsync(project, "server", "--folder", Path.Combine(root, "server"), "--port", port);

    private void As(string token, params string[] arguments)
    {
        project.Variables["SLIPWAY_TOKEN"] = token;
        var ended = project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }
}
