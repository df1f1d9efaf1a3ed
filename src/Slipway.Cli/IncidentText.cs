using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Cli;

/// <summary>Incidents in words for people, line by line.</summary>
internal static class IncidentText
{
    /// <summary>Features that are shown of an alert about drift where none is found to have drifted: those that are furthest off.</summary>
    private const int ShownFeatures = 3;

    public static IEnumerable<string> Of(Incident incident)
    {
        var evidence = incident.Evidence;
        yield return $"{incident.Id}: {incident.Title}";
        yield return $"opened {RolloutText.Time(incident.OpenedAt)}, {incident.Severity.Word()}, {(incident.Kind == IncidentKind.Rollback ? "rollout" : "alert")} {incident.Subject}";
        foreach (var line in Lines("why: ", evidence.Reason).Concat(Monitoring(evidence)))
            yield return line;
        if (evidence.Rollout is { } rollout)
        {
            yield return $"  {RolloutText.Title(rollout.State)}";
            yield return $"    {RolloutText.Standing(rollout.State)}";
            if (rollout.Report is { } report)
                yield return $"    {RolloutText.Evidence(report)}";
            if (WhyCountsDiffer(rollout, evidence.Monitoring) is { } why)
                yield return $"    {why}";
        }

        if (!evidence.Traces.IsEmpty)
            yield return $"  traces of bad requests: {string.Join(", ", evidence.Traces.Select(trace => trace.Trace))}";
        if (!evidence.Ledger.IsEmpty)
            yield return $"  latest ledger entries: {string.Join(", ", evidence.Ledger.Take(10))}";
        // Notes may follow the end: what was found out later stands where it was found out.
        foreach (var line in incident.Timeline.Where(note => incident.ClosedAt is not { } closed || note.At < closed).SelectMany(Note))
            yield return line;
        if (incident.ClosedAt is not { } end)
            yield break;
        yield return $"{RolloutText.Time(end)}  closed{(incident.Closing is { } by ? $" by {by.ByName}" : "")}";
        foreach (var line in Lines("cause: ", incident.Cause!))
            yield return line;
        foreach (var line in incident.Closing is { } closing ? Lines("reason: ", closing.Reason) : [])
            yield return line;
        foreach (var line in incident.Timeline.Where(note => note.At >= end).SelectMany(Note))
            yield return line;
    }

    /// <summary>Indented, so that no line of somebody's text can pass for one of ours.</summary>
    public static IEnumerable<string> Lines(string first, string text) =>
        text.Split('\n').Select((line, index) => $"  {(index == 0 ? first : new string(' ', first.Length))}{line}");

    private static IEnumerable<string> Note(IncidentNote note) =>
        [$"{RolloutText.Time(note.At)}  {note.ByName}", .. Lines("", note.Text), .. note.Evidence is { } again ? Monitoring(again) : []];

    private static IEnumerable<string> Monitoring(IncidentEvidence evidence)
    {
        if (evidence.Monitoring is not { } view)
            yield break;
        yield return $"  {RolloutText.Time(view.From)} to {RolloutText.Time(view.To)}, live: {(view.Live is { } live ? $"version {live.Number}" : "nothing")}";
        foreach (var version in view.Versions)
        {
            var total = version.Total;
            var errors = total.ErrorRate is { } rate ? $", errors {MonitorText.Errors(rate)}" : "";
            var late = total.Latency.TryGetValue("p99", out var p99) ? $", p99 {MonitorText.Latency(p99)}" : "";
            yield return $"    version {version.Version}: {Amounts.Count(total.Requests)} requests{errors}{late}";
            foreach (var (metric, figure) in total.Quality)
                yield return $"      {metric} {Amounts.Interval(figure)} on {Amounts.Count(figure.N)} labels";
            foreach (var feature in Drifted(version, isAsked: evidence.Reason.Contains("drift.", StringComparison.Ordinal)))
                yield return $"      {MonitorText.Drift(feature)}";
        }

        foreach (var gateway in view.Gateways)
            yield return string.Create(CultureInfo.InvariantCulture, $"    gateway {gateway.Gateway}: {gateway.Load.Cpu:0.##} of {gateway.Load.Processors} processors, {gateway.Load.InFlight} requests in flight, seen {RolloutText.Time(gateway.SeenAt)}");
    }

    /// <param name="isAsked">Whether the condition is about drift: it may compare with another limit than the verdict does.</param>
    private static IEnumerable<FeatureDrift> Drifted(VersionMonitoring version, bool isAsked)
    {
        var drifted = version.Drift.Where(feature => feature.Verdict == DriftVerdict.Drift).ToArray();
        return drifted.Length > 0 || !isAsked ? drifted
            : version.Drift.OrderBy(feature => feature.IsOutput).ThenByDescending(feature => feature.Distance.Value).Take(ShownFeatures);
    }

    /// <summary>Null where there are not two counts of the candidate.</summary>
    private static string? WhyCountsDiffer(RolloutView rollout, MonitoringView? monitoring) =>
        rollout.Report is { Evidence: { Shadow: null, Cells.IsEmpty: false } } report && monitoring?.Versions.Any(version => version.Version == rollout.State.Candidate.Number) == true
            ? $"counts may differ: the judge goes by its own events up to its decision ({RolloutText.Time(report.At)}), the windows above by what gateways had told when this opened; they tell once a second, and what was in flight is answered later"
            : null;
}
