using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>A gateway's calls to the server. Whatever goes wrong with one is a <see cref="SlipwayException"/> that says so. Thread-safe.</summary>
internal sealed class ServerLink : IDisposable
{
    /// <summary>What the server did not answer; the same call may succeed later.</summary>
    public const string Unreachable = "server-unreachable";

    /// <summary>What the server will never take, however often it is sent.</summary>
    public const string Unusable = "server-found-unusable";

    /// <summary>For a connection.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    /// <summary>For an answer that needs no waiting.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>For a long poll: what the server holds it, and some more. Less than a lease, so that a connection that died without a word is noticed before.</summary>
    private static readonly TimeSpan PollLimit = TimeSpan.FromSeconds(25);

    /// <summary>For a capture of several MiB to arrive.</summary>
    private static readonly TimeSpan CaptureLimit = TimeSpan.FromSeconds(60);

    /// <summary>A name that leads to another machine now is followed after that.</summary>
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of any document that the server sends; a state of 1,000 models has less.</summary>
    private const int DocumentLimit = 4 * 1024 * 1024;

    private readonly HttpClient http;
    private readonly TimeProvider time;

    public ServerLink(Uri server, string token, TimeProvider time)
    {
        this.time = time;
        // A redirect would carry the token elsewhere.
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = ConnectLimit, PooledConnectionLifetime = ConnectionLife })
        {
            BaseAddress = server,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Waits at the server until there is a state after this one.</summary>
    /// <returns>Null when there is nothing newer yet: the server was heard all the same.</returns>
    public async Task<DesiredState?> PollAsync(string channel, long epoch, long revision, CancellationToken cancellation) =>
        await CallAsync(Get($"/api/v1/gateway/desired?channel={channel}&after={epoch}.{revision}"), PollLimit, RolloutJson.Default.DesiredState, cancellation);

    public async Task ReportAsync(GatewayReport report, CancellationToken cancellation)
    {
        using var response = await SendAsync(Post("/api/v1/gateway/report", report, RolloutJson.Default.GatewayReport), AnswerLimit, cancellation);
    }

    /// <returns>The highest sequence of this boot that the server has.</returns>
    public async Task<long> SendAsync(EventBatch batch, CancellationToken cancellation) =>
        (await CallAsync(Post("/api/v1/gateway/events", batch, RolloutJson.Default.EventBatch), AnswerLimit, RolloutJson.Default.EventReceipt, cancellation) ?? throw Unreadable("nothing")).Taken;

    /// <param name="sentAt">Unix milliseconds, by the clock of the batch's slices.</param>
    /// <returns>The highest sequence of this boot that the server has.</returns>
    public async Task<long> SendAsync(TelemetryBatch batch, long sentAt, CancellationToken cancellation)
    {
        var request = Post("/api/v1/gateway/telemetry", batch, MonitoringJson.Default.TelemetryBatch);
        request.Headers.Add(TelemetryBatch.SentAtHeader, sentAt.ToString(CultureInfo.InvariantCulture));
        return (await CallAsync(request, AnswerLimit, MonitoringJson.Default.TelemetryReceipt, cancellation) ?? throw Unreadable("nothing")).Taken;
    }

    public async Task<BundleContents> ContentsAsync(Digest bundle, CancellationToken cancellation) =>
        await CallAsync(Get($"/api/v1/bundles/{bundle}"), AnswerLimit, RegistryJson.Default.BundleContents, cancellation)
            ?? throw Unreadable("nothing");

    /// <summary>Hands over captured requests, sealed; what comes twice is stored once, by <paramref name="id"/>.</summary>
    public async Task SendCaptureAsync(string model, string channel, string gateway, string id, long from, long to, int requests, byte[] message, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"/api/v1/gateway/captures?model={model}&channel={channel}&gateway={gateway}&id={id}&from={from}&to={to}&requests={requests}"))
        {
            Content = new ByteArrayContent(message) { Headers = { ContentType = new MediaTypeHeaderValue("application/jose") } },
        };
        using var response = await SendAsync(request, CaptureLimit, cancellation);
    }

    /// <summary>Opens a blob; the caller disposes the response, and bounds the reading itself.</summary>
    public Task<HttpResponseMessage> OpenBlobAsync(Digest blob, CancellationToken cancellation) =>
        SendAsync(Get($"/api/v1/blobs/{blob}"), AnswerLimit, cancellation);

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Get(string path) => new(HttpMethod.Get, path);

    private static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type) => new(HttpMethod.Post, path)
    {
        Content = new ByteArrayContent(CanonicalJson.Serialize(body, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
    };

    private async Task<T?> CallAsync<T>(HttpRequestMessage request, TimeSpan limit, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        using var response = await SendAsync(request, limit, cancellation);
        if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified)
            return null;
        using var patience = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            await response.Content.LoadIntoBufferAsync(DocumentLimit, either.Token);
            return await response.Content.ReadFromJsonAsync(type, either.Token) ?? throw Unreadable("null");
        }
        catch (JsonException e)
        {
            throw Unreadable(e.Message);
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            throw Silent(e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, TimeSpan limit, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            throw Silent(e);
        }

        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotModified)
            return response;
        using (response)
            throw await RefusedAsync(response, either.Token);
    }

    private static bool IsSilence(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or IOException || e is OperationCanceledException && !cancellation.IsCancellationRequested;

    private SlipwayException Silent(Exception e) =>
        new(ExitCode.NotThere, new Fault(Unreachable, $"the server {http.BaseAddress} does not answer", Help: "the gateway goes on trying"), e);

    private SlipwayException Unreadable(string why) =>
        new(ExitCode.NotThere, new Fault("server-unreadable", $"the server {http.BaseAddress} answered something that this gateway does not understand: {why}", Help: "is it a Slipway server of the same version?"));

    private static async Task<SlipwayException> RefusedAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        // A server that is overloaded or without its database is as good as silent: later it may answer.
        var code = response.StatusCode switch
        {
            >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests => Unreachable,
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => Unusable,
            _ => "server-refused",
        };
        var said = "";
        try
        {
            await response.Content.LoadIntoBufferAsync(DocumentLimit, cancellation);
            var document = await response.Content.ReadFromJsonAsync(RegistryJson.Default.ErrorDocument, cancellation);
            said = document is { Faults: { IsDefaultOrEmpty: false } faults } ? $": {string.Join("; ", faults.Select(fault => fault.Message))}" : "";
        }
        catch (Exception e) when (e is JsonException or HttpRequestException or IOException or OperationCanceledException)
        {
            // It is no server of ours, or a proxy before it, that answered.
        }

        return new SlipwayException(ExitCode.NotThere, new Fault(code, $"the server answered {(int)response.StatusCode} to {response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.AbsolutePath}{said}"));
    }
}
