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
        using var up = await Running.StartAsync(Project, "up", "--folder", folder, "--port", "0", "--production-port", "0", "--staging-port", "0");
        using var team = new Team(up.Url("api"), up.AdminToken!);
        var spec = Project.SpecOfSwitching(folder);
        File.AppendAllText(spec, "\nmonitor: { window: 10 min, sample: 100 %, labels: { within: 1 h } }\n");
        File.WriteAllText(Path.Combine(folder, "policy.yaml"), "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n");
        Slipway(team, "push", "tiny", "--reason", "the first one", "--plan-from", spec);
        Slipway(team, "policy", "set", Path.Combine(folder, "policy.yaml"), "--reason", "I am alone here");
        Slipway(team, "promote", "tiny@1", "--to", "production", "--reason", "for all to use");
        Slipway(team, "release", "tiny@1", "--to", "production", "--reason", "for all to use", "--wait");
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
