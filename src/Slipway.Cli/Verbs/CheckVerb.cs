using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Slipway.Documents.Checks;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Checks;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway check</c>.</summary>
internal static class CheckVerb
{
    /// <summary>Seconds from which on a check's time is worth a look.</summary>
    private const double Slow = 0.1;

    /// <summary>Characters: the longest label is that of the expectations.</summary>
    private const int LabelWidth = 14;

    public static Command Build(GlobalOptions global)
    {
        var report = new Option<string?>("--report") { Description = "Also write junit.xml and summary.md there", HelpName = "DIR" };
        var verb = new Command("check", "The quick path for a pull request: spec, lock, expectations, stages and model, on samples of the data; seals nothing.\nExample: slipway check --report .slipway/report") { report };
        var running = new StageOptions();
        running.AddTo(verb);
        var cache = new CacheOption(mayPush: false);
        cache.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return CheckAsync(shell, shell.PathOf(parsed.GetValue(report)), clock => running.Read(parsed, shell, clock), () => cache.Place(parsed, shell, SpecOf(shell)), cancellation);
        });
        return verb;
    }

    private static async Task<int> CheckAsync(Shell shell, string? folder, Func<TimeProvider, RunOptions> asked, Func<CachePlace?> cache, CancellationToken cancellation)
    {
        if (folder is not null)
            AtomicFile.CreateFolder(folder);     // that it cannot be written is told before anything is done
        var clock = TimeProvider.System;
        var stages = asked(clock);
        using var shared = cache() is { } place ? await CacheOption.OpenAsync(shell, place, TrustOptions.Of([]).Policy, null, clock, cancellation) : null;
        using var progress = new RunProgress(shell, clock, stages.RunId, cancellation);
        var report = await progress.UntilEndAsync(new CheckRun(shell.Project, new CheckOptions { Stages = stages with { Shared = shared } }, progress.Show).RunAsync(cancellation), report => report.Exit);
        if (folder is not null)
        {
            AtomicFile.Write(Path.Combine(folder, "junit.xml"), JUnitReport.Write(report));
            AtomicFile.Write(Path.Combine(folder, "summary.md"), Encoding.UTF8.GetBytes(MarkdownSummary.Write(report)));
        }

        if (shell.Json)
            shell.WriteJson(JsonNode.Parse(report.ToJson().GetRawText())!);
        else
            Write(shell, report, folder);
        return (int)report.Exit;
    }

    /// <summary>For what it says beside the check; a spec that cannot be used is a finding of the check itself.</summary>
    private static Spec? SpecOf(Shell shell)
    {
        try
        {
            return shell.LoadSpec();
        }
        catch (SlipwayException)
        {
            return null;
        }
    }

    private static void Write(Shell shell, CheckReport report, string? folder)
    {
        var page = new TextPage(shell, LabelWidth);
        foreach (var group in report.Checks.GroupBy(check => check.Group))
        {
            var label = group.Key.Word();
            // What holds and says no more is counted: what people look for stands between.
            var told = group.Where(check => shell.Verbose || check is not { Verdict: CheckVerdict.Passed, Message: null } || check.Seconds >= Slow).ToList();
            foreach (var check in told)
            {
                Write(page, label, check);
                label = "";
            }

            if (group.Count() - told.Count is > 0 and var rest)
                page.Line(label, $"✓ {rest}{(told.Count == 0 ? "" : rest == 1 ? " other" : " others")} passed");
        }

        var counts = Enum.GetValues<CheckVerdict>().Reverse().Select(verdict => (Word: verdict.Word(), Count: report.Count(verdict))).Where(counted => counted.Count > 0);
        page.Line("verdict", $"{Mark(report.Verdict)} {report.Verdict.Word()}: {string.Join(", ", counts.Select(counted => $"{counted.Count} {counted.Word}"))}, in {Amounts.Seconds(report.Seconds)}");
        if (folder is not null)
            page.Line("report", $"{Path.Combine(folder, "junit.xml")} · {Path.Combine(folder, "summary.md")}");
    }

    private static void Write(TextPage page, string label, CheckResult check)
    {
        var seconds = check.Seconds >= Slow ? $"  {Amounts.Seconds(check.Seconds)}" : "";
        var said = check.Verdict is CheckVerdict.Failed or CheckVerdict.Error || check.Message is null ? "" : $": {check.Message}";
        page.Line(label, $"{Mark(check.Verdict)} {check.Name}{(check.Verdict == CheckVerdict.Error ? " could not be checked" : "")}{said}{seconds}");
        foreach (var fault in check.Faults)
        {
            page.Line("", "    " + fault.ToString().Replace("\n", "\n".PadRight(LabelWidth + 5)));
            if (fault.Help is { } help)
                page.Line("", "    → " + help);
        }
    }

    private static char Mark(CheckVerdict verdict) => verdict switch
    {
        CheckVerdict.Passed => '✓',
        CheckVerdict.Skipped => '·',
        CheckVerdict.Failed => '✗',
        _ => '!',
    };
}
