using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Server.Access;
using Slipway.Server.Alerting;
using Slipway.Server.Api;
using Slipway.Server.Captures;
using Slipway.Server.Incidents;
using Slipway.Server.Ledger;
using Slipway.Server.Listening;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Web;
using Slipway.Server.Webhooks;

namespace Slipway.Server;

/// <summary>The server: registry, access, rollouts and ledger behind one HTTP API.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    /// <summary>What runs, in the order in which it was started; it is stopped the other way round.</summary>
    private readonly List<object> parts = [];

    private ApiListener listener = null!;
    private PrincipalDirectory directory = null!;

    private ControlPlane()
    {
    }

    /// <summary>An administrator's token at the first start, or at one that asked for a new one; null otherwise. It is kept nowhere: show it.</summary>
    public string? FirstAdminToken { get; private set; }

    /// <summary>Lets a gateway in this process call this server. It ends with the process.</summary>
    public string LocalGatewayToken => directory.LocalGatewayToken;

    /// <summary>Where it answers, such as <c>http://127.0.0.1:4040</c>.</summary>
    public Uri Url => listener.Url;

    /// <summary>What is answered, and what each asks of its caller.</summary>
    internal IReadOnlyList<ApiEndpoint> Endpoints { get; private set; } = [];

    /// <summary>What browsers that are signed in are answered, and what each page or form asks of who looks at it.</summary>
    internal IReadOnlyList<PageRoute> Pages { get; private set; } = [];

    /// <exception cref="SlipwayException">The port is taken, the folder or the database cannot be used, or another server uses the folder (exit 3).</exception>
    public static async Task<ControlPlane> StartAsync(ServerOptions options, CancellationToken cancellation)
    {
        var plane = new ControlPlane();
        try
        {
            await plane.OpenAsync(options, cancellation);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(parts))
        {
            if (part is IAsyncDisposable slow)
                await slow.DisposeAsync();
            else
                ((IDisposable)part).Dispose();
        }

        parts.Clear();
    }

    private async Task OpenAsync(ServerOptions options, CancellationToken cancellation)
    {
        AtomicFile.CreatePrivateFolder(options.Folder);
        // An SQLite file has one server. Servers that share PostgreSQL share the folder too: bundles and the ledger's key lie in it.
        if (options.Database is null)
        {
            Keep(FolderLock.TryTake(Path.Combine(options.Folder, "server.lock"))
                ?? throw new SlipwayException(ExitCode.NotThere, new Fault("folder-in-use", $"another server uses {options.Folder}", options.Folder, Help: "it is running already; stop it, or name another folder with --folder")));
        }

        var database = Keep(await Database.OpenAsync(options.Database, Path.Combine(options.Folder, "server.db"), cancellation));
        var ledger = Keep(await LedgerWriter.OpenAsync(database, options.LedgerKey ?? Path.Combine(options.Folder, "ledger.key"), options.Time, cancellation));
        if (options.LedgerMirror is { } copy)
            Keep(await LedgerMirror.StartAsync(database, ledger, copy, options.Log, options.Time, cancellation));
        directory = Keep(new PrincipalDirectory(database, ledger, options));
        var signIn = new SignIn(directory, options.Time);
        var webhookKey = await WebhookKey.OpenAsync(database, Path.Combine(options.Folder, "webhooks.key"), cancellation);
        var outbox = new WebhookOutbox(ledger.Verifier.Name);
        var incidents = new IncidentChanges(ledger, outbox, new EvidenceReader(MonitoringReader.LastAsync, options.Log));
        var rollouts = new RolloutControl(database, ledger, options, new RolloutIncidents(outbox, incidents).TellAsync);
        var retraining = new RetrainChanges(ledger, outbox, options.Triggers);
        foreach (var lack in await database.ReadAsync(retraining.LacksAsync, cancellation))
            options.Log("warning: " + lack);
        var pages = new PageEndpoints(database, ledger, signIn, directory, rollouts.Orders, new IncidentOrders(incidents), options.Time);
        var monitoring = new MonitoringControl(database, options);
        Endpoints =
        [
            .. new HealthEndpoints(database).All(),
            .. AccessEndpoints.All(database, ledger, options.Time),
            .. LedgerEndpoints.All(database, ledger),
            .. RegistryEndpoints.All(database, ledger, options, ChannelStates.OfAsync, DesiredStateTable.DeriveAllAsync),
            .. rollouts.Endpoints,
            .. new WebhookEndpoints(database, ledger, webhookKey, options.Time).All(),
            .. new IncidentEndpoints(database, new IncidentOrders(incidents), options.Time).All(),
            .. new AlertEndpoints(database).All(),
            .. new CaptureEndpoints(database, ledger, options.Time).All(),
            .. monitoring.Endpoints,
            .. pages.All(),
        ];
        Pages = pages.Routes;
        listener = Keep(new ApiListener(options, Endpoints, signIn.ByHeaderAsync, pages.TryShowProblemAsync));
        // Stopped before the listener, which would wait for gateways that wait for news.
        Keep(pages);
        Keep(rollouts);
        Keep(monitoring);
        await listener.StartAsync(cancellation);
        Keep(new WebhookDriver(database, new WebhookSender(webhookKey, options.Time), options.Database is null, options.Time, options.Log));
        Keep(new AlertDriver(database, new AlertPass(MonitoringReader.LastAsync, new AlertChanges(ledger, outbox, incidents), retraining), new CommandRunner(database, retraining, options, () => Url), options));
        // After all that may fail for an occupied port: a token that nobody saw would be lost.
        FirstAdminToken = await FirstAdmin.OpenAsync(database, ledger, options.Time, options.NewAdminToken, cancellation);
    }

    private T Keep<T>(T part)
        where T : class
    {
        parts.Add(part);
        return part;
    }
}
