using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Monitoring;

/// <summary>What webhooks are sent: CloudEvents 1.0 in its structured JSON form, see <c>docs/format/events.md</c>.</summary>
/// <param name="Specversion"><c>1.0</c>.</param>
/// <param name="Id">Unique; the same at every try and for every webhook.</param>
/// <param name="Source">The channel it happened on: <c>//LEDGER/models/MODEL/channels/CHANNEL</c>, with the name of the server's ledger.</param>
/// <param name="Type">Such as <c>dev.slipway.alert.firing</c>.</param>
/// <param name="Subject">Within the source: <c>alerts/NAME</c>, <c>incidents/ID</c>, <c>rollouts/ID</c>, <c>retraining/NAME</c>.</param>
/// <param name="Time">RFC 3339, UTC.</param>
/// <param name="Datacontenttype"><c>application/json</c>.</param>
public sealed record CloudEvent(string Specversion, string Id, string Source, string Type, string Subject, string Time, string Datacontenttype, EventData Data)
{
    /// <summary>Of the HTTP body.</summary>
    public const string MediaType = "application/cloudevents+json";

    /// <summary>What every <see cref="Type"/> begins with.</summary>
    public const string TypePrefix = "dev.slipway.";
}

/// <summary>What happened, for people and programs; what an event does not have is null.</summary>
/// <param name="Title">One line.</param>
/// <param name="Reason">What was found, with its numbers.</param>
/// <param name="Remedy">What to do, as the rule has it.</param>
/// <param name="Version">That it is about: the live one, or a rollout's candidate.</param>
/// <param name="Incident">That was opened, added to, or closed.</param>
/// <param name="Path">Where it can be read, on the server: a path of its API.</param>
public sealed record EventData(
    string Model, string Channel, string Title, string Reason, AlertSeverity? Severity, string? Remedy, int? Version, string? Incident, string Path);
