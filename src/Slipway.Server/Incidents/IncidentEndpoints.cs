using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Incidents;

/// <summary>What people read of incidents, add to them, and close them with.</summary>
internal sealed class IncidentEndpoints(Database database, IncidentChanges changes, TimeProvider time)
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
        var incidents = await database.ReadAsync(session => IncidentTable.ListAsync(session, models, open, limit), call.Cancellation);
        await call.AnswerAsync(incidents, IncidentJson.Default.ImmutableArrayIncidentSummary);
    }

    private async Task ShowAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => RequireAsync(session, call, Permission.Read), call.Cancellation), IncidentJson.Default.Incident);

    private async Task NoteAsync(ApiCall call)
    {
        var text = (await call.ReadAsync(IncidentJson.Default.NoteRequest)).Text;
        RequireText("bad-note", "the note", text);
        var incident = await database.ChangeAsync(
            async session =>
            {
                var incident = await RequireAsync(session, call, Permission.Operate);
                if (!await IncidentTable.NoteAsync(session, incident.Id, new IncidentNote(Now, call.Caller.Id, call.Caller.Name, text)))
                    throw ApiProblem.Conflict("too-many-notes", $"{incident.Id} has {Incident.MostNotes} notes, which is as many as there may be");
                return (await IncidentTable.FindAsync(session, incident.Id))!;
            },
            call.Cancellation);
        await call.AnswerAsync(incident, IncidentJson.Default.Incident);
    }

    private async Task CloseAsync(ApiCall call)
    {
        var request = await call.ReadAsync(IncidentJson.Default.CloseRequest);
        RequireText("bad-cause", "the cause", request.Cause);
        var closed = await database.ChangeAsync(
            async session =>
            {
                var incident = await RequireAsync(session, call, Permission.Operate);
                return incident.ClosedAt is null ? await changes.CloseAsync(session, incident, request.Cause, call.Caller, request.Reason, Now)
                    : throw ApiProblem.Conflict("incident-closed", $"{incident.Id} is closed already: {incident.Cause}", "what is known since is added as a note");
            },
            call.Cancellation);
        await call.AnswerAsync(closed, IncidentJson.Default.Incident);
    }

    /// <summary>An incident of a model that the caller may not read looks like one that is not there.</summary>
    private static async Task<Incident> RequireAsync(Session session, ApiCall call, Permission permission)
    {
        var id = call.Segment("incident");
        if (await IncidentTable.FindAsync(session, id) is not { } incident || !call.Caller.May(Permission.Read, incident.Model))
            throw ApiProblem.NotThere("no-incident", $"there is no incident '{id}'", "see slipway incidents list");
        return call.Caller.May(permission, incident.Model) ? incident
            : throw ApiProblem.Forbidden("forbidden", $"this needs the permission to operate {incident.Model}", "an administrator grants it, with the role of an operator");
    }

    /// <summary>Several lines are fine; what steers a terminal is not.</summary>
    private static void RequireText(string code, string what, string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw ApiProblem.Malformed(code, $"{what} is empty");
        if (text.Length > Incident.LongestNote)
            throw ApiProblem.Malformed(code, $"{what} has {text.Length} characters, allowed are {Incident.LongestNote}");
        if (text.Any(c => char.IsControl(c) && c is not ('\n' or '\t')))
            throw ApiProblem.Malformed(code, $"{what} holds a control character other than line ends and tabs");
    }

    private static int Limit(ApiCall call) => call.Query("limit") switch
    {
        null => Listed,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MostListed => limit,
        var text => throw ApiProblem.Malformed("bad-request", $"limit is '{text}', allowed 1 to {MostListed}"),
    };
}
