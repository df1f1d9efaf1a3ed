using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Listening;

/// <summary>Answers the table of endpoints over HTTP/1.1: who may not is refused before anything is read, and every failure is an error document.</summary>
internal sealed class ApiListener : IAsyncDisposable
{
    /// <summary>A process has some 20,000 descriptors; files and the database need theirs. One more is closed at once.</summary>
    private const int MostConnections = 10_000;

    /// <summary>Read ahead for one connection, bytes: with <see cref="MostConnections"/> at most 1.3 GB, whatever they send.</summary>
    private const int ReadAhead = 128 * 1024;

    /// <summary>Bytes of all headers of a request: a token of 16 KiB, and as much beside it.</summary>
    private const int LargestHeaders = 32 * 1024;

    /// <summary>Who has not said in that time what they want, wants to hold a connection.</summary>
    private static readonly TimeSpan HeaderPatience = TimeSpan.FromSeconds(10);

    /// <summary>Without a request; clients that keep connections for a minute drop them first.</summary>
    private static readonly TimeSpan IdlePatience = TimeSpan.FromSeconds(90);

    /// <summary>Slower bodies and readers are cut off, after the grace time.</summary>
    private static readonly MinDataRate Slowest = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    /// <summary>Requests in flight may end in that time when the server stops.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly WebApplication web;
    private readonly Func<HttpContext, Task<Caller>> identify;
    private readonly Func<HttpContext, int, IReadOnlyList<Fault>, Task<bool>> showProblem;
    private readonly HostNames names;
    private readonly Action<string> log;

    /// <param name="identify">Who calls; throws an <see cref="ApiProblem"/> for a token that proves nothing.</param>
    /// <param name="showProblem">Shows a failure as a page; false where a document is what the caller reads.</param>
    public ApiListener(ServerOptions options, IReadOnlyList<ApiEndpoint> endpoints, Func<HttpContext, Task<Caller>> identify, Func<HttpContext, int, IReadOnlyList<Fault>, Task<bool>> showProblem)
    {
        (this.identify, this.showProblem, log) = (identify, showProblem, options.Log);
        names = new HostNames(options);
        // No configuration from files or variables that happen to lie about.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBufferSize = ReadAhead;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
            kestrel.Limits.RequestHeadersTimeout = HeaderPatience;
            kestrel.Limits.KeepAliveTimeout = IdlePatience;
            kestrel.Limits.MinRequestBodyDataRate = Slowest;
            kestrel.Limits.MinResponseDataRate = Slowest;
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => FirstWord.AwaitAsync(connection, next, HeaderPatience, options.Time));
            });
        });
        web = builder.Build();
        web.Use(SurroundAsync);
        foreach (var endpoint in endpoints)
            web.MapMethods(endpoint.Path, MethodsOf(endpoint, endpoints), http => AnswerAsync(http, endpoint));
    }

    public Uri Url => new(web.Urls.First());

    /// <exception cref="SlipwayException">The port is taken, or may not be (exit 3).</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        try
        {
            await web.StartAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("port-taken", $"cannot listen: {e.Message}", Help: "say another --port; 0 takes a free one"), e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await web.StopAsync(patience.Token);
        await web.DisposeAsync();
    }

    /// <summary>What can be read can be asked about; where that is a question of its own, it has its own endpoint.</summary>
    private static string[] MethodsOf(ApiEndpoint endpoint, IReadOnlyList<ApiEndpoint> all) =>
        endpoint.Method == HttpMethods.Get && !all.Any(other => other.Method == HttpMethods.Head && other.Path == endpoint.Path) ? [HttpMethods.Get, HttpMethods.Head] : [endpoint.Method];

    private async Task SurroundAsync(HttpContext http, RequestDelegate next)
    {
        http.Features.Get<FirstWord>()?.Say();
        ErrorAnswer.Guard(http.Response);
        try
        {
            names.Check(http.Request.Host);
            await next(http);
            if (http.Response.StatusCode == StatusCodes.Status404NotFound && http.GetEndpoint() is null)
                throw ApiProblem.NotThere("no-such-path", $"there is nothing at {http.Request.Path}", "see docs/guide/release.md, access.md and promotion.md for the API");
            if (http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && !http.Response.HasStarted)
                await RefuseAsync(http, StatusCodes.Status405MethodNotAllowed, new Fault("no-such-method", $"{http.Request.Path} takes {http.Response.Headers.Allow}, not {http.Request.Method}"));
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
            http.Abort();
        }
        catch (ApiProblem e)
        {
            await RefuseAsync(http, e.Status, [.. e.Faults]);
        }
        catch (SlipwayException e)
        {
            await RefuseAsync(http, ErrorAnswer.StatusOf(e.Exit), [.. e.Faults]);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            await RefuseAsync(http, e.StatusCode, new Fault(e.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too-large" : "bad-request", e.Message.TrimEnd('.')));
        }
        catch (Exception e)
        {
            log($"slipway has a bug, in {http.Request.Method} {http.Request.Path}: {e}");
            await RefuseAsync(http, StatusCodes.Status500InternalServerError, new Fault("bug", "the server has a bug; its log says more", Help: "please report it with the server's log"));
        }
    }

    private async Task RefuseAsync(HttpContext http, int status, params Fault[] faults)
    {
        if (ErrorAnswer.TryClear(http) && !await showProblem(http, status, faults))
            await ErrorAnswer.WriteAsync(http, status, faults);
    }

    private async Task AnswerAsync(HttpContext http, ApiEndpoint endpoint)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = endpoint.BodyLimit;
        var caller = endpoint.Permission == Permission.Anyone ? Caller.Nobody : await identify(http);
        var model = (string?)http.Request.RouteValues.GetValueOrDefault("model");
        Authorize(endpoint, caller, model);
        if (model is not null && !Spec.IsName(model))
            throw ApiProblem.Malformed("bad-name", "the path names no model: a name is a lower-case letter, then up to 62 lower-case letters, digits, - and _");
        await endpoint.Answer(new ApiCall(http, caller));
    }

    private static void Authorize(ApiEndpoint endpoint, Caller caller, string? model)
    {
        if (endpoint.AnyModel ? caller.MaySomewhere(endpoint.Permission) : caller.May(endpoint.Permission, model))
            return;
        if (caller == Caller.Nobody)
            throw ApiProblem.Unproven("no-token", "this asks for a token", "log in with `slipway login URL`, or set SLIPWAY_TOKEN");
        throw ApiProblem.Forbidden("forbidden", $"{caller.Name} may not {endpoint.Permission.ToString().ToLowerInvariant()}{(model is null ? "" : $" {model}")} here", "an administrator grants roles with `slipway access grant`");
    }
}
