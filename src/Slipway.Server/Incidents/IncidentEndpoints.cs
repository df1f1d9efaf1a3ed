using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Incidents;

/// <summary>What people read of incidents, add to them, and close them with.</summary>
internal sealed class IncidentEndpoints(Database database, IncidentOrders orders, TimeProvider time)
{
    /// <summary>Incidents of one answer, and how many when nothing is said.</summary>
    private const int MostListed = 500, Listed = 100;

    private const string Path = "/api/v1/incidents", One = Path + "/{incident}";

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", Path, Permission.Read, ListAsync, AnyModel: true),
        new("GET", One, Permission.Read, ShowAsync, AnyModel: true),
        new("POST", One + "/notes", Permission.Operate, NoteAsync, AnyModel: true),
        new("POST", One + "/close", Permission.Operate, CloseAsync, AnyModel: true),
    ];

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task ListAsync(ApiCall call)
    {
        var may = call.Caller.ModelsOf(Permission.Read);
        var models = call.Query("model") is not { } model ? may : may is null || may.Contains(model) ? [model] : [];
        bool? open = call.Query("open") switch
        {
            null => null,
            "true" => true,
            "false" => false,
            var text => throw ApiProblem.Malformed("bad-request", $"open is '{text}', allowed are true and false"),
        };
        var limit = Limit(call);
        var incidents = await database.ReadAsync(
            async session =>
            {
                if (call.Query("model") is { } named)
                    await RequireReadableAsync(session, call.Caller, named);
                return await IncidentTable.ListAsync(session, models, open, limit);
            },
            call.Cancellation);
        await call.AnswerAsync(incidents, IncidentJson.Default.ImmutableArrayIncidentSummary);
    }

    /// <summary>A model that the caller may not read looks like one that is not there.</summary>
    private static async Task RequireReadableAsync(Session session, Caller caller, string model)
    {
        if (!caller.May(Permission.Read, model))
            throw ModelNames.Unknown(model, caller, await VersionTable.ModelsAsync(session));
        await ModelNames.RequireAsync(session, caller, model);
    }

    private async Task ShowAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => IncidentOrders.RequireAsync(session, call.Caller, call.Segment("incident")), call.Cancellation), IncidentJson.Default.Incident);

    private async Task NoteAsync(ApiCall call)
    {
        var request = await call.ReadAsync(IncidentJson.Default.NoteRequest);
        var incident = await database.ChangeAsync(session => orders.NoteAsync(session, call.Caller, call.Segment("incident"), request, Now), call.Cancellation);
        await call.AnswerAsync(incident, IncidentJson.Default.Incident);
    }

    private async Task CloseAsync(ApiCall call)
    {
        var request = await call.ReadAsync(IncidentJson.Default.CloseRequest);
        var closed = await database.ChangeAsync(session => orders.CloseAsync(session, call.Caller, call.Segment("incident"), request, Now), call.Cancellation);
        await call.AnswerAsync(closed, IncidentJson.Default.Incident);
    }

    private static int Limit(ApiCall call) => call.Query("limit") switch
    {
        null => Listed,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MostListed => limit,
        var text => throw ApiProblem.Malformed("bad-request", $"limit is '{text}', allowed 1 to {MostListed}"),
    };
}
