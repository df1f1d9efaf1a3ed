using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Checks;

/// <summary>A check as Markdown (GitHub Flavored Markdown, as GitLab reads it too) for a comment on a pull request: the verdict first, what is wrong, the rest folded.</summary>
/// <remarks>Names and messages hold others' text (a pull request's own, say): none of it becomes mark-up, HTML, a link or the mention of a person.</remarks>
public static class MarkdownSummary
{
    /// <summary>Characters; a comment holds at most 65,536 on GitHub, and is refused beyond.</summary>
    private const int Longest = 60_000;

    /// <summary>What CommonMark or an extension of it acts on.</summary>
    private static readonly FrozenSet<int> Active = @"\`*_{}[]<>|""'/:^=".Select(c => (int)c).ToFrozenSet();

    /// <summary>Characters of one message.</summary>
    private const int LongestMessage = 2_000;

    public static string Write(CheckReport report)
    {
        var text = new StringBuilder();
        var of = report.Project is { } name ? $" of {Escaped(name)}" : "";
        text.Append("### ").Append(Mark(report.Verdict)).Append(" slipway check").Append(of).Append(": ").Append(report.Verdict.Word()).Append("\n\n");
        text.Append(Counted(report)).Append(", in ").Append(Seconds(report.Seconds))
            .Append(". Stages ran on samples of the data: figures are no statement about the model, and gates are not judged.\n");
        Table(text, report.Checks.Where(check => check.Verdict is CheckVerdict.Failed or CheckVerdict.Error));
        foreach (var check in report.Checks.Where(check => !check.Faults.IsEmpty))
            Faults(text, check);
        Folded(text, "All checks", () => Table(text, report.Checks));
        if (!report.Stages.IsEmpty)
            Folded(text, "Stages", () => Stages(text, report));
        if (!report.Samples.IsEmpty)
            Folded(text, "Samples", () => Samples(text, report));
        return text.Length <= Longest ? text.ToString() : Cut(text);
    }

    private static string Counted(CheckReport report) => string.Join(
        ", ",
        Enum.GetValues<CheckVerdict>().Reverse()
            .Select(verdict => (Verdict: verdict, Count: report.Count(verdict)))
            .Where(counted => counted.Count > 0)
            .Select(counted => $"{counted.Count} {Words(counted.Verdict)}"));

    private static string Words(CheckVerdict verdict) => verdict == CheckVerdict.Error ? "could not be checked" : verdict.Word();

    private static void Table(StringBuilder text, IEnumerable<CheckResult> checks)
    {
        var rows = checks.ToList();
        if (rows.Count == 0)
            return;
        text.Append("\n| | check | found | seconds |\n| --- | --- | --- | ---: |\n");
        foreach (var check in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Mark(check.Verdict)} {check.Verdict.Word()} | {check.Group.Word()}: {Escaped(check.Name)} ");
            text.Append(CultureInfo.InvariantCulture, $"| {Escaped(FirstLine(check.Message ?? ""))} | {check.Seconds:0.00} |\n");
        }
    }

    private static void Faults(StringBuilder text, CheckResult check) => Folded(text, $"{check.Group.Word()}: {check.Name}", () =>
    {
        text.Append('\n');
        foreach (var fault in check.Faults)
        {
            text.Append("- ").AppendJoin("<br>", fault.ToString().Split('\n').Select(Escaped));
            if (fault.Help is { } help)
                text.Append(" → ").Append(Escaped(help));
            text.Append('\n');
        }
    });

    /// <summary>What stands before the lines that a command wrote, which are told below the table.</summary>
    private static string FirstLine(string message) => message.IndexOf('\n') is var end and >= 0 ? message[..end].TrimEnd(':') + " …" : message;

    private static void Stages(StringBuilder text, CheckReport report)
    {
        text.Append("\n| stage | | seconds |\n| --- | --- | ---: |\n");
        foreach (var stage in report.Stages)
            text.Append(CultureInfo.InvariantCulture, $"| {Escaped(stage.Name)} | {stage.Source.Word()} | {stage.Seconds:0.00} |\n");
    }

    private static void Samples(StringBuilder text, CheckReport report)
    {
        text.Append("\n| dataset | rows | of |\n| --- | ---: | ---: |\n");
        foreach (var sample in report.Samples)
            text.Append(CultureInfo.InvariantCulture, $"| {Escaped(sample.Dataset)} | {sample.Rows:N0} | {sample.Of:N0} |\n");
    }

    private static void Folded(StringBuilder text, string title, Action inside)
    {
        text.Append("\n<details><summary>").Append(Escaped(title)).Append("</summary>\n");
        inside();
        text.Append("\n</details>\n");
    }

    /// <summary>At a line's end, with what is open closed.</summary>
    private static string Cut(StringBuilder text)
    {
        var whole = text.ToString();
        var kept = whole[..whole.LastIndexOf('\n', Longest)];
        var open = Times(kept, "<details>") - Times(kept, "</details>");
        return kept + string.Concat(Enumerable.Repeat("\n\n</details>", open)) + "\n\nThe rest is cut: the whole report is junit.xml beside this file.\n";

        static int Times(string text, string what) => text.Split(what).Length - 1;
    }

    private static string Mark(CheckVerdict verdict) => verdict switch
    {
        CheckVerdict.Passed => "✅",
        CheckVerdict.Skipped => "➖",
        CheckVerdict.Failed => "❌",
        _ => "⚠️",
    };

    private static string Seconds(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    /// <summary>Text that is text: punctuation as character references, which no renderer takes for mark-up, for HTML or for a mention, in tables and between tags alike.</summary>
    /// <remarks>Source: CommonMark 0.31, section 2.5. GitLab looks for mentions and references in what was rendered, so a space of no width parts their signs from the names.</remarks>
    private static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (escaped.Length > LongestMessage)
                return escaped.Append('…').ToString();
            if (rune.Value is '\n' or '\t')
                escaped.Append(' ');
            else if (rune.Value <= char.MaxValue && ForeignText.IsHidden((char)rune.Value))
                escaped.Append('\uFFFD');
            else if (rune.Value is '@' or '#' or '!' or '$' or '%' or '~' or '&')
                escaped.Append(CultureInfo.InvariantCulture, $"&#{rune.Value};&#8203;");
            else if (Active.Contains(rune.Value) || (escaped.Length == 0 && rune.Value is ('-' or '+')))
                escaped.Append(CultureInfo.InvariantCulture, $"&#{rune.Value};");
            else
                escaped.Append(rune.ToString());
        }

        return escaped.Replace("www.", "www&#8203;.").ToString();
    }
}
