using System.Net;
using System.Text;

namespace Slipway.EndToEnd;

/// <summary>Traffic, its profile and its labels, from a gateway's answer to what the command line shows.</summary>
public sealed class MonitorTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-monitor-").FullName;

    private TinyProject Project => original.Project;

    public void Dispose()
    {
        Project.Variables.Clear();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_a_model_is_asked_and_what_came_true_is_seen_by_version()
    {
        using var up = await Running.StartAsync(Project, ["up", "--folder", folder, "--port", "0", "--production-port", "0", "--staging-port", "0"]);
        (Project.Variables["SLIPWAY_SERVER"], Project.Variables["SLIPWAY_TOKEN"]) = (up.Url("api").ToString(), up.AdminToken!);
        var spec = Project.SpecOfSwitching(folder);
        File.AppendAllText(spec, "\nmonitor:\n  window: 10 min\n  sample: 100 %\n  labels: { within: 1 h }\n");
        Done("push", "tiny", "--reason", "the first one", "--plan-from", spec);
        File.WriteAllText(Path.Combine(folder, "policy.yaml"), "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n");
        Done("policy", "set", Path.Combine(folder, "policy.yaml"), "--reason", "I am alone here");
        Done("promote", "tiny@1", "--to", "production", "--reason", "for all to use");
        Done("release", "tiny@1", "--to", "production", "--reason", "for all to use", "--wait");

        using var gateway = new HttpClient { BaseAddress = up.Url("production") };
        for (var i = 0; i < 200; i++)
        {
            // Three inputs of four are above what training saw most: a fault that is to be found.
            var body = $$$"""{"id":"trip-{{{i}}}","inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[{{{(i % 4 == 0 ? "0.2" : "0.99")}}}]}]}""";
            using var answer = await gateway.PostAsync("/v2/models/tiny/infer", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Ended shown;
        for (var tries = 0; ; tries++)
        {
            shown = Project.Run("monitor", "tiny", "--json");
            if (shown.Json.GetProperty("versions") is { } versions && versions.GetArrayLength() == 1 && versions[0].GetProperty("total") is var total
                && total.GetProperty("requests").GetInt64() == 200 && total.GetProperty("unlabelled").GetInt64() == 200)
                break;
            Assert.True(tries < 90, shown.All);
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, shown.Code);
        var drift = shown.Json.GetProperty("versions")[0].GetProperty("drift")[0];
        Assert.Equal(("x", "drift"), (drift.GetProperty("feature").GetString(), drift.GetProperty("verdict").GetString()));

        File.WriteAllText(Path.Combine(folder, "outcomes.csv"), "trip,late\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"trip-{i},{i % 2}\n")) + "trip-1,0\nstranger,1\n");
        var told = Project.Run("labels", Path.Combine(folder, "outcomes.csv"), "--id", "trip", "--label", "late");
        Assert.True(told.Code == 1, told.All);      // one contradicts
        foreach (var line in new[] { "matched                 200", "contradictory             1", "waiting                   1" })
            Assert.Contains(line, told.Output);
        var text = Project.Run("monitor");
        Assert.Equal(1, text.Code);
        foreach (var part in new[] { "version 1, live", "requests   200", "errors     0 %", "drift      x ", "labels     200 of 200", "accuracy   ", ", sealed " })
            Assert.Contains(part, text.Output);

        Refused("is no table that can be read", "labels", Path.Combine(folder, "policy.yaml"));
        Refused("is not there", "labels", Path.Combine(folder, "bad.csv"));
        Refused("has no column 'id'", "labels", Path.Combine(folder, "outcomes.csv"));
        Refused("--last is '15m', allowed is a time with its unit", "monitor", "--last", "15m");
        Refused("did you mean 15min?", "monitor", "--last", "15m");
        foreach (var verb in (string[][])[["alerts", "tny"], ["incidents", "list", "tny"], ["monitor", "tny"], ["history", "tny"]])
            Refused("did you mean tiny?", verb);
        Refused("did you mean production?", "monitor", "tiny", "--channel", "prodution");
        Refused("did you mean production?", "history", "tiny", "--channel", "prodution");

        // The same bundle with another plan: what differs is told, and not to promote what is live.
        File.WriteAllText(spec, File.ReadAllText(spec).Replace("within: 1 h", "within: 2 h", StringComparison.Ordinal));
        var again = Project.Run("push", "tiny", "--reason", "labels come later", "--plan-from", spec);
        Assert.True(again.Code == 0, again.All);
        Assert.Contains("monitor.labels.within: 1 h → 2 h", again.Output);
        Assert.Contains("version 1 is live on production", again.Output);
        up.Stop();
    }

    private void Done(params string[] arguments)
    {
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
    }

    private void Refused(string message, params string[] arguments)
    {
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 2, ended.All);
        Assert.Contains(message, ended.Errors);
    }
}
