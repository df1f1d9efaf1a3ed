using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Incidents;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Server.Webhooks;

namespace Slipway.Server.Alerting;

/// <summary>Carries out what <see cref="AlertCourse.Decide"/> says, wholly inside the caller's change: incident, ledger, events and the alert's state.</summary>
internal sealed class AlertChanges(LedgerWriter ledger, WebhookOutbox outbox, IncidentChanges incidents)
{
    /// <summary>An alert that fires again so soon after it last did is the same incident, while that is open.</summary>
    private static readonly TimeSpan SameIncident = TimeSpan.FromHours(1);

    /// <param name="before">As it was stored; null for a new one.</param>
    /// <param name="version">The live one; null for none.</param>
    /// <returns>A sentence for the log; null where nothing is to be told.</returns>
    public async Task<string?> StoreAsync(Session session, AlertMemory? before, AlertMemory after, AlertAction action, int? version, long now)
    {
        switch (action)
        {
            case AlertAction.Fire:
                var incident = await IncidentOfAsync(session, before, after.Alert, now);
                after = after with { Alert = after.Alert with { Incident = incident } };
                await TellAsync(session, after.Alert, "alert.firing", $"{after.Alert.Rule.Name} fires", version, now);
                break;
            case AlertAction.Resolve:
                await ResolveAsync(session, after.Alert, version, now);
                break;
        }

        await AlertTable.SaveAsync(session, after);
        return action == AlertAction.None ? null : $"{after.Alert.Model} {after.Alert.Channel}: alert {after.Alert.Rule.Name} is {after.Alert.State.Word()}: {after.Alert.Reason}";
    }

    /// <summary>Ends the alert of a rule that the plan does not have any more.</summary>
    /// <returns>As <see cref="StoreAsync"/>.</returns>
    public async Task<string?> EndAsync(Session session, AlertMemory memory, long now)
    {
        await AlertTable.RemoveAsync(session, memory.Alert);
        if (memory.Alert.State != AlertState.Firing)
            return null;
        var ended = memory.Alert with { State = AlertState.Resolved, Reason = "the plan has no such rule any more" };
        await ResolveAsync(session, ended, null, now);
        return $"{ended.Model} {ended.Channel}: alert {ended.Rule.Name} ends: {ended.Reason}";
    }

    private async Task ResolveAsync(Session session, Alert alert, int? version, long now)
    {
        if (alert.Incident is { } open && await IncidentTable.IsOpenAsync(session, open))
            await incidents.NoteAsync(session, open, $"the alert is resolved: {alert.Reason}", now);
        await TellAsync(session, alert, "alert.resolved", $"{alert.Rule.Name} is resolved", version, now);
    }

    private async Task<string> IncidentOfAsync(Session session, AlertMemory? before, Alert alert, long now)
    {
        if (before?.FiredAt is { } last && now - last <= SameIncident.TotalMilliseconds && alert.Incident is { } known && await IncidentTable.IsOpenAsync(session, known)
            && await incidents.FiresAgainAsync(session, known, alert.Model, alert.Channel, alert.Reason, now))
            return known;

        return await incidents.OpenAsync(
            session, IncidentKind.Alert, alert.Model, alert.Channel, alert.Rule.Name, $"alert fired for {alert.Model} on {alert.Channel}: {alert.Rule.Name}", alert.Reason, alert.Rule.Severity, alert.Rule.Remedy, now);
    }

    private async Task TellAsync(Session session, Alert alert, string action, string title, int? version, long now)
    {
        ImmutableArray<LedgerSubject> subjects = [LedgerSubject.OfChannel(alert.Model, alert.Channel), new($"models/{alert.Model}/alerts/{alert.Rule.Name}", null)];
        await ledger.RecordAsync(session, LedgerWriter.Server, action, subjects, alert.Reason);
        await outbox.SendAsync(session, now, outbox.Event(
            action, $"alerts/{alert.Rule.Name}", now,
            new EventData(alert.Model, alert.Channel, $"{title} for {alert.Model} on {alert.Channel}", alert.Reason, alert.Rule.Severity, alert.Rule.Remedy, version, alert.Incident, $"/api/v1/models/{alert.Model}/alerts")));
    }
}
