using Slipway.Server.Api;
using Slipway.Server.Incidents;
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

    public static async Task<IncidentView> ReadAsync(PageCall call, Session session)
    {
        var incident = await IncidentOrders.RequireAsync(session, call.Caller, call.Segment("incident"));
        return new IncidentView(incident, call.Caller.May(Permission.Operate, incident.Model));
    }
}
