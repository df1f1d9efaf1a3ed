using System.Net;
using System.Net.Sockets;

namespace Slipway.EndToEnd;

public sealed class UpTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private static readonly string[] anyPorts = ["--port", "0", "--production-port", "0", "--staging-port", "0"];

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-up-").FullName;

    private TinyProject Project => original.Project;

    public void Dispose()
    {
        Project.Variables.Clear();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_bundle_goes_by_push_promotion_and_release_to_production_and_stays_there_over_kill_9()
    {
        string token;
        using (var up = await StartAsync())
        {
            token = up.AdminToken!;
            using var team = new Team(up.Url("api"), token);
            Assert.Contains("the server trusts key", up.Log);

            Slipway(team, "push", "tiny", "--reason", "the first one", "--plan-from", Project.SpecOfSwitching(folder));
            // Who starts it alone is the only one there: nobody else could approve.
            File.WriteAllText(Path.Combine(folder, "policy.yaml"), "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n");
            Slipway(team, "policy", "set", Path.Combine(folder, "policy.yaml"), "--reason", "I am alone here");
            Slipway(team, "promote", "tiny@1", "--to", "production", "--reason", "for all to use");
            Slipway(team, "release", "tiny@1", "--to", "production", "--reason", "for all to use", "--wait");

            using var production = new HttpClient { BaseAddress = up.Url("production") };
            Assert.Equal("1", await Team.PredictAsync(production));
            using var staging = new HttpClient { BaseAddress = up.Url("staging") };
            Assert.Equal(HttpStatusCode.NotFound, (await staging.GetAsync("/v2/models/tiny", TestContext.Current.CancellationToken)).StatusCode);
            up.Kill();
        }

        using var again = await StartAsync();
        Assert.Null(again.AdminToken);
        using var back = new HttpClient { BaseAddress = again.Url("production") };
        await Team.UntilReadyAsync(back);
        Assert.Equal("1", await Team.PredictAsync(back));
        using var same = new Team(again.Url("api"), token);
        Assert.Equal(1, (int)(await same.UntilAsync("models/tiny/channels/production/rollouts", list => list.AsArray().Count == 1))[0]!["candidate"]!["number"]!);
        again.Stop();
        Assert.Contains("finishing the requests in flight", again.Log);
    }

    [Fact]
    public async Task A_second_up_on_the_same_folder_and_a_port_that_is_taken_are_faults()
    {
        using var up = await StartAsync();
        Refused("another server uses", "up", "--folder", folder, "--port", "0");
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString();
        var other = Directory.CreateTempSubdirectory("slipway-up-").FullName;
        Refused($"cannot listen on 127.0.0.1, port {port}", "up", "--folder", other, "--port", port);
        Refused($"cannot listen on 127.0.0.1, port {port}", "up", "--folder", other, "--port", "0", "--production-port", port);
        Refused($"127.0.0.1:{port}: address already in use", "server", "--folder", other, "--port", port);
        taken.Stop();
        Directory.Delete(other, recursive: true);
        up.Stop();
    }

    [Fact]
    public async Task A_token_that_nobody_saw_is_made_anew_and_the_keys_are_trusted_then()
    {
        // A port that is taken is found before anybody is made; a gateway that cannot write its folder is not.
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        Refused("cannot listen", "up", "--folder", folder, "--port", "0", "--production-port", ((IPEndPoint)taken.LocalEndpoint).Port.ToString());
        taken.Stop();
        Assert.False(File.Exists(Path.Combine(folder, "server.db")));
        Directory.CreateDirectory(Path.Combine(folder, "gateways"));
        File.WriteAllText(Path.Combine(folder, "gateways", "production"), "in the way");
        Assert.Contains("start again with --new-admin-token", Project.Run(["up", "--folder", folder, .. anyPorts]).Errors);
        File.Delete(Path.Combine(folder, "gateways", "production"));
        using (var up = await StartAsync())
            Assert.Null(up.AdminToken);
        using var again = await StartAsync("--new-admin-token");
        using var team = new Team(again.Url("api"), again.AdminToken!);
        Assert.Single((await team.GetAsync("trusted-keys")).AsArray());
        Slipway(team, "push", "tiny", "--reason", "the first one");
    }

    [Fact]
    public void Without_a_key_nothing_could_be_verified()
    {
        using var keyless = new TinyProject();
        var up = keyless.Run(["up", .. anyPorts]);
        Assert.True(up.Code == 3, up.All);
        Assert.Contains("slipway keys new", up.Errors);
        Assert.False(Directory.Exists(keyless.PathOf(".slipway-server")));
    }

    private Task<Running> StartAsync(params string[] more) => Running.StartAsync(Project, ["up", "--folder", folder, .. anyPorts, .. more]);

    private void Slipway(Team team, params string[] arguments)
    {
        (Project.Variables["SLIPWAY_SERVER"], Project.Variables["SLIPWAY_TOKEN"]) = (team.Url.ToString(), team.Token);
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }

    private void Refused(string message, params string[] arguments)
    {
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 3, ended.All);
        Assert.Contains(message, ended.Errors);
    }
}
