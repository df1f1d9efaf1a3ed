using System.Net;
using System.Net.Http.Headers;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Registries;

/// <summary>Requests to one registry: authorised, repeated where the reason passes, and redirected only where nothing is given away. Thread-safe.</summary>
internal sealed class RegistryConnection : IDisposable
{
    /// <summary>Redirects of one request that are followed; registries need one, to where their blobs lie.</summary>
    private const int MaxRedirects = 5;

    /// <summary>Time for a connection to come about, TLS included.</summary>
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(20);

    private readonly RegistryOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient http;
    private readonly RegistryAuthorizer authorizer;

    public RegistryConnection(string host, RegistryOptions options, RegistryCredential? credential, TimeProvider time)
    {
        (this.options, this.time, Place, Base) = (options, time, host, RegistryAddress.Of(host, options.PlainHttp));
        // A redirect followed by the framework would carry the credentials elsewhere.
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = Connecting }) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("slipway", null));
        authorizer = new RegistryAuthorizer(Base, Place, http, credential, options);
    }

    public Uri Base { get; }

    /// <summary>As people wrote it.</summary>
    public string Place { get; }

    public RegistryOptions Options => options;

    public TimeProvider Time => time;

    public void Dispose() => http.Dispose();

    /// <summary>Sends until there is an answer that does not pass by itself, whatever it says.</summary>
    /// <param name="make">Makes the request; called anew for every attempt. It must be one that may be repeated.</param>
    /// <param name="scope">What the caller needs, as token servers name it.</param>
    /// <exception cref="SlipwayException">No answer, or none but failures (exit 3).</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, string scope, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var response = await SendOnceAsync(make, scope, cancellation);
                if (!Passes(response.StatusCode))
                    return response;
                using (response)
                    await WaitAsync(attempt, response, cancellation);
            }
            catch (Exception e) when (IsCut(e))
            {
                await WaitAsync(attempt, e, cancellation);
            }
        }
    }

    /// <summary>Sends once, with what the registry asks for as proof.</summary>
    /// <param name="progress">Where the request's body goes by, the patience that each of its bytes renews.</param>
    /// <exception cref="HttpRequestException">No connection, or it was cut.</exception>
    /// <exception cref="TimeoutException">Silence.</exception>
    public async Task<HttpResponseMessage> SendOnceAsync(Func<HttpRequestMessage> make, string scope, CancellationToken cancellation, Patience? progress = null)
    {
        for (var isMet = false; ; isMet = true)
        {
            var shown = authorizer.For(scope);
            var response = await FollowAsync(make, shown, progress, cancellation);
            if (response.StatusCode != HttpStatusCode.Unauthorized || isMet || !RegistryAddress.IsSameOrigin(Base, response.RequestMessage!.RequestUri!))
                return response;
            using (response)
            {
                if (!await authorizer.MeetAsync(RegistryChallenge.Of(response.Headers), scope, shown, cancellation))
                    throw await RegistryFault.OfAsync(response, Place, options.Silence, cancellation);
            }
        }
    }

    /// <summary>Whether an exception says that the connection failed or was cut: what is worth another attempt.</summary>
    public static bool IsCut(Exception e) => e is HttpRequestException { InnerException: not System.Security.Authentication.AuthenticationException } or IOException or TimeoutException;

    /// <summary>Whether an answer says that another attempt may succeed.</summary>
    public static bool Passes(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Waits before the next attempt.</summary>
    /// <param name="attempt">The one that failed, from 1.</param>
    /// <exception cref="SlipwayException">It was the last (exit 3).</exception>
    public Task WaitAsync(int attempt, Exception cause, CancellationToken cancellation) =>
        attempt < options.Attempts ? Task.Delay(Backoff(attempt), time, cancellation) : throw RegistryFault.Unreachable(Place, cause);

    /// <inheritdoc cref="WaitAsync(int, Exception, CancellationToken)"/>
    public async Task WaitAsync(int attempt, HttpResponseMessage response, CancellationToken cancellation)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        if (attempt >= options.Attempts || asked > options.LongestWait)
            throw await RegistryFault.OfAsync(response, Place, options.Silence, cancellation);
        var backoff = Backoff(attempt);
        await Task.Delay(asked > backoff ? asked : backoff, time, cancellation);
    }

    /// <summary>Waits until another writer's change that had begun is there.</summary>
    public Task SettleAsync(CancellationToken cancellation) => Task.Delay(options.Settling, time, cancellation);

    private TimeSpan Backoff(int attempt) => options.FirstWait * Math.Pow(2, attempt - 1);

    private async Task<HttpResponseMessage> FollowAsync(Func<HttpRequestMessage> make, AuthenticationHeaderValue? shown, Patience? progress, CancellationToken cancellation)
    {
        Uri? target = null;
        for (var redirects = 0; ; redirects++)
        {
            using var request = make();
            request.RequestUri = target ?? request.RequestUri!;
            if (RegistryAddress.IsSameOrigin(Base, request.RequestUri))
                request.Headers.Authorization = shown;
            var response = await SendAsync(request, progress, cancellation);
            var isRedirect = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
            if (!isRedirect || response.Headers.Location is not { } location || request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
                return response;
            using (response)
            {
                target = new Uri(request.RequestUri, location);
                if (redirects == MaxRedirects || !RegistryAddress.MayCall(request.RequestUri, target))
                    throw RegistryFault.Strange(Place, redirects == MaxRedirects
                        ? $"redirects more than {MaxRedirects} times"
                        : $"redirects to {target.GetLeftPart(UriPartial.Authority)}, which is no https address");
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Patience? progress, CancellationToken cancellation)
    {
        using var own = progress is null ? new Patience(options.Silence, time) : null;
        var patience = progress ?? own!;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        patience.Renew();
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {options.Silence.TotalSeconds} seconds", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.NameResolutionError)
        {
            throw RegistryFault.Unreachable(Place, e);
        }
        catch (HttpRequestException e) when (e.InnerException is System.Security.Authentication.AuthenticationException tls)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault(
                "registry-certificate", $"{request.RequestUri!.Authority} has no certificate that this system trusts: {tls.Message}",
                Help: "install the issuer's certificate in the system, or name it in SSL_CERT_FILE; a registry without TLS needs --plain-http"), e);
        }
    }
}

/// <summary>Ends what is silent for too long; every byte renews it.</summary>
internal sealed class Patience(TimeSpan silence, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource source = new(silence, time);

    public CancellationToken Token => source.Token;

    public void Renew() => source.CancelAfter(silence);

    public void Dispose() => source.Dispose();
}
