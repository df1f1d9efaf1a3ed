using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>How a model is watched: the spec's <c>monitor:</c>, a part of its release plan.</summary>
/// <param name="Window">What conditions look back over, and drift is judged on: 10 s to 30 days.</param>
/// <param name="Sample">Share of the requests whose inputs and outputs are profiled, 0 to 1; all are counted.</param>
/// <param name="Labels">Null when no outcomes will be told: then nothing of single predictions is sent.</param>
/// <param name="DriftLimit">The distance (PSI) up to which a feature has not drifted: more than 0, at most 10.</param>
/// <param name="Capture">Null for none, the default: requests' contents stay in the gateway's memory.</param>
public sealed record MonitorPlan(
    Duration Window, Ratio Sample, LabelRules? Labels, double DriftLimit, ImmutableArray<AlertRule> Alerts, CaptureRules? Capture, ImmutableArray<RetrainRule> Retrain)
{
    public const double DefaultDriftLimit = 0.2, LargestDriftLimit = 10;

    /// <summary>Alerts, and retraining rules, of one plan.</summary>
    public const int MostRules = 50;

    public static Duration ShortestWindow { get; } = new(TimeSpan.FromSeconds(10));

    public static Duration LongestWindow { get; } = new(TimeSpan.FromDays(30));

    /// <summary>Where a spec says nothing: windows of an hour, a tenth of the requests profiled, no labels, no alerts.</summary>
    public static MonitorPlan Default { get; } = new(new Duration(TimeSpan.FromHours(1)), new Ratio(0.1), null, DefaultDriftLimit, [], null, []);
}

/// <param name="Within">How long after its prediction a label may come: predictions are kept so long. 1 s to 90 days.</param>
/// <param name="Sample">Share of the predictions that are kept, by hash of their id.</param>
public sealed record LabelRules(Duration Within, Ratio Sample)
{
    public static Duration LongestWithin { get; } = new(TimeSpan.FromDays(90));
}

/// <param name="Name">Unique among the plan's alerts.</param>
/// <param name="When">A condition over the figures of the plan's window, such as <c>drift.max > 0.2</c> or <c>error_rate > 0.01</c>; see the guide.</param>
/// <param name="Channel">Where it is looked at.</param>
/// <param name="For">How long the condition must hold before the alert fires, and be false before it is resolved; 0 for at once.</param>
/// <param name="Remedy">What to do: a path in the project, or an https address; null for none.</param>
public sealed record AlertRule(string Name, string When, string Channel, AlertSeverity Severity, Duration For, string? Remedy);

[JsonConverter(typeof(NamedEnum<AlertSeverity>))]
public enum AlertSeverity
{
    /// <summary>Somebody should look when they are at work.</summary>
    [JsonStringEnumMemberName("warn")] Warn,

    /// <summary>Somebody should look now.</summary>
    [JsonStringEnumMemberName("critical")] Critical,
}

public static class AlertSeverityWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this AlertSeverity severity) => NamedEnum<AlertSeverity>.Word(severity);
}

/// <param name="Share">Of the requests, by hash of their id; more than 0.</param>
/// <param name="Drop">Inputs that are left out: a request without them cannot be asked again.</param>
/// <param name="Mask">Inputs whose values are replaced by the reference's commonest: such a request can be asked again, its answer not compared with the captured one.</param>
/// <param name="Keep">How long the server keeps them: 1 min to 90 days.</param>
public sealed record CaptureRules(Ratio Share, ImmutableArray<string> Drop, ImmutableArray<string> Mask, Duration Keep);

/// <param name="Start">Name of a trigger that the server's operator has set up: a command, or a webhook. A plan names no command: whoever may push could run it.</param>
/// <param name="CoolDown">After a start, none for as long.</param>
/// <param name="AtMost">Starts in 24 hours: 1 to 24.</param>
public sealed record RetrainRule(string Name, string When, string Channel, string Start, Duration CoolDown, int AtMost);

/// <summary>What of a plan a gateway needs to know.</summary>
/// <param name="Labels">Share of the predictions to send; null for none.</param>
public sealed record RouteMonitor(Ratio Sample, Ratio? Labels, CaptureRules? Capture)
{
    public static RouteMonitor Of(MonitorPlan plan) => new(plan.Sample, plan.Labels?.Sample, plan.Capture);
}
