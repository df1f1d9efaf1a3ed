using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class IncidentReader
{
    /// <summary>Newest first; the command line lists more.</summary>
    public const int Shown = 100;

    public static async Task<IncidentsView> ListAsync(PageCall call, Session session)
    {
        var onlyOpen = call.Query("open") == "true";
        return new IncidentsView(await IncidentTable.ListAsync(session, call.Caller.ModelsOf(Permission.Read), onlyOpen ? true : null, Shown), onlyOpen);
    }

    /// <summary>Milliseconds after it opened: what was in flight then is answered and told, and how things went on is seen.</summary>
    private const long Afterwards = 2 * 60_000;

    /// <summary>Milliseconds before it opened, where no window was kept with it.</summary>
    private const long Before = 10 * 60_000;

    public static async Task<IncidentView> ReadAsync(PageCall call, Session session)
    {
        var incident = await IncidentOrders.RequireAsync(session, call.Caller, call.Segment("incident"));
        return new IncidentView(incident, call.Caller.May(Permission.Operate, incident.Model), call.Now, await ByNowAsync(session, incident));
    }

    private static async Task<MonitoringView?> ByNowAsync(Session session, Incident incident)
    {
        var view = await MonitoringReader.ReadAsync(
            session, incident.Model, incident.Channel, incident.Evidence.Monitoring?.From ?? incident.OpenedAt - Before, incident.OpenedAt + Afterwards, null);
        return view.Versions.IsEmpty ? null : view;
    }
}
