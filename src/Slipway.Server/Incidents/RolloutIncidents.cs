using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Server.Webhooks;

namespace Slipway.Server.Incidents;

/// <summary>What of a rollout is told beyond the ledger: events for webhooks, and an incident where it is taken back because of harm.</summary>
internal sealed class RolloutIncidents(WebhookOutbox outbox, IncidentChanges incidents)
{
    public async Task TellAsync(Session session, RolloutNews news)
    {
        var s = news.State;
        var incident = news.IsHarm
            ? await incidents.OpenAsync(session, IncidentKind.Rollback, s.Model, s.Channel, s.Id, $"version {s.Candidate.Number} of {s.Model} was taken back from {s.Channel}", news.Reason, AlertSeverity.Critical, null, news.At, s, news.Judged)
            : null;
        if (TitleOf(news) is { } title)
        {
            await outbox.SendAsync(session, news.At, outbox.Event(
                news.Action, $"rollouts/{s.Id}", news.At,
                new EventData(s.Model, s.Channel, title, news.Reason, null, null, s.Candidate.Number, incident, $"/api/v1/models/{s.Model}/channels/{s.Channel}/rollouts/{s.Id}")));
        }
    }

    /// <returns>Null for what is no event.</returns>
    private static string? TitleOf(RolloutNews news)
    {
        var (s, what) = (news.State, $"version {news.State.Candidate.Number} of {news.State.Model} on {news.State.Channel}");
        return news.Action switch
        {
            "rollout.started" => $"the rollout of {what} has started",
            "rollout.promoted" => $"{what} is live",
            "rollout.returned" => $"{s.Channel} is back at version {s.Candidate.Number} of {s.Model}",
            "rollout.rolling-back" => $"{what} is being taken back",
            "rollout.rolled-back" => $"{what} is taken back",
            "rollout.aborted" => $"the rollout of {what} was ended before it was live",
            "rollout.held" => $"the rollout of {what} waits for a person",
            _ => null,
        };
    }
}
