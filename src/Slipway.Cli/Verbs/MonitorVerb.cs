using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway monitor MODEL</c>: what a model does on a channel, by version. Exit 1 where an input of any version has drifted.</summary>
internal static class MonitorVerb
{
    public static Command Build(GlobalOptions global)
    {
        var model = new Argument<string?>("model") { Description = "The model; default: the project's", Arity = ArgumentArity.ZeroOrOne };
        var channel = new Option<string>("--channel") { Description = "staging or production", HelpName = "CHANNEL", DefaultValueFactory = _ => ReleasePlan.Production };
        var last = new Option<string?>("--last") { Description = "How far back from now, such as 15min, 1h or 7d; default: the plan's window", HelpName = "TIME" };
        var server = ServerClient.ServerOption();
        var verb = new Command("monitor", "Shows what a model does: traffic, errors, latency, drift against what was sealed, quality of labelled answers.\nExample: slipway monitor flight-delay --last 24h") { model, channel, last, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(
            global.Shell(parsed), parsed.GetValue(model), parsed.GetRequiredValue(channel), parsed.GetValue(last), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> ShowAsync(Shell shell, string? named, string channel, string? last, string? where, CancellationToken cancellation)
    {
        var model = named ?? shell.LoadSpec().Name;
        if (!Spec.IsName(model))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-model", $"'{model}' is no model's name"));
        if (ChannelName.Check(channel) is { } fault)
            throw new SlipwayException(ExitCode.UnusableInput, fault);
        using var server = ServerClient.Open(where);
        var view = await server.GetAsync($"/api/v1/models/{model}/channels/{channel}/monitoring{Span(last)}", MonitoringJson.Default.MonitoringView, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(view, MonitoringJson.Default.MonitoringView)!);
        else
            Show(shell, view);
        return (int)(view.Versions.Any(version => version.Drift.Any(IsHarmful)) ? ExitCode.BadVerdict : ExitCode.Done);
    }

    /// <summary>A shift of the outputs is shown, and is no fault by itself.</summary>
    private static bool IsHarmful(FeatureDrift drift) => drift.Verdict == DriftVerdict.Drift && !drift.IsOutput;

    private static string Span(string? last)
    {
        if (last is null)
            return "";
        return Duration.TryParse(last, out var span) && span.Seconds > 0
            ? string.Create(CultureInfo.InvariantCulture, $"?last={(long)span.Value.TotalMilliseconds}")
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-time", $"--last is '{last}', allowed is a time with its unit: s, min, h or d, such as 90s, 15min, 1h or '7 days'",
                Help: last.EndsWith('m') && Duration.TryParse(last + "in", out var minutes) && minutes.Seconds > 0 ? $"did you mean {last}in?" : null));
    }

    private static void Show(Shell shell, MonitoringView view)
    {
        shell.Out.WriteLine($"{view.Model} on {view.Channel}, {RolloutText.Time(view.From)} to {RolloutText.Time(view.To)}, windows of {Amounts.Seconds(view.Step / 1000.0)}; live: {(view.Live is { } live ? $"version {live.Number}" : "nothing")}");
        if (view.Lost > 0)
            shell.Out.WriteLine($"lost       {Amounts.Count(view.Lost)} requests were counted and could not be told");
        if (view.Versions.IsEmpty)
            shell.Out.WriteLine("no traffic");
        foreach (var version in view.Versions)
            Show(shell, view, version);
    }

    private static void Show(Shell shell, MonitoringView view, VersionMonitoring version)
    {
        var total = version.Total;
        shell.Out.WriteLine("");
        shell.Out.WriteLine($"version {version.Version}{(view.Live?.Number == version.Version ? ", live" : "")}  {version.Bundle.Short}");
        shell.Out.WriteLine($"requests   {Amounts.Count(total.Requests)}");
        if (total.ErrorRate is { } errors)
            shell.Out.WriteLine($"errors     {Ends(errors, ChartUnit.Share)}");
        if (total.Refused > 0)
            shell.Out.WriteLine($"refused    {Amounts.Count(total.Refused)} more requests had input that this version does not take");
        foreach (var (name, quantile) in total.Latency)
            shell.Out.WriteLine($"{name,-9}  {Ends(quantile, ChartUnit.Seconds)}{(quantile.Lacks is { } lacks ? $": {lacks}" : "")}");
        if (version.Drift.IsEmpty)
            shell.Out.WriteLine("drift      is not judged: no reference is sealed in this version");
        foreach (var drift in version.Drift)
            shell.Out.WriteLine($"drift      {drift.Feature + (drift.IsOutput ? " (output)" : ""),-24}  {drift.Verdict.Word(),-21}  psi {Amounts.Interval(drift.Distance)}, limit {NumberText.Short(drift.Limit, ChartUnit.Number)}{(drift.Since is { } since ? $", since {RolloutText.Time(since)}{(drift.SinceOrBefore ? " or before" : "")}" : "")}");
        if (version.Misfits > 0)
            shell.Out.WriteLine($"misfits    {Amounts.Count(version.Misfits)} profiles fit no feature of this version: another name, type or other bins");
        if (total.Labelled + total.Unlabelled > 0)
            shell.Out.WriteLine($"labels     {Amounts.Count(total.Labelled)} of {Amounts.Count(total.Labelled + total.Unlabelled)} predictions that are kept; intervals rest on {total.Basis.Word()}");
        foreach (var (name, figure) in total.Quality)
            shell.Out.WriteLine($"{name,-9}  {Amounts.Interval(figure)}{(version.SealedMetrics.TryGetValue(name, out var known) ? $", sealed {Amounts.Interval(known)}" : "")}");
    }

    /// <summary>Either end may be unknown by itself: few answers bound a quantile from below alone.</summary>
    private static string Ends(Figure figure, ChartUnit unit) => $"{NumberText.Short(figure.Value, unit)} [{End(figure.Low, unit)}, {End(figure.High, unit)}]";

    private static string End(double? value, ChartUnit unit) => value is { } known ? NumberText.Short(known, unit) : "?";
}
