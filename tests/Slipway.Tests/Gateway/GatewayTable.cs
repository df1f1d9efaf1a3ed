using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Protocol;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Runtime.ModelHosts;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Gateway;

/// <summary>A gateway's request path over a table that the test sets, and a client of it.</summary>
public sealed class GatewayTable : IAsyncDisposable
{
    public const string Model = "flight-delay", Infer = "/v2/models/flight-delay/infer", Salt = "00112233445566778899aabbccddeeff";

    private readonly List<ServedVersion> versions = [];
    private readonly List<Task> retiring = [];
    private long revision;

    private GatewayTable()
    {
    }

    public HostedModels Models { get; } = new();

    internal Router Router { get; } = new();

    internal RolloutRecorder Recorder { get; } = new("g1", "b1", "production", TimeProvider.System);

    internal Samplers Samplers { get; } = new(new SampleClock(TimeProvider.System));

    /// <summary>What is told of the requests of routes that are served from here on.</summary>
    internal RouteMonitor? Monitor { get; set; }

    internal InferenceServer Server { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>One row of the model of <see cref="HostedModels.Late"/>.</summary>
    /// <param name="extra">Members of the request before its inputs, each with a comma behind it.</param>
    public static string Row(int hour, string extra = "") =>
        $$"""{{{extra}}"inputs":[{"name":"distance","shape":[1,1],"datatype":"FP32","data":[100]},{"name":"hour","shape":[1,1],"datatype":"INT64","data":[{{hour}}]}]}""";

    public static async Task<GatewayTable> StartAsync(InferenceOptions? options = null)
    {
        var gateway = new GatewayTable();
        gateway.Server = await InferenceServer.StartAsync(options ?? new InferenceOptions(), gateway.Router, TestContext.Current.CancellationToken);
        gateway.Client = new HttpClient { BaseAddress = gateway.Server.Url };
        return gateway;
    }

    /// <summary>Loads a model as a version, and waits until it is ready.</summary>
    internal async Task<ServedVersion> LoadAsync(int number, HostedModel model, HostOptions? options = null)
    {
        var host = await ModelHost.StartAsync(model, options ?? Models.Options, TestContext.Current.CancellationToken);
        await host.WaitUntilReadyAsync(TestContext.Current.CancellationToken);
        var version = new ServedVersion(new VersionRef(number, model.Bundle), host, Samplers.Begin(Model, new VersionRef(number, model.Bundle), model));
        versions.Add(version);
        return version;
    }

    /// <summary>A version of a Python function that answers a constant.</summary>
    internal Task<ServedVersion> ConstantAsync(int number, double answer) =>
        LoadAsync(number, Models.Predict(FormattableString.Invariant($"def predict(inputs): return {{'probability': [[{answer}] for _ in inputs['hour']]}}")));

    /// <summary>Puts versions in force as those of one model.</summary>
    internal void Serve(ServedVersion? stable, ServedVersion? candidate = null, int weight = 0, bool shadow = false, string key = "request-id", TimeSpan? budget = null, ServedVersion[]? warm = null, string? unready = null)
    {
        var rollout = new RolloutRoute("r1", candidate?.Version ?? new VersionRef(1, default), weight, shadow, weight + 1, key, Salt);
        var all = new[] { stable, candidate }.Concat(warm ?? []).OfType<ServedVersion>().Distinct().ToFrozenDictionary(version => version.Version.Number);
        var live = candidate is null ? null : new LiveRollout(rollout, candidate, Recorder.Follow(rollout));
        Replace(new LiveRoute(Model, stable, live, all, budget, unready, Monitor));
    }

    internal void Replace(params LiveRoute[] routes) => Router.Replace(new RoutingTable(1, ++revision, routes.ToFrozenDictionary(route => route.Model, StringComparer.Ordinal)));

    internal void Retire(ServedVersion version)
    {
        versions.Remove(version);
        retiring.Add(version.RetireAsync());
    }

    public async Task<HttpResponseMessage> PostAsync(string body, string path = Infer, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The status, and the first number of the answer or its error.</summary>
    public async Task<(HttpStatusCode Status, string Answer)> AskAsync(string body, string path = Infer, params (string Name, string Value)[] headers)
    {
        using var response = await PostAsync(body, path, headers);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return (response.StatusCode, document.RootElement.TryGetProperty("error", out var error) ? error.GetString()! : document.RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetRawText());
    }

    /// <summary>Everything that the server would have been told by now, and of requests that have ended already.</summary>
    internal RolloutEvents Told()
    {
        Thread.Sleep(20);       // counts and events are told once the ten milliseconds that they fell in are over
        var batch = Recorder.TakeBatch(evenIfNothing: true)!;
        Recorder.Acknowledge(batch.Sequence);
        return batch.Rollouts.Single();
    }

    public static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        foreach (var version in versions)
            retiring.Add(version.RetireAsync());
        await Task.WhenAll(retiring);
        Models.Dispose();
    }
}
