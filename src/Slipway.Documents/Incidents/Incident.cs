using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Incidents;

/// <summary>Something went wrong in production: what was known when it was noticed, what people found, and in the end why.</summary>
/// <param name="Id">Such as <c>inc-000042</c>.</param>
/// <param name="Subject">The alert's name, or the rollout's id.</param>
/// <param name="Title">One line.</param>
/// <param name="ClosedAt">Null while it is open, and so <paramref name="Cause"/>.</param>
/// <param name="Timeline">Oldest first.</param>
public sealed record Incident(
    string Id, string Model, string Channel, IncidentKind Kind, string Subject, string Title, AlertSeverity Severity, long OpenedAt, long? ClosedAt, string? Cause, IncidentEvidence Evidence, ImmutableArray<IncidentNote> Timeline)
{
    public const int MostNotes = 1_000, LongestNote = 4_000;

    /// <summary>Notes beyond which people add no more: the server's own find room for as long as an alert is likely to flap.</summary>
    public const int MostNotesOfPeople = 800;

    /// <summary>Notes of one incident that hold evidence of their own, each some 200 KiB: an alert may fire again every few seconds for an hour.</summary>
    public const int MostLaterEvidence = 4;

    /// <summary>Null while it is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IncidentClosing? Closing { get; init; }
}

/// <param name="By">Principal's id.</param>
/// <param name="Reason">Why it was closed then.</param>
public sealed record IncidentClosing(string By, string ByName, string Reason);

/// <summary>An incident in a list, without its evidence.</summary>
/// <param name="Notes">How many there are.</param>
public sealed record IncidentSummary(
    string Id, string Model, string Channel, IncidentKind Kind, string Subject, string Title, AlertSeverity Severity, long OpenedAt, long? ClosedAt, string? Cause, int Notes);

[JsonConverter(typeof(NamedEnum<IncidentKind>))]
public enum IncidentKind
{
    [JsonStringEnumMemberName("alert")] Alert,

    /// <summary>A rollout was taken back because of harm.</summary>
    [JsonStringEnumMemberName("rollback")] Rollback,
}

/// <summary>What was known at the moment it was opened; it does not change any more.</summary>
/// <param name="Reason">What the condition or the judge found, with its numbers.</param>
/// <param name="Monitoring">The window before: versions, drift, quality, and the gateways' load; null where nothing was told.</param>
/// <param name="Rollout">The rollout then, with its judgement; null where none ran.</param>
/// <param name="Ledger">Indexes of the latest ledger entries about this model's channel, newest first.</param>
/// <param name="Traces">Of bad requests just before.</param>
public sealed record IncidentEvidence(string Reason, MonitoringView? Monitoring, RolloutView? Rollout, ImmutableArray<long> Ledger, ImmutableArray<Exemplar> Traces);

/// <param name="By">Principal's id; the server's own where it noted something, such as an alert that fired again.</param>
public sealed record IncidentNote(long At, string By, string ByName, string Text)
{
    /// <summary>What was known when an alert fired again, of the first <see cref="Incident.MostLaterEvidence"/> times; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IncidentEvidence? Evidence { get; init; }
}

/// <summary>Adds to an incident's timeline.</summary>
public sealed record NoteRequest(string Text);

/// <param name="Cause">What it was: one line or more.</param>
public sealed record CloseRequest(string Cause, string Reason) : IChangeRequest;

public static class IncidentKindWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this IncidentKind kind) => NamedEnum<IncidentKind>.Word(kind);
}
