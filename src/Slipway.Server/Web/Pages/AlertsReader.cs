using Slipway.Documents.Monitoring;
using Slipway.Server.Alerting;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class AlertsReader
{
    public static async Task<AlertsView> ReadAsync(PageCall call, Session session) => new(
    [
        .. (await AlertTable.ListAsync(session)).Select(memory => memory.Alert).Where(alert => call.Caller.May(Permission.Read, alert.Model))
            .OrderBy(alert => Rank(alert.State)).ThenByDescending(alert => alert.Rule.Severity).ThenByDescending(alert => alert.Since),
    ]);

    public static int Rank(AlertState state) => state switch
    {
        AlertState.Firing => 0,
        AlertState.Pending => 1,
        AlertState.InsufficientEvidence => 2,
        AlertState.Resolved => 3,
        _ => 4,
    };
}
