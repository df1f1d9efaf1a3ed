using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Charts;
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
        var from = new Option<string?>("--from") { Description = "Since then, in UTC, such as 2026-05-31T12:00; until now without --to", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "Until then; the hour before it without --from", HelpName = "TIME" };
        var server = ServerClient.ServerOption();
        var verb = new Command("monitor", "Shows what a model does: traffic, errors, latency, drift against what was sealed, quality of labelled answers.\nExample: slipway monitor flight-delay --last 24h") { model, channel, last, from, to, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(
            global.Shell(parsed), parsed.GetValue(model), parsed.GetRequiredValue(channel), Span(parsed.GetValue(last), parsed.GetValue(from), parsed.GetValue(to)), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> ShowAsync(Shell shell, string? named, string channel, string span, string? where, CancellationToken cancellation)
    {
        var model = named ?? shell.LoadSpec().Name;
        if (!Spec.IsName(model))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-model", $"'{model}' is no model's name"));
        if (ChannelName.Check(channel) is { } fault)
            throw new SlipwayException(ExitCode.UnusableInput, fault);
        using var server = ServerClient.Open(where);
        var view = await server.GetAsync($"/api/v1/models/{model}/channels/{channel}/monitoring{span}", MonitoringJson.Default.MonitoringView, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(view, MonitoringJson.Default.MonitoringView)!);
        else
            Show(shell, view);
        return (int)(view.Versions.Any(version => version.Drift.Any(IsHarmful)) ? ExitCode.BadVerdict : ExitCode.Done);
    }

    /// <summary>A shift of the outputs is shown, and is no fault by itself.</summary>
    private static bool IsHarmful(FeatureDrift drift) => drift.Verdict == DriftVerdict.Drift && !drift.IsOutput;

    /// <summary>As the API's query has it; empty for the plan's window.</summary>
    /// <exception cref="SlipwayException">No time, one that ends before it begins, or a span that is named twice (exit 2).</exception>
    internal static string Span(string? last, string? from, string? to)
    {
        if (last is null)
            return Span(TimeOption.Parse(from, "--from"), TimeOption.Parse(to, "--to"));
        if ((from ?? to) is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-span", $"--last stands beside {(from is null ? "--to" : "--from")}, allowed is one of the two", Help: "--last counts back from now; --from and --to name a past time"));
        return Duration.TryParse(last, out var span) && span.Seconds > 0
            ? string.Create(CultureInfo.InvariantCulture, $"?last={(long)span.Value.TotalMilliseconds}")
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-time", $"--last is '{last}', allowed is a time with its unit: s, min, h or d, such as 90s, 15min, 1h or '7 days'",
                Help: last.EndsWith('m') && Duration.TryParse(last + "in", out var minutes) && minutes.Seconds > 0 ? $"did you mean {last}in?" : null));
    }

    private static string Span(long? from, long? to) => (from, to) switch
    {
        (null, null) => "",
        ({ } begin, { } end) when begin >= end => throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-span", $"--from is {TimeText.Full(begin)}, allowed is before --to, {TimeText.Full(end)}")),
        _ => "?" + string.Join('&', new[] { ("from", from), ("to", to) }.Where(end => end.Item2 is not null).Select(end => string.Create(CultureInfo.InvariantCulture, $"{end.Item1}={end.Item2}"))),
    };

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
            shell.Out.WriteLine($"errors     {MonitorText.Errors(errors)}");
        if (total.Refused > 0)
            shell.Out.WriteLine($"refused    {Amounts.Count(total.Refused)} more requests had input that this version does not take");
        foreach (var (name, quantile) in total.Latency)
            shell.Out.WriteLine($"{name,-9}  {MonitorText.Latency(quantile)}");
        foreach (var line in MonitorText.Drift(view, version))
            shell.Out.WriteLine(line);
        if (version.Misfits > 0)
            shell.Out.WriteLine($"misfits    {Amounts.Count(version.Misfits)} profiles fit no feature of this version: another name, type or other bins");
        if (total.Labelled + total.Unlabelled > 0)
            shell.Out.WriteLine($"labels     {Amounts.Count(total.Labelled)} of {Amounts.Count(total.Labelled + total.Unlabelled)} predictions that are kept; {MonitorText.Basis(total.Basis)}");
        foreach (var (name, figure) in total.Quality)
            shell.Out.WriteLine($"{name,-9}  {Amounts.Interval(figure)}{(version.SealedMetrics.TryGetValue(name, out var known) ? $", sealed {Amounts.Interval(known)}" : "")}");
    }
}
