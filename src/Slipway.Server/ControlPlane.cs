using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Web;

namespace Slipway.Server;

/// <summary>The server: registry, access, rollouts and ledger behind one HTTP API.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private readonly WebApplication web;
    private readonly Database database;
    private readonly LedgerWriter ledger;
    private readonly LedgerMirror? mirror;
    private readonly RolloutControl rollouts;

    private ControlPlane(WebApplication web, Database database, LedgerWriter ledger, LedgerMirror? mirror, RolloutControl rollouts, PrincipalDirectory directory, string? adminToken) =>
        (this.web, this.database, this.ledger, this.mirror, this.rollouts, LocalGatewayToken, FirstAdminToken) = (web, database, ledger, mirror, rollouts, directory.LocalGatewayToken, adminToken);

    /// <summary>An administrator's token at the first start, or at one that asked for a new one; null otherwise. It is kept nowhere: show it.</summary>
    public string? FirstAdminToken { get; }

    /// <summary>Lets a gateway in this process call this server. It ends with the process.</summary>
    public string LocalGatewayToken { get; }

    /// <summary>Where it answers, such as <c>http://127.0.0.1:4040</c>.</summary>
    public Uri Url => new(web.Urls.First());

    /// <exception cref="SlipwayException">The port is taken, the folder or the database cannot be used (exit 3).</exception>
    public static async Task<ControlPlane> StartAsync(ServerOptions options, CancellationToken cancellation)
    {
        AtomicFile.CreateFolder(options.Folder);
        var database = await Database.OpenAsync(options.Database, Path.Combine(options.Folder, "server.db"), cancellation);
        LedgerWriter? ledger = null;
        LedgerMirror? mirror = null;
        RolloutControl? rollouts = null;
        try
        {
            ledger = await LedgerWriter.OpenAsync(database, options.LedgerKey ?? Path.Combine(options.Folder, "ledger.key"), options.Time, cancellation);
            if (options.LedgerMirror is { } copy)
                mirror = await LedgerMirror.StartAsync(database, ledger, copy, options.Log, options.Time, cancellation);
            var directory = new PrincipalDirectory(database, options.Time);
            rollouts = new RolloutControl(database, ledger, options.Time, options.Log);
            ApiEndpoint[] endpoints =
            [
                .. AccessEndpoints.All(database, ledger, options.Time),
                .. LedgerEndpoints.All(database, ledger),
                .. RegistryEndpoints.All(database, ledger, options, ChannelStates.OfAsync),
                .. rollouts.Endpoints,
                .. new PageEndpoints(database, directory, options.Time).All(),
            ];
            var web = Build(options, endpoints, directory);
            await ListenAsync(web, options, cancellation);
            // After all that may fail for an occupied port: a token that nobody saw would be lost.
            var adminToken = await FirstAdmin.OpenAsync(database, ledger, options.Time, options.NewAdminToken, cancellation);
            return new ControlPlane(web, database, ledger, mirror, rollouts, directory, adminToken);
        }
        catch
        {
            if (rollouts is not null)
                await rollouts.DisposeAsync();
            if (mirror is not null)
                await mirror.DisposeAsync();
            ledger?.Dispose();
            await database.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First, or the listener would wait for gateways that wait for news.
        await rollouts.DisposeAsync();
        await web.DisposeAsync();
        if (mirror is not null)
            await mirror.DisposeAsync();
        ledger.Dispose();
        await database.DisposeAsync();
    }

    private static WebApplication Build(ServerOptions options, ApiEndpoint[] endpoints, PrincipalDirectory directory)
    {
        // No configuration from files or variables that happen to lie about.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Address, options.Port);
        });
        var web = builder.Build();
        foreach (var endpoint in endpoints)
            web.MapMethods(endpoint.Path, [endpoint.Method], http => AnswerAsync(http, endpoint, directory));
        return web;
    }

    private static async Task ListenAsync(WebApplication web, ServerOptions options, CancellationToken cancellation)
    {
        try
        {
            await web.StartAsync(cancellation);
        }
        catch (Exception e) when (e is IOException { InnerException: AddressInUseException } or SocketException)
        {
            await web.DisposeAsync();
            throw new SlipwayException(ExitCode.NotThere, e is SocketException { SocketErrorCode: not SocketError.AddressAlreadyInUse }
                ? new Fault("cannot-listen", $"cannot listen on port {options.Port} of {options.Address}: {e.Message}", Help: "choose an address of this machine, and a port from 1024 on")
                : new Fault("port-in-use", $"port {options.Port} of {options.Address} is in use by another program", Help: "stop that program, or choose another port with --port; 0 takes any that is free"), e);
        }
    }

    private static async Task AnswerAsync(HttpContext http, ApiEndpoint endpoint, PrincipalDirectory directory)
    {
        try
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                limit.MaxRequestBodySize = endpoint.BodyLimit;
            var caller = endpoint.Permission == Permission.Anyone ? Caller.Nobody : await directory.IdentifyAsync(http);
            Authorize(endpoint, caller, (string?)http.Request.RouteValues.GetValueOrDefault("model"));
            await endpoint.Answer(new ApiCall(http, caller));
        }
        catch (ApiProblem e)
        {
            await RefuseAsync(http, e.Status, [.. e.Faults]);
        }
        catch (SlipwayException e)
        {
            await RefuseAsync(http, StatusOf(e.Exit), [.. e.Faults]);
        }
    }

    private static void Authorize(ApiEndpoint endpoint, Caller caller, string? model)
    {
        if (endpoint.AnyModel ? caller.MaySomewhere(endpoint.Permission) : caller.May(endpoint.Permission, model))
            return;
        if (caller == Caller.Nobody)
            throw new ApiProblem(StatusCodes.Status401Unauthorized, new("no-token", "this asks for a token", Help: "log in with `slipway login URL`, or set SLIPWAY_TOKEN"));
        throw new ApiProblem(StatusCodes.Status403Forbidden, new("forbidden", $"{caller.Name} may not {endpoint.Permission.ToString().ToLowerInvariant()}{(model is null ? "" : $" {model}")} here", Help: "an administrator grants roles with `slipway access grant`"));
    }

    private static int StatusOf(ExitCode exit) => exit switch
    {
        ExitCode.UnusableInput => StatusCodes.Status400BadRequest,
        ExitCode.BadVerdict => StatusCodes.Status422UnprocessableEntity,
        ExitCode.NotThere => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static async Task RefuseAsync(HttpContext http, int status, params Fault[] faults)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new ErrorDocument([.. faults]), RegistryJson.Default.ErrorDocument), http.RequestAborted);
    }
}
