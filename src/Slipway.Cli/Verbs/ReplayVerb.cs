using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Replay;
using Slipway.Runtime.Sandbox;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway replay INCIDENT|FILE --against REF</c>.</summary>
internal static class ReplayVerb
{
    /// <summary>Slices that the text shows: those with the largest share of differences.</summary>
    private const int ShownSlices = 8;

    public static Command Build(GlobalOptions global)
    {
        var what = new Argument<string>("what") { Description = "An incident, such as inc-000042, or a file of captured requests" };
        var against = new Option<string>("--against") { Description = "The bundle that is asked: a digest or tag of this project, MODEL@NUMBER as it is registered, or oci:DIR:TAG", HelpName = "REF", Required = true };
        var trust = new TrustOptions();
        var capture = new Option<string>("--capture-key") { Description = "Name or path of the private key that opens captured requests", HelpName = "KEY", DefaultValueFactory = _ => "capture" };
        var from = new Option<string?>("--from") { Description = "Requests since, such as 2026-05-31T12:00:00Z; default: a window before the incident", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "Requests until; default: the incident's end, or a window after its beginning", HelpName = "TIME" };
        var absolute = new Option<double?>("--absolute") { Description = $"Numbers may differ by that much; default: {Plain(Tolerance.Default.Absolute)}", HelpName = "NUMBER" };
        var relative = new Option<double?>("--relative") { Description = $"… and by that share of the larger one; default: {Plain(Tolerance.Default.Relative)}", HelpName = "SHARE" };
        var server = ServerClient.ServerOption();
        var verb = new Command("replay", "Asks a bundle what was asked in production, and compares the answers.\nExample: slipway replay inc-000042 --against flight-delay") { what, against, capture, from, to, absolute, relative, server };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return ReplayAsync(
                shell,
                new CaptureSource(parsed.GetRequiredValue(what), parsed.GetRequiredValue(capture), TimeOption.Parse(parsed.GetValue(from), "--from"), TimeOption.Parse(parsed.GetValue(to), "--to"), parsed.GetValue(server)),
                parsed.GetRequiredValue(against),
                trust.Read(parsed, shell),
                new Tolerance(NotNegative(parsed.GetValue(absolute) ?? Tolerance.Default.Absolute, "--absolute"), NotNegative(parsed.GetValue(relative) ?? Tolerance.Default.Relative, "--relative")),
                cancellation);
        });
        return verb;
    }

    private static async Task<int> ReplayAsync(Shell shell, CaptureSource source, string reference, BundleTrust trust, Tolerance tolerance, CancellationToken cancellation)
    {
        // Before the bundle is verified and its model loaded: what cannot be read need not wait for that.
        await using var captured = await source.OpenAsync(shell, cancellation);
        var opened = BundleAccess.Open(shell, await RegisteredBundle.ReferenceAsync(shell, reference, source.Server, cancellation), trust, cancellation);
        foreach (var note in opened.Notes)
            shell.Note("note: " + note);
        if (opened.Bundle is not { } bundle)
            throw new SlipwayException(ExitCode.BadVerdict, opened.Problems);
        ScratchFolder.Sweep(TimeProvider.System, shell.Note);
        using var scratch = ScratchFolder.Make();
        var model = HostedModel.Unpack(bundle, Path.Combine(scratch.Path, "bundle"), cancellation);
        var options = new HostOptions { StateFolder = Path.Combine(shell.Project.State, "hosts"), Concurrency = 1, Log = line => shell.Note(line) };
        await using var host = await ModelHost.StartAsync(model, options, cancellation);
        await host.WaitUntilReadyAsync(cancellation);
        var report = await new Replayer(host, tolerance).ReplayAsync(captured.Requests, cancellation);
        if (report.Total.Requests == 0)
            throw source.Nothing();
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(report, IncidentJson.Default.ReplayReport)!.AsObject());
        else
            Tell(shell, report);
        return (int)(report.Total.Same == report.Total.Requests ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static void Tell(Shell shell, ReplayReport report)
    {
        var total = report.Total;
        shell.Out.WriteLine($"against    {report.Model} {report.Bundle}");
        shell.Out.WriteLine(Line("requests", $"{total.Requests:N0}: {total.Same:N0} the same, {total.Different:N0} different, {total.Failed:N0} without an answer; {total.NotCompared:N0} not compared, {total.NotAsked:N0} not asked"));
        foreach (var (bundle, counts) in report.Captured)
            shell.Out.WriteLine(Line("answered", FormattableString.Invariant($"by {bundle} then: {Differing(counts)}")));
        if (report.OtherForm > 0)
            shell.Out.WriteLine(Line("other form", $"{report.OtherForm:N0} of the different: names, types or shapes of what was answered then are not this bundle's"));
        if (report.Differences.Count > 0)
            shell.Out.WriteLine(Line("difference", string.Join(", ", report.Differences.Select(quantile => FormattableString.Invariant($"{(quantile.Key == "1" ? "largest" : $"{double.Parse(quantile.Key, CultureInfo.InvariantCulture) * 100:0.#} %")} {Plain(quantile.Value)}"))) + $" (allowed {Plain(report.Tolerance.Absolute)} + {Plain(report.Tolerance.Relative)} of the larger number)"));
        foreach (var slice in report.Slices.Where(slice => slice.Different > 0).OrderByDescending(slice => (double)slice.Different / slice.Rows).ThenByDescending(slice => slice.Rows).Take(ShownSlices))
            shell.Out.WriteLine(Line("", FormattableString.Invariant($"{slice.Input} {slice.Value}: {slice.Different:N0} of {slice.Rows:N0} rows differ, by {Plain(slice.Largest)} at most")));
        foreach (var (reason, count) in report.Failures)
            shell.Out.WriteLine(Line("failed", FormattableString.Invariant($"{count:N0} times: {reason}")));
    }

    /// <summary>What was not compared is neither the same nor different.</summary>
    internal static string Differing(ReplayCounts counts)
    {
        var judged = counts.Same + counts.Different + counts.Failed;
        return judged == 0 ? FormattableString.Invariant($"none of {counts.Requests:N0} could be compared, so nothing is known")
            : FormattableString.Invariant($"{counts.Different + counts.Failed:N0} of {judged:N0} differ") + (judged < counts.Requests ? FormattableString.Invariant($"; {counts.Requests - judged:N0} could not be compared") : "");
    }

    /// <summary>With four significant digits, and no exponent: 0.000001.</summary>
    internal static string Plain(double number) =>
        double.Parse(number.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("0.##############################", CultureInfo.InvariantCulture);

    private static string Line(string name, FormattableString text) => Line(name, FormattableString.Invariant(text));

    private static string Line(string name, string text) => name.PadRight(11) + text;

    private static double NotNegative(double number, string option) => number >= 0 && double.IsFinite(number) ? number
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-tolerance", FormattableString.Invariant($"{option} is {number}, allowed 0 or more")));
}
