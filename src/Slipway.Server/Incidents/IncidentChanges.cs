using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Server.Webhooks;

namespace Slipway.Server.Incidents;

/// <summary>Opens incidents, adds to them and closes them, each wholly inside the caller's change.</summary>
internal sealed class IncidentChanges(LedgerWriter ledger, WebhookOutbox outbox, EvidenceReader evidence)
{
    /// <summary>Opens an incident with what is known now.</summary>
    /// <param name="rollout">Of a rollback.</param>
    /// <returns>Its id.</returns>
    public async Task<string> OpenAsync(
        Session session, IncidentKind kind, string model, string channel, string subject, string title, string reason, AlertSeverity severity, string? remedy, long now, RolloutState? rollout = null, JudgeReport? judged = null)
    {
        var known = await evidence.ReadAsync(session, model, channel, reason, now, rollout?.Id, judged);
        var incident = new Incident(IncidentTable.IdOf(await IncidentTable.NextNumberAsync(session)), model, channel, kind, subject, title, severity, now, null, null, known, []);
        await IncidentTable.AddAsync(session, incident);
        await ledger.RecordAsync(session, LedgerWriter.Server, "incident.opened", Subjects(incident), reason);
        await SendAsync(session, "incident.opened", incident, reason, remedy, rollout?.Candidate.Number ?? VersionOf(incident), now);
        return incident.Id;
    }

    /// <summary>Adds a sentence of the server's own to the timeline.</summary>
    /// <returns>False where there is no room any more.</returns>
    public Task<bool> NoteAsync(Session session, string id, string text, long now, IncidentEvidence? known = null) =>
        IncidentTable.NoteAsync(session, id, new IncidentNote(now, LedgerWriter.Server.Id, LedgerWriter.Server.Name, text.Length > Incident.LongestNote ? text[..Incident.LongestNote] : text) { Evidence = known });

    /// <summary>Notes that an alert fires again, with what is known now: another feature may have made it fire than before.</summary>
    /// <returns>False where there is no room for it any more.</returns>
    public async Task<bool> FiresAgainAsync(Session session, string id, string model, string channel, string reason, long now) =>
        await NoteAsync(session, id, $"the alert fires again: {reason}", now, await IncidentTable.TakesEvidenceAsync(session, id) ? await evidence.ReadAsync(session, model, channel, reason, now) : null);

    /// <summary>Closes an open incident with its cause.</summary>
    public async Task<Incident> CloseAsync(Session session, Incident incident, string cause, Caller by, string reason, long now)
    {
        var closed = incident with { ClosedAt = now, Cause = cause, Closing = new IncidentClosing(by.Id, by.Name, reason) };
        await IncidentTable.CloseAsync(session, closed);
        await ledger.RecordAsync(session, by, "incident.closed", Subjects(incident), reason);
        await SendAsync(session, "incident.closed", closed, cause, null, VersionOf(incident), now);
        return closed;
    }

    /// <summary>What it is about: the candidate of a rollout that was taken back, else what was live when it was opened.</summary>
    private static int? VersionOf(Incident incident) =>
        (incident.Kind == IncidentKind.Rollback ? incident.Evidence.Rollout?.State.Candidate.Number : null) ?? incident.Evidence.Monitoring?.Live?.Number;

    private Task SendAsync(Session session, string type, Incident incident, string reason, string? remedy, int? version, long now) => outbox.SendAsync(session, now, outbox.Event(
        type, $"incidents/{incident.Id}", now,
        new EventData(incident.Model, incident.Channel, incident.Title, reason, incident.Severity, remedy, version, incident.Id, $"/api/v1/incidents/{incident.Id}")));

    /// <summary>By the digest of what it was opened with: that it is unchanged can be checked.</summary>
    private static ImmutableArray<LedgerSubject> Subjects(Incident incident) =>
    [
        LedgerSubject.OfChannel(incident.Model, incident.Channel),
        new($"models/{incident.Model}/incidents/{incident.Id}", Digest.Of(CanonicalJson.Serialize(incident with { Timeline = [], ClosedAt = null, Cause = null, Closing = null }, IncidentJson.Default.Incident))),
    ];
}
