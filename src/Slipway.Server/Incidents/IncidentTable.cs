using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Server.Storage;

namespace Slipway.Server.Incidents;

/// <summary>Every incident there was. What it was opened with is written once; notes are added, and it is closed once.</summary>
internal static class IncidentTable
{
    private const string Prefix = "inc-";

    private const string Summary = "summary AS Summary, closed_at AS ClosedAt, cause AS Cause, (SELECT COUNT(*) FROM incident_notes n WHERE n.incident = i.number) AS Notes";

    /// <summary>Such as <c>inc-000042</c>.</summary>
    public static string IdOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D6}");

    /// <returns>Null for what is no incident's id.</returns>
    public static long? NumberOf(string id) =>
        id.StartsWith(Prefix, StringComparison.Ordinal) && long.TryParse(id.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && IdOf(number) == id ? number : null;

    public static async Task<long> NextNumberAsync(Session session) => (await session.FindAsync<long?>("SELECT MAX(number) FROM incidents") ?? 0) + 1;

    /// <param name="incident">Open, and without a timeline.</param>
    public static Task AddAsync(Session session, Incident incident) => session.ExecuteAsync(
        "INSERT INTO incidents (number, model, channel, kind, subject, summary, document) VALUES (@number, @Model, @Channel, @kind, @Subject, @summary, @document)",
        new
        {
            number = NumberOf(incident.Id)!.Value,
            incident.Model,
            incident.Channel,
            kind = incident.Kind.Word(),
            incident.Subject,
            summary = StoredJson.Text(SummaryOf(incident), IncidentJson.Default.IncidentSummary),
            document = StoredJson.Text(incident, IncidentJson.Default.Incident),
        });

    /// <summary>With its timeline, and its end where there is one.</summary>
    public static async Task<Incident?> FindAsync(Session session, string id)
    {
        if (NumberOf(id) is not { } number || await session.FindAsync<Row>("SELECT document AS Document, closed_at AS ClosedAt, cause AS Cause, closing AS Closing FROM incidents WHERE number = @number", new { number }) is not { } row)
            return null;
        var notes = await session.QueryAsync<NoteRow>("SELECT note AS Note, evidence AS Evidence FROM incident_notes WHERE incident = @number ORDER BY position", new { number });
        return StoredJson.Read(row.Document, IncidentJson.Default.Incident) with
        {
            ClosedAt = row.ClosedAt,
            Cause = row.Cause,
            Closing = row.Closing is null ? null : StoredJson.Read(row.Closing, IncidentJson.Default.IncidentClosing),
            Timeline =
            [
                .. notes.Select(row => StoredJson.Read(row.Note, IncidentJson.Default.IncidentNote) with
                {
                    Evidence = row.Evidence is { } evidence ? StoredJson.Read(evidence, IncidentJson.Default.IncidentEvidence) : null,
                }),
            ],
        };
    }

    /// <summary>Newest first.</summary>
    /// <param name="models">Null for all.</param>
    /// <param name="open">Null for those that are closed too.</param>
    public static async Task<ImmutableArray<IncidentSummary>> ListAsync(Session session, IReadOnlyCollection<string>? models, bool? open, int limit)
    {
        var wanted = models?.ToArray();
        var which = (wanted is null ? "" : " AND model IN @wanted") + (open switch { true => " AND closed_at IS NULL", false => " AND closed_at IS NOT NULL", null => "" });
        if (wanted is [])
            return [];
        var rows = await session.QueryAsync<Row>($"SELECT {Summary} FROM incidents i WHERE 1 = 1{which} ORDER BY number DESC LIMIT @limit", new { wanted, limit = (long)limit });
        return [.. rows.Select(row => StoredJson.Read(row.Summary, IncidentJson.Default.IncidentSummary) with { ClosedAt = row.ClosedAt, Cause = row.Cause, Notes = (int)row.Notes })];
    }

    /// <returns>The id of the latest about a subject, open or closed; null for none.</returns>
    public static async Task<string?> FindAsync(Session session, string model, IncidentKind kind, string subject) => await session.FindAsync<long?>(
        "SELECT MAX(number) FROM incidents WHERE model = @model AND kind = @kind AND subject = @subject", new { model, kind = kind.Word(), subject }) is { } number ? IdOf(number) : null;

    public static async Task<bool> IsOpenAsync(Session session, string id) =>
        NumberOf(id) is { } number && await session.FindAsync<long>("SELECT COUNT(*) FROM incidents WHERE number = @number AND closed_at IS NULL", new { number }) > 0;

    /// <returns>False when there is no room for more.</returns>
    /// <param name="most">Notes that there may be of the incident, with this one.</param>
    public static async Task<bool> NoteAsync(Session session, string id, IncidentNote note, int most = Incident.MostNotes) => await session.ExecuteAsync(
        """
        INSERT INTO incident_notes (incident, position, note, evidence)
        SELECT @number, COALESCE(MAX(position), 0) + 1, @text, @evidence FROM incident_notes WHERE incident = @number HAVING COUNT(*) < @most
        """,
        new
        {
            number = NumberOf(id)!.Value,
            text = StoredJson.Text(note with { Evidence = null }, IncidentJson.Default.IncidentNote),
            evidence = note.Evidence is { } evidence ? StoredJson.Text(evidence, IncidentJson.Default.IncidentEvidence) : null,
            most = (long)most,
        }) > 0;

    /// <summary>Whether a further note's evidence would be kept.</summary>
    public static async Task<bool> TakesEvidenceAsync(Session session, string id) =>
        await session.FindAsync<long>("SELECT COUNT(evidence) FROM incident_notes WHERE incident = @number", new { number = NumberOf(id)!.Value }) < Incident.MostLaterEvidence;

    /// <param name="closed">With its end.</param>
    public static Task CloseAsync(Session session, Incident closed) => session.ExecuteAsync(
        "UPDATE incidents SET closed_at = @ClosedAt, cause = @Cause, closing = @closing WHERE number = @number",
        new { number = NumberOf(closed.Id)!.Value, closed.ClosedAt, closed.Cause, closing = StoredJson.Text(closed.Closing!, IncidentJson.Default.IncidentClosing) });

    private static IncidentSummary SummaryOf(Incident incident) => new(
        incident.Id, incident.Model, incident.Channel, incident.Kind, incident.Subject, incident.Title, incident.Severity, incident.OpenedAt, null, null, 0);

    private sealed record NoteRow
    {
        public string Note { get; init; } = "";

        public string? Evidence { get; init; }
    }

    private sealed record Row
    {
        public string Document { get; init; } = "";

        public string Summary { get; init; } = "";

        public long? ClosedAt { get; init; }

        public string? Cause { get; init; }

        public string? Closing { get; init; }

        public long Notes { get; init; }
    }
}
