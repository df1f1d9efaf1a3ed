using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Slipway.Bench.Rollback;

/// <summary>A server with its gateways, a good version 1 of a model live on production, and a harmful version 2 that may be released.</summary>
internal sealed class Setting : IDisposable
{
    private const string Model = "/api/v1/models/tiny/channels/production";

    /// <summary>Release plans: the first one's, and one that gives half of the traffic and has no end but by harm.</summary>
    private const string
        SwitchAtOnce = "\nrelease:\n  production: { strategy: blue-green }\n",
        HalfUntilHarm = "\nrelease:\n  production:\n    strategy: canary\n    steps: [{ weight: 50 %, at-least: 1 h }, { weight: 100 % }]\n";

    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("slipway-bench-");
    private readonly List<Process> processes = [];
    private readonly Commands commands;
    private HttpClient http = null!;

    /// <param name="tiny">The folder of the small project.</param>
    private Setting(string slipway, string tiny)
    {
        var project = root.CreateSubdirectory("project").FullName;
        foreach (var file in Directory.EnumerateFiles(tiny, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(project, Path.GetRelativePath(tiny, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        Directory.CreateDirectory(Path.Combine(project, "data"));
        File.WriteAllText(Path.Combine(project, "data/trips.csv"), Trips());
        File.AppendAllText(Path.Combine(project, "slipway.yaml"), SwitchAtOnce);
        commands = new Commands(slipway, project, root.CreateSubdirectory("home").FullName);
        commands.Run("keys", "new", "--no-passphrase");
    }

    public IReadOnlyList<Uri> Gateways { get; private set; } = [];

    /// <summary>All in one process.</summary>
    public static async Task<Setting> OneProcessAsync(string slipway, string tiny)
    {
        var setting = new Setting(slipway, tiny);
        var up = setting.Serve("up", "--folder", setting.Folder("up"), "--port", "0", "--production-port", "0", "--staging-port", "0");
        setting.Gateways = [UrlOf(up, "production")];
        await setting.FillAsync(up);
        return setting;
    }

    /// <summary>A server, and two gateways as processes of their own.</summary>
    public static async Task<Setting> TwoGatewaysAsync(string slipway, string tiny)
    {
        var setting = new Setting(slipway, tiny);
        var server = setting.Serve("server", "--folder", setting.Folder("server"), "--port", "0");
        setting.SignIn(server);
        await setting.PostAsync("/api/v1/trusted-keys", new JsonObject
        {
            ["name"] = "builder",
            ["pem"] = File.ReadAllText(Path.Combine(setting.Folder("home"), ".config/slipway/keys/default.key.pub")),
            ["roles"] = new JsonArray("builder", "evaluator"),
            ["owner"] = null,
            ["allowUnprotected"] = true,
            ["reason"] = "It builds.",
        });
        var edge = await setting.PostAsync("/api/v1/principals", new JsonObject
        {
            ["name"] = "edge",
            ["kind"] = "service",
            ["groups"] = new JsonArray(),
            ["roles"] = new JsonArray(new JsonObject { ["role"] = "gateway", ["model"] = "*" }),
            ["reason"] = "It serves.",
        });
        var token = await setting.PostAsync("/api/v1/tokens", new JsonObject { ["principal"] = (string)edge["id"]!, ["label"] = "edge", ["scope"] = new JsonArray(), ["days"] = 1, ["reason"] = "It serves." });
        setting.commands.Variables["SLIPWAY_TOKEN"] = (string)token["secret"]!;
        setting.Gateways =
        [
            .. new[] { "edge-1", "edge-2" }.Select(name => UrlOf(
                setting.Serve("gateway", "--server", UrlOf(server, "api").ToString(), "--channel", "production", "--name", name, "--folder", setting.Folder(name), "--port", "0"), "production")),
        ];
        await setting.FillAsync(server);
        return setting;
    }

    /// <summary>Releases the harmful version under load and waits until it is taken back.</summary>
    /// <returns>Milliseconds from the judge's decision to the last request that was sent and went to the candidate, and to the candidate's last answer.</returns>
    public async Task<(double Sent, double Answered, long Requests)> MeasureAsync()
    {
        await using var load = new Load(Gateways);
        // What was taken back for harm is promoted anew before it is released again.
        await PostAsync(Model[..Model.IndexOf("/channels", StringComparison.Ordinal)] + "/promotions", new JsonObject { ["version"] = 2, ["channel"] = "production", ["reason"] = "a bench" });
        var rollout = (string)(await PostAsync(Model + "/releases", new JsonObject { ["version"] = 2, ["reason"] = "to see it taken back" }))["id"]!;
        var view = await UntilOverAsync(rollout);
        if ((string)view["state"]!["phase"]! != "rolled-back")
            throw new InvalidOperationException($"the rollout was not taken back: {view["state"]!.ToJsonString()}");
        var decided = DateTimeOffset.FromUnixTimeMilliseconds((long)view["report"]!["at"]!);
        if ((string)view["report"]!["verdict"]! != "harm")
            throw new InvalidOperationException($"it was not the judge who took it back: {view["report"]!.ToJsonString()}");
        await Task.Delay(TimeSpan.FromSeconds(1));      // what a slow gateway would still send to it
        return ((load.LastOfCandidate.Sent - decided).TotalMilliseconds, (load.LastOfCandidate.Answered - decided).TotalMilliseconds, load.Requests);
    }

    public void Dispose()
    {
        foreach (var process in Enumerable.Reverse(processes))
        {
            using var end = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
            end.WaitForExit();
            process.WaitForExit();
            process.Dispose();
        }

        http.Dispose();
        root.Delete(recursive: true);
    }

    private async Task FillAsync(JsonNode server)
    {
        SignIn(server);
        // Whoever measures is alone: nobody else could approve.
        var policy = Path.Combine(root.FullName, "policy.yaml");
        File.WriteAllText(policy, "slipway-policy: 1\nmodels:\n  '*': { production: { approvals: [] } }\n");
        commands.Run("policy", "set", policy, "--reason", "a bench");
        Push(1);
        var first = await PostAsync(Model + "/releases", new JsonObject { ["version"] = 1, ["reason"] = "the good one" });
        await UntilOverAsync((string)first["id"]!);
        var spec = Path.Combine(Folder("project"), "slipway.yaml");
        File.WriteAllText(spec, File.ReadAllText(spec).Replace(SwitchAtOnce, HalfUntilHarm, StringComparison.Ordinal));
        var predict = Path.Combine(Folder("project"), "serve/predict.py");
        File.WriteAllText(predict, File.ReadAllText(predict).Replace("def predict(inputs):\n", "def predict(inputs):\n    assert inputs[\"x\"][0][0] < 0.7\n", StringComparison.Ordinal));
        Push(2);
    }

    private void Push(int version)
    {
        commands.Run("run");
        commands.Run("push", "tiny", "--reason", "a bench");
        commands.Run("promote", $"tiny@{version}", "--to", "production", "--reason", "a bench");
    }

    private void SignIn(JsonNode server)
    {
        var (url, token) = (UrlOf(server, "api"), (string)server["adminToken"]!);
        (commands.Variables["SLIPWAY_SERVER"], commands.Variables["SLIPWAY_TOKEN"]) = (url.ToString(), token);
        http = new HttpClient { BaseAddress = url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
    }

    private string Folder(string name) => Path.Combine(root.FullName, name);

    private JsonNode Serve(params string[] arguments)
    {
        var (process, document) = commands.Serve(arguments);
        processes.Add(process);
        return document;
    }

    private static Uri UrlOf(JsonNode document, string listener) => new((string)document["urls"]![listener]!);

    private async Task<JsonNode> PostAsync(string path, JsonObject body)
    {
        using var answer = await http.PostAsync(path, new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{path}: {text}");
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> UntilOverAsync(string rollout)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(50))
        {
            var view = JsonNode.Parse(await http.GetStringAsync($"{Model}/rollouts/{rollout}"))!;
            if (view["state"]!["endedAt"] is not null)
                return view;
            if (Stopwatch.GetElapsedTime(started) > AtMost)
                throw new InvalidOperationException($"the rollout goes on after {AtMost}: {view.ToJsonString()}");
        }
    }

    /// <summary>6,000 rows over 90 days of 2020; the chance of being late rises with x.</summary>
    private static string Trips()
    {
        var text = new StringBuilder("day,x,kind,late\n");
        var random = new Random(5);
        for (var i = 0; i < 6000; i++)
        {
            var x = random.NextDouble();
            text.Append(CultureInfo.InvariantCulture, $"{new DateOnly(2020, 1, 1).AddDays(i * 90 / 6000):yyyy-MM-dd},{x:0.0000},{"abc"[random.Next(3)]},{(random.NextDouble() < 0.1 + 0.7 * x ? 1 : 0)}\n");
        }

        return text.ToString();
    }
}
