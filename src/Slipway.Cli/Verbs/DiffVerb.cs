using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Differences;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway diff A B</c>: what changed between two bundles, both of them verified.</summary>
internal static class DiffVerb
{
    /// <summary>Lines of one kind; beyond them it says how many there are, and <c>--json</c> has all.</summary>
    private const int MostLines = 40;

    public static Command Build(GlobalOptions global)
    {
        var a = new Argument<string>("a") { Description = "The former bundle: a digest or tag of this project, or oci:DIR:TAG" };
        var b = new Argument<string>("b") { Description = "The latter" };
        var trust = new TrustOptions();
        var verb = new Command("diff", "Shows what changed between two bundles: data, code, params, software, hardware, metrics.\nExample: slipway diff sha256:6f1c… flight-delay") { a, b };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return Task.FromResult(Show(shell, parsed.GetRequiredValue(a), parsed.GetRequiredValue(b), trust.Read(parsed, shell), cancellation));
        });
        return verb;
    }

    private static int Show(Shell shell, string a, string b, BundleTrust trust, CancellationToken cancellation)
    {
        var first = BundleAccess.Open(shell, a, trust, cancellation).Require(shell);
        var second = BundleAccess.Open(shell, b, trust, cancellation).Require(shell);
        var difference = BundleDifference.Between(first, second, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(difference, DifferenceJson.Default.BundleDifference)!);
        else
            Write(new TextPage(shell), difference);
        return (int)ExitCode.Done;
    }

    private static void Write(TextPage page, BundleDifference difference)
    {
        page.Line("a", $"{difference.A.Name} {difference.A.Digest}, {new ByteSize(difference.A.Size)}");
        page.Line("b", $"{difference.B.Name} {difference.B.Digest}, {new ByteSize(difference.B.Size)}");
        if (difference.IsSame)
        {
            page.Line("", "nothing differs: they are the same bundle");
            return;
        }

        List(page, "data", difference.Data);
        List(page, "code", difference.Code);
        List(page, "params", difference.Params);
        List(page, "environment", difference.Environments);
        List(page, "hardware", difference.Hardware);
        List(page, "determinism", difference.Determinism);
        List(page, "stages", difference.Stages);
        List(page, "model", difference.Model);
        List(page, "signature", difference.Signature);
        List(page, "evaluation", difference.Evaluation);
        var label = "metrics";
        foreach (var metric in difference.Metrics)
        {
            page.Line(label, $"{metric.Metric,-10} {Words(metric)}");
            label = "";
        }

        List(page, "gates", difference.Gates);
        page.Line("documents", difference.Documents.IsEmpty ? "none differs: only model or code" : $"{string.Join(", ", difference.Documents.Select(document => document.What))} differ");
    }

    internal static string Words(MetricChange metric)
    {
        var values = $"{(metric.A is { } a ? Amounts.Interval(a) : "not measured")} → {(metric.B is { } b ? Amounts.Interval(b) : "not measured")}";
        return metric.Difference is not { } difference ? values : $"{values}: {(difference.Value >= 0 ? "+" : "")}{Amounts.Interval(difference)}{Way(metric)}";
    }

    private static string Way(MetricChange metric) => metric.Way switch
    {
        DifferenceWay.Paired => ", paired",
        DifferenceWay.Independent => $", taken as independent: {metric.Note}",
        _ => "",
    };

    private static void List(TextPage page, string label, ImmutableArray<Change> changes)
    {
        foreach (var (i, change) in changes.Take(MostLines).Index())
        {
            page.Line(i == 0 ? label : "", change switch
            {
                { A: null } => $"+ {change.What}: {change.B}",
                { B: null } => $"- {change.What}: {change.A}",
                _ => $"{change.What}: {change.A} → {change.B}",
            });
        }

        if (changes.Length > MostLines)
            page.Line("", $"and {changes.Length - MostLines} more; --json has all of them");
    }
}
