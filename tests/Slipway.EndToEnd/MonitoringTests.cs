using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

public sealed class MonitoringTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-monitoring-").FullName;

    private TinyProject Project => original.Project;

    public void Dispose()
    {
        Project.Variables.Clear();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Requests_that_a_gateway_answers_are_seen_at_the_server_against_the_sealed_reference()
    {
        const int requests = 500;
        using var up = await StartAsync();
        using var team = new Team(up.Url("api"), up.AdminToken!);
        Release(team, "{ window: 10 min, sample: 100 %, labels: { within: 1 h } }");
        using var production = new HttpClient { BaseAddress = up.Url("production") };
        for (var i = 0; i < requests; i++)
            await AskAsync(production, i);

        var seen = await team.UntilAsync("models/tiny/channels/production/monitoring?last=600000", view => Requests(view) == requests);
        var version = seen["versions"]![0]!;
        Assert.Equal(0, (int)seen["lost"]!);
        Assert.Equal([0, 0, 0, 0, 0], version["total"]!["bad"]!.AsArray().Select(count => (int)count!));
        Assert.Equal(requests, (int)version["total"]!["unlabelled"]!);
        var (x, probability) = (Feature(version, "x"), Feature(version, "probability"));
        Assert.Equal((requests, 0), ((int)x["current"]!["count"]!, (int)x["current"]!["missing"]!));
        Assert.Equal(requests, (int)x["current"]!["bins"]!.AsArray()[^1]!);        // all are as the largest tenth of the reference
        Assert.True((string)x["verdict"]! == "drift", x.ToJsonString());
        Assert.True((bool)probability["isOutput"]!);
        Assert.Single(seen["gateways"]!.AsArray());
        up.Stop();
    }

    [Fact]
    public async Task What_was_captured_around_an_incident_is_asked_again_with_the_key_from_outside()
    {
        const int requests = 200;
        Assert.Equal(0, Project.Run("keys", "new", Path.Combine(folder, "capture.key"), "--no-passphrase").Code);
        using var up = await StartAsync("--capture-key", Path.Combine(folder, "capture.key.pub"));
        using var team = new Team(up.Url("api"), up.AdminToken!);
        Release(team, "{ window: 10 min, sample: 100 %, capture: { share: 100 % }, alerts: [{ name: x has drifted, when: drift.x > 0.2 and requests >= 100 }] }");
        using var production = new HttpClient { BaseAddress = up.Url("production") };
        for (var i = 0; i < requests; i++)
            await AskAsync(production, i);

        var incident = (await team.UntilAsync("incidents", incidents => incidents.AsArray().Count > 0))[0]!["id"]!.GetValue<string>();
        var until = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();
        await team.UntilAsync($"models/tiny/captures?channel=production&from=0&to={until}", captures => captures.AsArray().Sum(capture => (int)capture!["requests"]!) == requests);
        var replayed = Project.Run("replay", incident, "--against", "tiny@1", "--capture-key", Path.Combine(folder, "capture.key"), "--json");
        Assert.True(replayed.Code == 0, replayed.All);
        Assert.Equal((requests, requests), (replayed.Json.GetProperty("total").GetProperty("requests").GetInt32(), replayed.Json.GetProperty("total").GetProperty("same").GetInt32()));

        // A key that is not the one: nothing is opened, and that is no sameness.
        Assert.Equal(0, Project.Run("keys", "new", Path.Combine(folder, "other.key"), "--no-passphrase").Code);
        var refused = Project.Run("replay", incident, "--against", "tiny", "--capture-key", Path.Combine(folder, "other.key"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("is sealed for the key", refused.Errors, StringComparison.Ordinal);
        up.Stop();
    }

    [Fact]
    public async Task Drift_starts_a_training_whose_version_is_registered_and_nothing_starts_twice()
    {
        // What an operator sets up: a project of its own, trained anew and pushed with a token of its own.
        var again = Path.Combine(folder, "again");
        TinyProject.CopyFolder(Project.Folder, again);
        var spec = Path.Combine(again, "slipway.yaml");
        File.WriteAllText(spec, File.ReadAllText(spec).Replace("params: { bins: 10", "params: { bins: 12", StringComparison.Ordinal));
        var script = Path.Combine(folder, "retrain.sh");
        File.WriteAllText(
            script,
            $"""
            #!/bin/sh
            set -e
            export HOME='{Project.Home}' SLIPWAY_KEY_PASSPHRASE='{TinyProject.Passphrase}' SLIPWAY_TOKEN="$(cat '{folder}/token')"
            '{RepositoryRoot.Slipway}' -C '{again}' run --quiet
            '{RepositoryRoot.Slipway}' -C '{again}' push --reason "trained again: $(grep -o 'dev.slipway[a-z.]*' "$SLIPWAY_EVENT" | head -n 1)"
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var up = await StartAsync("--trigger", $"nightly={script}");
        using var team = new Team(up.Url("api"), up.AdminToken!);
        File.WriteAllText(Path.Combine(folder, "token"), up.AdminToken);
        Release(team, "{ window: 10 min, sample: 100 %, retrain: [{ name: again, when: drift.x > 0.2 and requests >= 100, start: nightly, cool-down: 1 h }] }");
        using var production = new HttpClient { BaseAddress = up.Url("production") };
        for (var i = 0; i < 200; i++)
            await AskAsync(production, i);

        await team.UntilAsync("models/tiny/versions", versions => versions.AsArray().Count == 2);
        await team.UntilAsync("models/tiny/retraining", rules => !rules.ToJsonString().Contains("\"running\"", StringComparison.Ordinal));
        Assert.Single((await team.GetAsync("ledger/entries?action=retraining.started")).ToJsonString().Split("\"phase\":\"intent\"")[1..]);
        Assert.Equal(2, (await team.GetAsync("models/tiny/versions")).AsArray().Count);
        up.Stop();
    }

    private Task<Running> StartAsync(params string[] more) =>
        Running.StartAsync(Project, ["up", "--folder", Path.Combine(folder, "server"), "--port", "0", "--production-port", "0", "--staging-port", "0", .. more]);

    /// <summary>Pushes the project's version with that way of watching it, and releases it.</summary>
    private void Release(Team team, string monitor)
    {
        var spec = Project.SpecOfSwitching(folder);
        File.AppendAllText(spec, $"\nmonitor: {monitor}\n");
        File.WriteAllText(Path.Combine(folder, "policy.yaml"), "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n");
        Slipway(team, "push", "tiny", "--reason", "the first one", "--plan-from", spec);
        Slipway(team, "policy", "set", Path.Combine(folder, "policy.yaml"), "--reason", "I am alone here");
        Slipway(team, "promote", "tiny@1", "--to", "production", "--reason", "for all to use");
        Slipway(team, "release", "tiny@1", "--to", "production", "--reason", "for all to use", "--wait");
    }

    private static JsonNode Feature(JsonNode version, string name) => version["drift"]!.AsArray().Single(feature => (string)feature!["feature"]! == name)!;

    private static int Requests(JsonNode view) => view["versions"]!.AsArray().Sum(version => (int)version!["total"]!["requests"]!);

    private static async Task AskAsync(HttpClient client, int number)
    {
        using var content = new StringContent($$"""{"id":"trip-{{number}}","inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[0.999]}]}""") { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await client.PostAsync("/v2/models/tiny/infer", content, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private void Slipway(Team team, params string[] arguments)
    {
        (Project.Variables["SLIPWAY_SERVER"], Project.Variables["SLIPWAY_TOKEN"]) = (team.Url.ToString(), team.Token);
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }
}
