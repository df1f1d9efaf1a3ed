using System.Diagnostics;

namespace Slipway.EndToEnd;

/// <summary>Server and gateway as processes of their own.</summary>
public sealed class ApartTests(SealedProject original) : IClassFixture<SealedProject>, IAsyncLifetime
{
    private readonly string root = Directory.CreateTempSubdirectory("slipway-apart-").FullName;
    private string port = "0";
    private Running server = null!;
    private Team team = null!;

    private TinyProject Project => original.Project;

    public async ValueTask InitializeAsync()
    {
        server = await StartServerAsync();
        port = server.Url("api").Port.ToString();
        team = new Team(server.Url("api"), server.AdminToken!);
        await team.TrustKeyOfAsync(Project);
        Project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();
        var author = await team.MakeAsync("bob", "person", "author");
        Slipway(author, "push", "tiny", "--reason", "the first one", "--plan-from", Project.SpecOfSwitching(root));
        Slipway(author, "promote", "tiny@1", "--to", "production", "--reason", "for all to use");
        Slipway(await team.MakeAsync("ann", "person", "approver"), "approve", "tiny.1", "--reason", "it was looked at");
    }

    public ValueTask DisposeAsync()
    {
        Project.Variables.Clear();
        team.Dispose();
        server.Dispose();
        Directory.Delete(root, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Predictions_go_on_without_the_server_over_a_restart_of_the_gateway_too()
    {
        var token = await team.MakeAsync("edge", "service", "gateway");
        using var gateway = await StartGatewayAsync(token);
        using var client = new HttpClient { BaseAddress = gateway.Url("production") };
        await team.ReleaseAsync("production", 1);
        await Team.UntilReadyAsync(client);

        using var stop = new CancellationTokenSource();
        var asked = 0;
        var traffic = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal("1", await Team.PredictAsync(client));
                asked++;
            }
        });
        await Task.Delay(500, TestContext.Current.CancellationToken);
        server.Kill();
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await traffic;
        Assert.True(asked > 100, $"{asked} requests");

        gateway.Kill();
        using var alone = await StartGatewayAsync(token);
        using var still = new HttpClient { BaseAddress = alone.Url("production") };
        await Team.UntilReadyAsync(still);
        Assert.Equal("1", await Team.PredictAsync(still));

        server = await StartServerAsync();
        Assert.Null(server.AdminToken);
        await alone.UntilLogAsync("answers again");
        Assert.Equal("1", await Team.PredictAsync(still));
        alone.Stop();
        server.Stop();
    }

    [Fact]
    public async Task A_gateway_believes_its_own_keys_and_not_the_server()
    {
        using var stranger = new TinyProject();
        stranger.MakeKey();
        using var gateway = await StartGatewayAsync(await team.MakeAsync("edge", "service", "gateway"), "--key", Path.Combine(stranger.Home, ".config/slipway/keys/default.key.pub"));
        var rollout = await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = 1, ["reason"] = "to see it refused" });
        var over = await team.UntilAsync($"models/tiny/channels/production/rollouts/{rollout["id"]}", view => view["state"]!["endedAt"] is not null);
        Assert.Equal("aborted", (string)over["state"]!["phase"]!);
        Assert.Contains("is signed only by keys that are not trusted", (string)over["state"]!["reason"]!);
    }

    [Fact]
    public async Task A_full_disk_is_told_and_a_bundle_is_fetched_when_there_is_space_again()
    {
        Assert.SkipUnless(Environment.UserName == "root", "mounting a small tmpfs needs root");
        var disk = Directory.CreateDirectory(Path.Combine(root, "gateway")).FullName;
        Assert.SkipUnless(Shell($"mount -t tmpfs -o size=64k none {disk}") == 0, "this machine does not let us mount a tmpfs");
        try
        {
            using var gateway = await StartGatewayAsync(await team.MakeAsync("edge", "service", "gateway"));
            var rollout = await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = 1, ["reason"] = "to a full disk" });
            var path = $"models/tiny/channels/production/rollouts/{rollout["id"]}";
            await team.UntilAsync(path, view => view.ToJsonString().Contains("no space left"));
            Assert.Equal(0, Shell($"mount -o remount,size=64m {disk}"));
            for (var phase = ""; phase != "promoted";)
            {
                var over = await team.UntilAsync(path, view => view["state"]!["endedAt"] is not null);
                phase = (string)over["state"]!["phase"]!;
                if (phase == "aborted")
                    path = $"models/tiny/channels/production/rollouts/{(await team.PostAsync("models/tiny/channels/production/releases", new() { ["version"] = 1, ["reason"] = "now there is space" }))["id"]}";
            }

            using var client = new HttpClient { BaseAddress = gateway.Url("production") };
            Assert.Equal("1", await Team.PredictAsync(client));
        }
        finally
        {
            Shell($"umount -l {disk}");
        }
    }

    [Fact]
    public void Unusable_options_are_told_together()
    {
        Project.Variables.Remove("SLIPWAY_TOKEN");
        var gateway = Project.Run("gateway", "--channel", "prod", "--name", "no name", "--server", "http://127.0.0.1:1");
        Assert.True(gateway.Code == 2, gateway.All);
        Assert.Contains("there is no channel 'prod'", gateway.Errors);
        Assert.Contains("the gateway's name is 'no name'", gateway.Errors);
        Assert.Contains("the gateway has no token", gateway.Errors);
    }

    private async Task<Running> StartServerAsync() => await Running.StartAsync(Project, "server", "--folder", Path.Combine(root, "server"), "--port", port);

    private async Task<Running> StartGatewayAsync(string token, params string[] more)
    {
        Project.Variables["SLIPWAY_TOKEN"] = token;
        return await Running.StartAsync(Project, ["gateway", "--server", team.Url.ToString(), "--channel", "production", "--port", "0", "--folder", Path.Combine(root, "gateway"), .. more]);
    }

    private void Slipway(string token, params string[] arguments)
    {
        Project.Variables["SLIPWAY_TOKEN"] = token;
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }

    private static int Shell(string line)
    {
        using var process = Process.Start("/bin/sh", ["-c", line]);
        process.WaitForExit();
        return process.ExitCode;
    }
}
