using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>From a sealed bundle to an approved version on the real command line, and a server that is killed while it registers.</summary>
public sealed class RegistryTests : IDisposable
{
    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task A_bundle_is_pushed_promoted_approved_and_held_to_the_policy()
    {
        project.MakeKey();
        Passes("run");
        using var server = await Running.StartAsync(project, "server", "--folder", "server", "--port", "0");
        using var team = new Team(server.Url("api"), server.AdminToken!);
        var (author, approver) = (await team.MakeAsync("Ann", "person", "author"), await team.MakeAsync("Bob", "person", "approver"));
        project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();

        As(author);
        Assert.Contains("no trusted builder's key", Fails(1, "push", "--reason", "early").Errors);
        await TrustAsync(team);
        Assert.Contains("registered  tiny version 1", Passes("push", "--reason", "the first").Output);
        Assert.DoesNotContain("uploading", Passes("push", "tiny", "--reason", "the same").Errors);
        Assert.Equal(1, Passes("push", "--json", "--reason", "the same").Json.GetProperty("version").GetProperty("number").GetInt32());

        Assert.Contains("tiny.1  tiny@1 to staging: approved", Passes("promote", "1", "--to", "staging", "--reason", "try").Output);
        Assert.Contains("missing: 1 more person must approve", Passes("promote", "tiny@1", "--to", "production", "--reason", "go").Output);
        Assert.Contains("may not approve", Fails(3, "approve", "tiny.2", "--reason", "me").Errors);
        As(approver);
        Assert.Contains("next  slipway release tiny@1 --to production", Passes("approve", "tiny.2", "--reason", "looked at it").Output);

        // Whoever reads the model fetches the bundle into a folder of their own, and verifies it there.
        using (var elsewhere = new TinyProject())
        {
            foreach (var (name, value) in project.Variables)
                elsewhere.Variables[name] = value;
            var key = Path.Combine(project.Home, ".config/slipway/keys/default.key.pub");
            var pulled = elsewhere.Run("pull", "tiny@1", "--key", key);
            Assert.True(pulled.Code == 0, pulled.All);
            Assert.Equal(0, elsewhere.Run("verify", "tiny-1", "--key", key).Code);
            Assert.Equal(2, elsewhere.Run("pull", "tiny@2", "--key", key).Code);
        }

        // A stricter policy is tried without the server, then set, and holds for what was approved before.
        File.WriteAllText(project.PathOf("policy.yaml"), "slipway-policy: 1\nmodels: { tiny: { production: { approvals: [{ group: risk }], widest-first-step: 0.5 %, required-gates: [no worse] } } }\n");
        Assert.Contains("refused: the first traffic that the plan gives is 1 %", Fails(1, "policy", "test", "policy.yaml").Output);
        Assert.Contains("may not administer", Fails(3, "policy", "set", "policy.yaml", "--reason", "stricter").Errors);
        As(team.Token);
        Passes("policy", "set", "policy.yaml", "--reason", "stricter");
        Assert.Contains("required gates: no worse", Passes("policy", "show", "tiny").Output);
        var model = Passes("models", "tiny").Output;
        Assert.Contains("tiny.2  tiny@1 to production: waiting, asked by Ann: go", model);
        Assert.Contains("the policy wants the gate 'no worse' passed, and its verdict is not-evaluated", model);
        Assert.Contains("tiny.2  tiny@1 to production: rejected", Passes("reject", "tiny.2", "--reason", "not any more").Output);

        var version = Passes("models", "tiny@1").Output;
        Assert.Contains("pass                   good enough: auc = ", version);
        Assert.Contains("signed    by 'the team's'", version);
        server.Stop();
    }

    [Fact]
    public async Task A_server_that_is_killed_while_it_registers_keeps_all_of_a_version_or_nothing()
    {
        var kills = Kills.OrElse(4);
        project.MakeKey();
        Running server = await Running.StartAsync(project, "server", "--folder", "server", "--port", "0");
        var token = server.AdminToken!;
        using (var team = new Team(server.Url("api"), token))
            await TrustAsync(team);
        As(token);
        var random = new Random(1);
        for (var i = 1; i <= kills; i++)
        {
            // Another license is another bundle of the same outputs.
            project.Edit("slipway.yaml", i == 1 ? "license: Apache-2.0" : $"license: Other-{i - 1}", $"license: Other-{i}");
            Passes("run");
            project.Variables["SLIPWAY_SERVER"] = server.Url("api").ToString();
            using (var push = project.Start("push", "--reason", $"number {i}"))
            {
                var moment = i % 2 == 0 ? "uploading" : "the server verifies";
                while (await push.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains(moment, StringComparison.Ordinal))
                {
                }

                await Task.Delay(random.Next(0, 100), TestContext.Current.CancellationToken);
                server.Kill();
                push.WaitForExit();
            }

            server.Dispose();
            server = await Running.StartAsync(project, "server", "--folder", "server", "--port", "0");
            project.Variables["SLIPWAY_SERVER"] = server.Url("api").ToString();
            Assert.Contains($"tiny version {i}  ", Passes("push", "--reason", $"number {i} again").Output);
        }

        var versions = Passes("models", "tiny", "--json").Json.GetProperty("versions");
        Assert.Equal(Enumerable.Range(1, kills).Reverse(), versions.EnumerateArray().Select(version => version.GetProperty("number").GetInt32()));
        Assert.Equal(kills, versions.EnumerateArray().Select(version => version.GetProperty("bundle").GetString()).Distinct().Count());
        Passes("audit", "verify");
        Assert.Empty(Directory.EnumerateFiles(project.PathOf("server/bundles/blobs/sha256"), ".tmp-*"));
        server.Stop();
        server.Dispose();
    }

    private async Task TrustAsync(Team team)
    {
        var pem = File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(project.Home, ".config/slipway/keys"), "*.pub")));
        await team.PostAsync("trusted-keys", new JsonObject { ["name"] = "the team's", ["pem"] = pem, ["roles"] = new JsonArray("builder"), ["owner"] = null, ["reason"] = "a test" });
    }

    private void As(string token) => project.Variables["SLIPWAY_TOKEN"] = token;

    private Ended Passes(params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
        return ended;
    }

    private Ended Fails(int code, params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == code, ended.All);
        return ended;
    }
}
