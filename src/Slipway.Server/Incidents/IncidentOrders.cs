using Slipway.Documents.Incidents;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Incidents;

/// <summary>What people do to incidents, each inside one change, wherever they order it.</summary>
internal sealed class IncidentOrders(IncidentChanges changes)
{
    /// <summary>Adds to the timeline.</summary>
    /// <exception cref="ApiProblem">No such incident (404), no permission to operate its model (403), no usable text (400), no room (409).</exception>
    public async Task<Incident> NoteAsync(Session session, Caller by, string id, NoteRequest request, long now)
    {
        RequireText("bad-note", "the note", request.Text);
        var incident = await RequireAsync(session, by, id, Permission.Operate);
        if (!await IncidentTable.NoteAsync(session, incident.Id, new IncidentNote(now, by.Id, by.Name, request.Text), Incident.MostNotesOfPeople))
            throw ApiProblem.Conflict("too-many-notes", $"{incident.Id} has {Incident.MostNotesOfPeople} notes or more, and people add no further ones: the rest is kept for what the server finds");
        return (await IncidentTable.FindAsync(session, incident.Id))!;
    }

    /// <summary>Closes it with its cause.</summary>
    /// <exception cref="ApiProblem">As <see cref="NoteAsync"/>, or it is closed already (409).</exception>
    public async Task<Incident> CloseAsync(Session session, Caller by, string id, CloseRequest request, long now)
    {
        RequireText("bad-cause", "the cause", request.Cause);
        var incident = await RequireAsync(session, by, id, Permission.Operate);
        return incident.ClosedAt is null ? await changes.CloseAsync(session, incident, request.Cause, by, request.Reason, now)
            : throw ApiProblem.Conflict("incident-closed", $"{incident.Id} is closed already: {incident.Cause}", "what is known since is added as a note");
    }

    /// <summary>An incident of a model that the caller may not read looks like one that is not there.</summary>
    /// <exception cref="ApiProblem">No such incident (404), or not this permission over its model (403).</exception>
    public static async Task<Incident> RequireAsync(Session session, Caller caller, string id, Permission permission = Permission.Read)
    {
        if (await IncidentTable.FindAsync(session, id) is not { } incident || !caller.May(Permission.Read, incident.Model))
            throw ApiProblem.NotThere("no-incident", $"there is no incident '{id}'", "see slipway incidents list");
        return caller.May(permission, incident.Model) ? incident
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
}
