using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Ledger;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Web.Kit;
using Slipway.Server.Web.Live;
using Slipway.Server.Web.Pages;

namespace Slipway.Server.Web;

/// <summary>The pages, and the forms on them: each form gives the order that the API's endpoint gives, with the same permission.</summary>
internal sealed class PageEndpoints : IDisposable
{
    private const string Model = "/models/{model}", Version = Model + "/versions/{number}", Channel = Model + "/channels/{channel}", Rollout = Channel + "/rollouts/{rollout}";

    private readonly Database database;
    private readonly PageAnswers answers = new();
    private readonly PageGate gate;
    private readonly SignInEndpoints signInEndpoints;
    private readonly EventStreams streams;

    public PageEndpoints(Database database, LedgerWriter ledger, SignIn signIn, PrincipalDirectory directory, RolloutOrders rollouts, IncidentOrders incidents, TimeProvider time)
    {
        this.database = database;
        var sessions = new Sessions(database, directory, time);
        streams = new EventStreams(database, sessions, time);
        gate = new PageGate(sessions, answers, time);
        signInEndpoints = new SignInEndpoints(signIn, sessions, answers);
        var orders = new PageOrders(rollouts, new Promotions(ledger, time), incidents);

        var model = Show<ModelPage, ModelView>(Model, Permission.Read, ModelReader.ReadAsync);
        var version = Show<VersionPage, VersionView>(Version, Permission.Read, VersionReader.ReadAsync);
        var rollout = Show<RolloutPage, RolloutPageView>(Rollout, Permission.Read, RolloutReader.ReadAsync);
        var incident = Show<IncidentPage, IncidentView>("/incidents/{incident}", Permission.Read, IncidentReader.ReadAsync, anyModel: true);
        Routes =
        [
            Show<OverviewPage, OverviewView>("/", Permission.SignedIn, OverviewReader.ReadAsync),
            model,
            version,
            Show<CardPage, VersionView>(Version + "/card", Permission.Read, VersionReader.ReadAsync),
            rollout,
            Show<MonitoringPage, MonitoringPageView>(Channel + "/monitoring", Permission.Read, MonitoringPageReader.ReadAsync),
            Show<AlertsPage, AlertsView>("/alerts", Permission.Read, AlertsReader.ReadAsync, anyModel: true),
            Show<IncidentsPage, IncidentsView>("/incidents", Permission.Read, IncidentReader.ListAsync, anyModel: true),
            incident,
            Form("/incidents/{incident}/note", Permission.Operate, incident, orders.NoteAsync),
            Form("/incidents/{incident}/close", Permission.Operate, incident, orders.CloseAsync),
            Show<LedgerPage, LedgerView>("/ledger", Permission.Read, (call, session) => LedgerReader.ReadAsync(call, session, ledger), anyModel: true),
            new("GET", "/events", Permission.SignedIn, streams.AnswerAsync),
            new("GET", "/ledger/{index}/proof", Permission.Read, call => LedgerEndpoints.ProofAsync(call.ForApi(), database, ledger), AnyModel: true),
            new("GET", "/ledger/checkpoint", Permission.Read, call => LedgerEndpoints.CheckpointAsync(call.ForApi(), database, ledger), AnyModel: true),
            Form(Version + "/promote", Permission.Promote, version, orders.PromoteAsync),
            Form(Version + "/vote", Permission.Approve, version, orders.VoteAsync),
            Form(Version + "/release", Permission.Operate, version, orders.ReleaseAsync),
            Form(Model + "/rollback", Permission.Operate, model, orders.RollBackAsync),
            Form(Rollout + "/pause", Permission.Operate, rollout, (call, session) => orders.TellAsync(call, session, new Pause(call.Now, call.Caller.Name, call.Reason()))),
            Form(Rollout + "/resume", Permission.Operate, rollout, (call, session) => orders.TellAsync(call, session, new Resume(call.Now, call.Caller.Name, call.Reason()))),
            Form(Rollout + "/abort", Permission.Operate, rollout, (call, session) => orders.TellAsync(call, session, new Abort(call.Now, call.Caller.Name, call.Reason()))),
            Form(Rollout + "/rollback", Permission.Operate, rollout, (call, session) => orders.TellAsync(call, session, new RollBack(call.Now, call.Caller.Name, call.Reason()))),
        ];
    }

    /// <summary>All that needs a session, and what each asks for.</summary>
    public IReadOnlyList<PageRoute> Routes { get; }

    public IEnumerable<ApiEndpoint> All() => [.. signInEndpoints.All(), .. Routes.Select(gate.Guard)];

    /// <summary>Ends the streams of open pages; to be called before the listener stops, which would wait for them.</summary>
    public void Dispose() => streams.Dispose();

    /// <summary>Shows a failure as a page, to a browser that asked for one outside the API.</summary>
    /// <returns>False where a document is what the caller reads.</returns>
    public async Task<bool> TryShowProblemAsync(HttpContext http, int status, IReadOnlyList<Fault> faults)
    {
        if (http.Request.Path.StartsWithSegments("/api") || !http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            return false;
        await answers.ShowProblemAsync(http, status, faults);
        return true;
    }

    private PageRoute Show<TPage, TModel>(string path, Permission permission, Func<PageCall, Session, Task<TModel>> read, bool anyModel = false)
        where TPage : PageOf<TModel>
        where TModel : class =>
        new("GET", path, permission, async call => await answers.ShowAsync<TPage, TModel>(call, await database.ReadAsync(session => read(call, session), call.Call.Cancellation)), anyModel);

    private PageRoute Form(string path, Permission permission, PageRoute page, FormOrder order) =>
        new("POST", path, permission, async call => PageAnswers.SendTo(call.Call.Http, await database.ChangeAsync(session => order(call, session), call.Call.Cancellation)), page.AnyModel) { Page = page };
}
