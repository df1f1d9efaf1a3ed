using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>A verb's way to the team's server: address and token, and the server's faults as our own.</summary>
internal sealed class ServerClient : IDisposable
{
    public const string UrlVariable = "SLIPWAY_SERVER", TokenVariable = "SLIPWAY_TOKEN";

    /// <summary>For one answer; what takes longer says its own.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly HttpClient http;

    private ServerClient(Uri url, string? token)
    {
        // A redirect would carry the token elsewhere.
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Uri Url => http.BaseAddress!;

    public HttpClient Http => http;

    public static Option<string?> ServerOption() => new("--server")
    {
        Description = $"The server's address; default: {UrlVariable}, or where you last logged in",
        HelpName = "URL",
    };

    public static Option<string> ReasonOption()
    {
        var reason = new Option<string>("--reason") { Description = "Why, in a sentence; the ledger keeps it", HelpName = "TEXT", Required = true };
        reason.Validators.Add(result =>
        {
            if (result.Tokens is [var given, ..] && string.IsNullOrWhiteSpace(given.Value))
                result.AddError("--reason is empty, and a change needs a reason");
        });
        return reason;
    }

    /// <exception cref="SlipwayException">No server is named, or no address (exit 2).</exception>
    public static ServerClient Open(string? server)
    {
        var (url, token) = Resolve(server);
        return With(url, token);
    }

    public static ServerClient With(Uri url, string? token) => new(url, token);

    /// <summary>Which server is meant, and the token for it, where there is one.</summary>
    /// <exception cref="SlipwayException">No server is named, or no address (exit 2).</exception>
    public static (Uri Url, string? Token) Resolve(string? server)
    {
        var logins = ServerLogins.Load();
        var named = server ?? Environment.GetEnvironmentVariable(UrlVariable) ?? logins.Current
            ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-server", "no server is named", Help: $"say --server URL, set {UrlVariable}, or log in with `slipway login URL`"));
        var url = ServerLogins.ParseUrl(named);
        return (url, Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token : logins.TokenFor(url));
    }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), type, cancellation);

    public Task<TAnswer> PostAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellation) =>
        SendAsync(Post(path, body, bodyType), answerType, cancellation);

    public static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type) => new(HttpMethod.Post, path) { Content = Json(body, type) };

    public Task<TAnswer> PutAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = Json(body, bodyType) }, answerType, cancellation);

    public Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(request, type, Patience, cancellation);

    /// <param name="patience">How long the whole answer may take.</param>
    public async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, TimeSpan patience, CancellationToken cancellation)
    {
        using var response = await SendAsync(request, patience, cancellation);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(patience);
        try
        {
            return await response.Content.ReadFromJsonAsync(type, ending.Token)
                ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            throw Unreachable(e);
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("server-unreadable", $"{Url} answered something that this program does not understand: {e.Message}", Help: "is it a Slipway server of the same version?"), e);
        }
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) => SendAsync(request, Patience, cancellation);

    /// <summary>Sends, and gives the response when it is a success.</summary>
    /// <param name="patience">For the request's body and the answer's beginning.</param>
    /// <exception cref="SlipwayException">The server does not answer, or wants another token (exit 3); it refuses the request (exit 2); a bad verdict (exit 1).</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, TimeSpan patience, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(patience);
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ending.Token);
        }
        catch (Exception e) when (e is HttpRequestException || e is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            throw Unreachable(e);
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw new SlipwayException(ExitOf(response.StatusCode), await FaultsOfAsync(response, cancellation));
    }

    public void Dispose() => http.Dispose();

    private SlipwayException Unreachable(Exception cause) =>
        new(ExitCode.NotThere, new Fault("server-unreachable", $"{Url} does not answer", Help: "is `slipway up` or `slipway server` running there?"), cause);

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) =>
        new(CanonicalJson.Serialize(body, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static ExitCode ExitOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity => ExitCode.BadVerdict,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => ExitCode.NotThere,
        _ => ExitCode.UnusableInput,
    };

    private async Task<IReadOnlyList<Fault>> FaultsOfAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var document = await response.Content.ReadFromJsonAsync(RegistryJson.Default.ErrorDocument, cancellation);
            if (document is { Faults: { IsDefaultOrEmpty: false } faults })
                return faults;
        }
        catch (Exception e) when (e is JsonException or HttpRequestException)
        {
            // Told below: it is no server of ours, or a proxy before it answered.
        }

        // A question that is answered without a body, or another program's answer.
        var help = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "log in with `slipway login URL`, or set SLIPWAY_TOKEN",
            HttpStatusCode.Forbidden => "your roles do not allow it: an administrator grants them with `slipway access grant`; `slipway access whoami` shows yours",
            HttpStatusCode.NotFound => "is that a Slipway server's address? a gateway answers predictions alone",
            _ => null,
        };
        return [new Fault("server-refused", $"{Url} answered {(int)response.StatusCode} to {response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.AbsolutePath}", Help: help)];
    }
}
