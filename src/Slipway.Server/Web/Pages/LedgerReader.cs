using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class LedgerReader
{
    private const int Shown = 50;

    public static async Task<LedgerView> ReadAsync(PageCall call, Session session, LedgerWriter ledger)
    {
        var filter = new LedgerFilter(Asked(call, "subject"), Asked(call, "action"), Asked(call, "actor"));
        var search = new LedgerSearch
        {
            Before = long.TryParse(call.Query("before"), NumberStyles.None, CultureInfo.InvariantCulture, out var before) ? before : null,
            Limit = Shown,
            Subject = Given(filter.Subject),
            Action = Given(filter.Action),
            Actor = Given(filter.Actor),
            Models = call.Caller.ModelsOf(Permission.Read) is { } models ? [.. models] : null,
        };
        var rows = await search.FindAsync(session);
        var head = await LedgerHead.ReadAsync(session, ledger.Verifier);
        return new LedgerView(
            [.. rows.Select(row => row.Read()).Where(record => LedgerRow.MayRead(call.Caller, record.Entry))],
            head.Checkpoint.Size, Encoding.UTF8.GetString(head.Note), ledger.Verifier.ToString(), filter, rows.Count > 0 && rows[^1].Position > 0 ? rows[^1].Position : null);
    }

    private static string Asked(PageCall call, string name) => call.Query(name)?.Trim() ?? "";

    private static string? Given(string text) => text.Length > 0 ? text : null;
}
