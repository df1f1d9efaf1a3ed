namespace Slipway.EndToEnd;

/// <summary>What people order of releases, on the real command line: its words, and its exit code where it is told something wrong.</summary>
public sealed class ReleaseTests : IAsyncLifetime
{
    private const string Alone = "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n";

    private readonly TinyProject project = new();
    private Running up = null!;
    private Team team = null!;
    private string bins = "bins: 10";

    /// <summary>Two versions that are released one after the other.</summary>
    public async ValueTask InitializeAsync()
    {
        project.MakeKey();
        File.AppendAllText(project.PathOf("slipway.yaml"), "\nrelease:\n  production: { strategy: blue-green }\n");
        up = await Running.StartAsync(project, "up", "--folder", "server", "--port", "0", "--production-port", "0", "--staging-port", "0");
        team = new Team(up.Url("api"), up.AdminToken!);
        (project.Variables["SLIPWAY_SERVER"], project.Variables["SLIPWAY_TOKEN"]) = (team.Url.ToString(), team.Token);
        File.WriteAllText(project.PathOf("policy.yaml"), Alone);
        Passes("policy", "set", "policy.yaml", "--reason", "I am alone here");
        foreach (var version in new[] { 1, 2 })
        {
            Push(version);
            var released = Passes("release", $"tiny@{version}", "--reason", "for all to use", "--wait").Output;
            Assert.Contains($"to version {version}", released);
            Assert.Contains($"promoted       100 %  version {version} had its time at 100 %", released);
        }
    }

