using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>A verb that serves, from the document that it prints until it is stopped or killed.</summary>
public sealed class Running : IDisposable
{
    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly StringBuilder log = new();

    private Running(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log)
                log.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
    }

    public JsonElement Document { get; private set; }

    public string? AdminToken => Document.TryGetProperty("adminToken", out var token) ? token.GetString() : null;

    public int Id => process.Id;

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    public static async Task<Running> StartAsync(TinyProject project, params string[] arguments)
    {
        var running = new Running(project.Start([.. arguments, "--json"]));
        var document = new StringBuilder();
        while (await running.process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            document.AppendLine(line);
            if (line != "}")
                continue;
            running.Document = JsonDocument.Parse(document.ToString()).RootElement;
            Assert.False(running.Document.TryGetProperty("faults", out _), document.ToString());
            return running;
        }

        Assert.Fail($"slipway {string.Join(' ', arguments)} ended: {document}{running.Log}");
        return running;
    }

    public Uri Url(string listener) => new(Document.GetProperty("urls").GetProperty(listener).GetString()!);

    public async Task UntilLogAsync(string text)
    {
        for (var started = Stopwatch.GetTimestamp(); !Log.Contains(text, StringComparison.Ordinal); await Task.Delay(50, TestContext.Current.CancellationToken))
            Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, Log);
    }

    /// <summary>As Ctrl-C does; it must end in good order.</summary>
    public void Stop()
    {
        Signal("TERM");
        Assert.True(process.WaitForExit(AtMost), Log);
        // Without a limit it waits for the last lines too.
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, Log);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <param name="name">Such as STOP, which holds it until CONT.</param>
    public void Signal(string name) => Process.Start("kill", ["-" + name, process.Id.ToString()]).WaitForExit();

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.Dispose();
    }
}

/// <summary>The server's API and the predictions of its gateways, as other programs use them.</summary>
public sealed class Team(Uri api, string token) : IDisposable
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(90);

    private readonly HttpClient http = new() { BaseAddress = api, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };

    public Uri Url => api;

    public string Token => token;

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await http.GetStringAsync("/api/v1/" + path, TestContext.Current.CancellationToken))!;

    public async Task<JsonNode> PostAsync(string path, JsonObject body)
    {
        using var answer = await http.PostAsync("/api/v1/" + path, new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>As <see cref="PostAsync"/>, where a conflict is an answer too.</summary>
    public async Task<HttpStatusCode> TryPostAsync(string path, JsonObject body)
    {
        using var answer = await http.PostAsync("/api/v1/" + path, new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.Conflict, $"{answer.StatusCode} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return answer.StatusCode;
    }

    /// <summary>Lets the server believe what a project's own key signs, as nobody's key.</summary>
    public Task TrustKeyOfAsync(TinyProject project) => PostAsync("trusted-keys", new JsonObject
    {
        ["name"] = "builder",
        ["owner"] = null,
        ["pem"] = File.ReadAllText(Path.Combine(project.Home, ".config/slipway/keys/default.key.pub")),
        ["roles"] = new JsonArray("builder", "evaluator"),
        ["reason"] = "It builds.",
    });

    /// <summary>Makes somebody with one role over all models, and a token for them.</summary>
    public async Task<string> MakeAsync(string name, string kind, string role)
    {
        var made = await PostAsync("principals", new JsonObject
        {
            ["name"] = name,
            ["kind"] = kind,
            ["groups"] = new JsonArray(),
            ["roles"] = new JsonArray(new JsonObject { ["role"] = role, ["model"] = "*" }),
            ["reason"] = "A test needs them.",
        });
        // Of their own making, so that nobody else has held it.
        var token = "slw_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await PostAsync("tokens", new JsonObject
        {
            ["principal"] = made["id"]!.GetValue<string>(),
            ["label"] = "test",
            ["scope"] = new JsonArray(),
            ["days"] = 1,
            ["hash"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token))),
            ["reason"] = "A test needs it.",
        });
        return token;
    }

    /// <summary>Starts a release and waits until its rollout is over.</summary>
    public async Task<JsonNode> ReleaseAsync(string channel, int version)
    {
        var rollout = await PostAsync($"models/tiny/channels/{channel}/releases", new JsonObject { ["version"] = version, ["reason"] = "a test releases it" });
        return await UntilAsync($"models/tiny/channels/{channel}/rollouts/{rollout["id"]}", view => view["state"]!["endedAt"] is not null);
    }

    public async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> condition)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            var seen = await GetAsync(path);
            if (condition(seen))
                return seen;
            Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, seen.ToJsonString());
        }
    }

    /// <summary>One prediction of a gateway's; the version that answered.</summary>
    public static async Task<string> PredictAsync(HttpClient gateway)
    {
        var body = new { inputs = new[] { new { name = "x", datatype = "FP32", shape = new[] { 1, 1 }, data = new[] { 0.5 } } } };
        using var answer = await gateway.PostAsJsonAsync("/v2/models/tiny/infer", body, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return answer.Headers.GetValues("Slipway-Version").Single();
    }

    public static async Task UntilReadyAsync(HttpClient gateway)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            using var answer = await gateway.GetAsync("/v2/models/tiny/ready", TestContext.Current.CancellationToken);
            if (answer.IsSuccessStatusCode)
                return;
            Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    public void Dispose() => http.Dispose();
}
