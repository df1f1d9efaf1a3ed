using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Monitoring;

/// <summary>An alert rule of a model's plan and how it stands.</summary>
/// <param name="Since">When it came into this state, Unix milliseconds.</param>
/// <param name="LookedAt">When the condition was last judged.</param>
/// <param name="Reason">What the condition found, with its numbers.</param>
/// <param name="Incident">The incident that it opened last; null for none.</param>
public sealed record Alert(string Model, string Channel, AlertRule Rule, AlertState State, long Since, long LookedAt, string Reason, string? Incident);

[JsonConverter(typeof(NamedEnum<AlertState>))]
public enum AlertState
{
    /// <summary>The condition could not be judged: too little traffic, no labels, no reference. Neither well nor not.</summary>
    [JsonStringEnumMemberName("insufficient-evidence")] InsufficientEvidence,

    /// <summary>The condition is false.</summary>
    [JsonStringEnumMemberName("inactive")] Inactive,

    /// <summary>The condition is true, and was not for long enough yet.</summary>
    [JsonStringEnumMemberName("pending")] Pending,

    [JsonStringEnumMemberName("firing")] Firing,

    /// <summary>It fired, and the condition has been false for long enough since.</summary>
    [JsonStringEnumMemberName("resolved")] Resolved,
}

public static class AlertStateWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this AlertState state) => NamedEnum<AlertState>.Word(state);
}