    public ValueTask DisposeAsync()
    {
        team.Dispose();
        up.Dispose();
        project.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Rollback_goes_to_the_version_before_and_to_a_named_one_and_history_tells_it()
    {
        using var production = new HttpClient { BaseAddress = up.Url("production") };
        var back = Passes("rollback", "tiny", "--reason", "complaints from the desk").Output;
        Assert.Contains("tiny production from version 2 to version 1", back);
        Assert.Contains("production is back at version 1: complaints from the desk", back);
        await UntilAnsweredByAsync(production, "1");
        Assert.Matches(@"next        nothing: version 2 was taken back from production 20.*: see rollout ", Passes("push", "tiny", "--reason", "once more").Output);
        Assert.Contains("production is back at version 2: no, after all", Passes("rollback", "tiny", "--to", "2", "--reason", "no, after all", "--wait").Output);
        await UntilAnsweredByAsync(production, "2");

        Fails(1, "version 2 of tiny is what production serves already", "rollback", "tiny", "--to", "2", "--reason", "again");
        Fails(1, "version 7 of tiny was never live on production; 1, 2 were", "rollback", "tiny", "--to", "7", "--reason", "further");
        Fails(1, "nothing of tiny is live on staging", "rollback", "tiny", "--channel", "staging", "--reason", "there too");
        Fails(2, "Option '--reason' is required", "rollback", "tiny");
        Fails(2, "a whole number is expected", "rollback", "tiny", "--to", "last", "--reason", "further");
        Fails(2, "'nowhere' is not allowed here, allowed staging, production", "rollback", "tiny", "--channel", "nowhere", "--reason", "further");
        Fails(2, "'no name' is no model's name", "rollback", "no name", "--reason", "further");

        var history = Passes("history", "tiny", "--channel", "production").Output;
        // Whether a person's change or the server's ends a return hangs on whether the version was still warm.
        Assert.Matches(@"production  returned        version 1 → 2, live: 2  by (admin|the server)\n  production is back at version 2: no, after all\n", history);
        Assert.Matches(@"production  return-started  version 2 → 1, live: 2  by admin\n  complaints from the desk\n", history);
        Assert.Matches(@"production  promoted        version none → 1, live: 1  by the server\n  version 1 had its time .*\n  evidence [0-9a-f]{12}  insufficient-evidence: ", history);
        var entry = Assert.Single(Passes("history", "tiny", "--limit", "1", "--json").Json.EnumerateArray());
        Assert.Equal(("rollout.returned", 2), (entry.GetProperty("action").GetString(), entry.GetProperty("live").GetProperty("number").GetInt32()));
        Assert.Contains("nothing happened to tiny on staging yet", Passes("history", "tiny", "--channel", "staging").Output);
        Fails(2, "limit is '501', allowed 1 to 500", "history", "tiny", "--limit", "501");
        Fails(2, "a whole number is expected", "history", "tiny", "--limit", "many");
        Fails(2, "no model 'other' is registered", "history", "other");
        up.Stop();
    }

    [Fact]
    public async Task A_canary_is_paused_resumed_aborted_and_rolled_back()
    {
        project.Edit("slipway.yaml", "production: { strategy: blue-green }", "production: { strategy: canary, steps: [{ weight: 10 %, at-least: 1 h }, { weight: 100 % }], guard: { error-rate: 5 % } }");
        Push(3);

        var plan = Passes("release", "plan", "--traffic", "50/s", "--baseline-errors", "0.5 %").Output;
        Assert.Contains("production at 50/s with 0.5 % bad answers of a healthy version; false alarms at most 1 %", plan);
        Assert.Matches(@"step 1: 10 %, at least 1 h\n( +\d+ × the errors  found after .*\n){3}  an equal one    goes on after 1 h", plan);
        Assert.Contains("step 2: 100 %", plan);
        Assert.Equal(2, Passes("release", "plan", "--json").Json.GetProperty("steps").GetArrayLength());
        var wrong = Fails(2, "--traffic is 'lots', allowed is a rate such as 500/s", "release", "plan", "--traffic", "lots", "--baseline-errors", "many");
        Assert.Contains("--baseline-errors is 'many', allowed is a share", wrong.Errors);

        string[] orders = ["pause", "resume", "abort"];
        foreach (var order in orders)
        {
            Fails(1, "no rollout of tiny runs on production", "release", order, "tiny", "--reason", "nothing is there");
            Fails(2, "Option '--reason' is required", "release", order, "tiny");
            Fails(2, "'no name' is no model's name", "release", order, "no name", "--reason", "wrong");
        }

        Assert.Contains("next  slipway history tiny", Passes("release", "tiny@3", "--reason", "to see").Output);
        await UntilPhaseAsync("stepping");
        Assert.Contains("tiny production from version 2 to version 3", Passes("release", "pause", "tiny", "--reason", "a holiday").Output);
        Assert.Matches(@"paused +10 %  admin pauses: a holiday\n", Passes("release", "pause", "tiny", "--reason", "once more").Output);
        Assert.Matches(@"stepping +10 %  admin resumes: back from it\n", Passes("release", "resume", "tiny", "--reason", "back from it").Output);
        Assert.Equal("stepping", Passes("release", "resume", "tiny", "--reason", "once more", "--json").Json.GetProperty("phase").GetString());
        Fails(1, "rollout", "release", "tiny@1", "--reason", "another beside it");
        Assert.Matches(@"aborted +0 %  admin aborts: the wrong one\n", Passes("release", "abort", "tiny", "--reason", "the wrong one").Output);
        Fails(1, "no rollout of tiny runs on production", "release", "abort", "tiny", "--reason", "the wrong one");

        Passes("release", "tiny@3", "--reason", "the right one after all");
        await UntilPhaseAsync("stepping");
        Assert.Matches(@"rolled-back +0 %  admin rolls back: complaints; every live gateway confirms it\n", Passes("rollback", "tiny", "--reason", "complaints", "--wait").Output);
        Assert.Equal(2, (int)(await team.GetAsync("models/tiny/channels"))[1]!["live"]!["number"]!);
        Fails(2, "there is no version 9 of that model", "release", "tiny@9", "--reason", "not there");
        up.Stop();
    }

    [Fact]
    public void What_is_rejected_is_not_released_and_a_policy_is_tried_before_it_is_set()
    {
        Push(3);
        var rejected = Passes("reject", "tiny.3", "--reason", "wait for the June data").Output;
        Assert.Contains("tiny.3  tiny@3 to production: rejected", rejected);
        Assert.Contains("rejected by admin: wait for the June data", rejected);
        Assert.Contains("next  who rejected it may approve it after all; or ask anew: slipway promote tiny@3 --to production", rejected);
        Fails(1, "version 3 of tiny is not approved for production: tiny.3 is rejected", "release", "tiny@3", "--reason", "all the same");
        Fails(2, "'tiny' names no promotion, which is MODEL.NUMBER", "reject", "tiny", "--reason", "wrong");
        Fails(2, "there is no promotion 99 of that model", "reject", "tiny.99", "--reason", "wrong");
        Fails(2, "Option '--reason' is required", "reject", "tiny.3");

        Assert.Contains("policy 1, set by admin: I am alone here", Passes("policy", "show").Output);
        Assert.Contains("tiny, production: fits", Passes("policy", "test", "policy.yaml").Output);
        File.WriteAllText(project.PathOf("policy.yaml"), "slipway-policy: 1\nmodels:\n  tiny: { production: { approvals: [{ group: risk, count: 2 }], strategies: [canary] } }\n");
        var lacks = Fails(1, "", "policy", "test", "policy.yaml").Output;
        Assert.Contains("tiny, production: does not fit", lacks);
        Assert.Contains("blue-green", lacks);
        Assert.Contains("approvals: 2 of risk", lacks);
        Assert.Equal("fail", project.Run("policy", "test", "policy.yaml", "--json").Json.GetProperty("verdict").GetString());
        Assert.Contains("policy 2 holds from now on", Passes("policy", "set", "policy.yaml", "--reason", "we are two now").Output);
        var shown = Passes("policy", "show", "tiny").Output;
        Assert.Contains("policy 2, set by admin: we are two now", shown);
        Assert.Matches(@"tiny, production\n  approvals: 2 of risk\n  strategies: canary\n", shown);

        // What is live was approved under the old policy: it stays, the way back too, and both are told.
        Assert.Contains("tiny.2  tiny@2 to production: live, and not to be released again as it is", Passes("models", "tiny").Output);
        Assert.Contains("note: version 1 would not be let through to production now: ", Passes("rollback", "tiny", "--reason", "complaints").Output);
        Assert.Contains("  note: version 1 would not be let through to production now: ", Passes("history", "tiny", "--limit", "1").Output);

        File.WriteAllText(project.PathOf("wrong.yaml"), Alone.Replace("approvals", "aprovals"));
        foreach (var verb in new[] { "set", "test" })
        {
            string[] reason = verb == "set" ? ["--reason", "wrong"] : [];
            Fails(2, "wrong.yaml:3:24: unknown key 'aprovals', nearest is 'approvals'", ["policy", verb, "wrong.yaml", .. reason]);
            Fails(2, "there is no such policy file", ["policy", verb, "nowhere.yaml", .. reason]);
        }

        Fails(2, "Option '--reason' is required", "policy", "set", "policy.yaml");
        up.Stop();
    }

    /// <summary>Trains a version, pushes it, and asks for production.</summary>
    private void Push(int version)
    {
        project.Edit("slipway.yaml", bins, bins = $"bins: {8 + 2 * version}");
        Passes("run", "-q");
        Passes("push", "--reason", "another one");
        Assert.Contains($"tiny.{version}  tiny@{version} to production: approved", Passes("promote", $"{version}", "--to", "production", "--reason", "for all to use").Output);
    }

    private Task UntilPhaseAsync(string phase) =>
        team.UntilAsync("models/tiny/channels/production/rollouts?limit=1", rollouts => (string)rollouts[0]!["phase"]! == phase);

    private static async Task UntilAnsweredByAsync(HttpClient gateway, string version)
    {
        for (var tries = 0; await Team.PredictAsync(gateway) is var answered && answered != version; tries++)
        {
            Assert.True(tries < 600, $"version {answered} goes on answering");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private Ended Passes(params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == 0, $"{string.Join(' ', arguments)}: {ended.All}");
        return ended;
    }

    private Ended Fails(int code, string message, params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == code && ended.Errors.Contains(message, StringComparison.Ordinal), $"{string.Join(' ', arguments)}: {ended.All}");
        return ended;
    }
}
