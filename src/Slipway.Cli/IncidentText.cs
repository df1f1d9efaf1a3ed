using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Cli;

/// <summary>Incidents in words for people.</summary>
internal static class IncidentText
{
    public static void Tell(Shell shell, Incident incident)
    {
        shell.Out.WriteLine($"{incident.Id}: {incident.Title}");
        shell.Out.WriteLine($"opened {RolloutText.Time(incident.OpenedAt)}, {incident.Severity.Word()}, {(incident.Kind == IncidentKind.Rollback ? "rollout" : "alert")} {incident.Subject}");
        Lines(shell, "why: ", incident.Evidence.Reason);
        if (incident.Evidence.Monitoring is { } view)
            Tell(shell, view);
        if (incident.Evidence.Rollout is { } rollout)
        {
            shell.Out.WriteLine($"  {RolloutText.Title(rollout.State)}");
            shell.Out.WriteLine($"    {RolloutText.Standing(rollout.State)}");
            if (rollout.Report is { } report)
                shell.Out.WriteLine($"    {RolloutText.Evidence(report)}");
        }

        if (!incident.Evidence.Traces.IsEmpty)
            shell.Out.WriteLine($"  traces of bad requests: {string.Join(", ", incident.Evidence.Traces.Select(trace => trace.Trace))}");
        if (!incident.Evidence.Ledger.IsEmpty)
            shell.Out.WriteLine($"  latest ledger entries: {string.Join(", ", incident.Evidence.Ledger.Take(10))}");
        // Notes may follow the end: what was found out later stands where it was found out.
        foreach (var note in incident.Timeline.Where(note => incident.ClosedAt is not { } closed || note.At < closed))
            Tell(shell, note);
        if (incident.ClosedAt is not { } end)
            return;
        shell.Out.WriteLine($"{RolloutText.Time(end)}  closed{(incident.Closing is { } by ? $" by {by.ByName}" : "")}");
        Lines(shell, "cause: ", incident.Cause!);
        if (incident.Closing is { } closing)
            Lines(shell, "reason: ", closing.Reason);
        foreach (var note in incident.Timeline.Where(note => note.At >= end))
            Tell(shell, note);
    }

    private static void Tell(Shell shell, IncidentNote note)
    {
        shell.Out.WriteLine($"{RolloutText.Time(note.At)}  {note.ByName}");
        Lines(shell, "", note.Text);
    }

    /// <summary>Indented, so that no line of somebody's text can pass for one of ours.</summary>
    public static void Lines(Shell shell, string first, string text)
    {
        foreach (var (index, line) in text.Split('\n').Index())
            shell.Out.WriteLine($"  {(index == 0 ? first : new string(' ', first.Length))}{line}");
    }

    private static void Tell(Shell shell, MonitoringView view)
    {
        shell.Out.WriteLine($"  {RolloutText.Time(view.From)} to {RolloutText.Time(view.To)}, live: {(view.Live is { } live ? $"version {live.Number}" : "nothing")}");
        foreach (var version in view.Versions)
        {
            var total = version.Total;
            shell.Out.WriteLine($"    version {version.Version}: {Amounts.Count(total.Requests)} requests{Of(", bad answers ", total.ErrorRate)}{Of(", p99 in seconds ", total.Latency.GetValueOrDefault("p99"))}");
            foreach (var (metric, figure) in total.Quality)
                shell.Out.WriteLine($"      {metric} {Amounts.Interval(figure)} on {Amounts.Count(figure.N)} labels");
            foreach (var feature in version.Drift.Where(feature => feature.Verdict == DriftVerdict.Drift))
                shell.Out.WriteLine($"      {feature.Feature} has drifted{(feature.Since is { } since ? $" since {RolloutText.Time(since)}" : "")}: {Amounts.Interval(feature.Distance)}, limit {feature.Limit.ToString(CultureInfo.InvariantCulture)}");
        }

        foreach (var gateway in view.Gateways)
            shell.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    gateway {gateway.Gateway}: {gateway.Load.Cpu:0.##} of {gateway.Load.Processors} processors, {gateway.Load.InFlight} requests in flight, seen {RolloutText.Time(gateway.SeenAt)}"));
    }

    private static string Of(string before, Documents.Evaluations.Figure? figure) => figure is null ? "" : before + Amounts.Interval(figure);
}
