using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents;
using Slipway.Documents.Differences;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway runs [list]|show|compare</c>: what ran here.</summary>
internal static class RunsVerb
{
    private const int Listed = 20;

    /// <summary>Figures of one stage that a person is shown.</summary>
    private const int MostFigures = 20;

    private const string Name = "An id or its beginning, latest, or latest~N";

    public static Command Build(GlobalOptions global)
    {
        var verb = new Command("runs", "Lists this project's runs, shows one, and compares two.\nExample: slipway runs compare latest~1 latest") { BuildList(global), BuildShow(global), BuildCompare(global) };
        // Without a further word it lists.
        AddList(global, verb);
        return verb;
    }

    private static Command BuildList(GlobalOptions global)
    {
        var list = new Command("list", "Lists the runs, the newest first.\nExample: slipway runs list --last 50");
        AddList(global, list);
        return list;
    }

    private static void AddList(GlobalOptions global, Command verb)
    {
        var last = new Option<int>("--last") { Description = "How many", HelpName = "N", DefaultValueFactory = _ => Listed };
        verb.Options.Add(last);
        verb.SetAction(parsed => List(global.Shell(parsed), parsed.GetValue(last)));
    }

    private static Command BuildShow(GlobalOptions global)
    {
        var run = new Argument<string>("run") { Description = Name, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => RunHistory.Latest };
        var show = new Command("show", "Shows one run: its stages, what they took and made, and why it did not succeed.\nExample: slipway runs show latest") { run };
        show.SetAction(parsed => Show(global.Shell(parsed), parsed.GetRequiredValue(run)));
        return show;
    }

    private static Command BuildCompare(GlobalOptions global)
    {
        var a = new Argument<string>("a") { Description = $"The former run. {Name}" };
        var b = new Argument<string>("b") { Description = "The latter" };
        var compare = new Command("compare", "Shows what differs between two runs: params, inputs, software, outputs, metrics, seconds, memory.\nExample: slipway runs compare latest~1 latest") { a, b };
        compare.SetAction(parsed => Compare(global.Shell(parsed), parsed.GetRequiredValue(a), parsed.GetRequiredValue(b)));
        return compare;
    }

    private static int List(Shell shell, int last)
    {
        if (last < 1)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--last is {last}, allowed 1 or more"));
        var history = new RunHistory(shell.Project);
        var runs = history.Ids.Take(last).Select(history.Read).ToList();
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["runs"] = new JsonArray([.. runs.Select(run => JsonSerializer.SerializeToNode(run, DocumentJson.Default.RunRecord))]), ["all"] = history.Ids.Count });
            return (int)ExitCode.Done;
        }

        foreach (var run in runs)
        {
            var executed = run.Stages.Count(stage => stage.Source == StageSource.Executed);
            var bundle = run.Bundle is { } sealedOne ? $"  {sealedOne.Short}  gates {run.Verdict?.Word() ?? "none"}" : "";
            var stages = run.State == RunState.Running ? "" : $"{executed} executed, {run.Stages.Length - executed} {(run.Stages.Any(stage => stage.Source == StageSource.Shared) ? "cached or shared" : "cached")}";
            shell.Out.WriteLine($"{run.Id}  {State(history, run),-9}  {Took(run),10}  {stages}{bundle}".TrimEnd());
        }

        if (runs.Count == 0)
            shell.Out.WriteLine("nothing has run here yet: `slipway run`");
        else if (history.Ids.Count > runs.Count)
            shell.Note($"{Amounts.Count(history.Ids.Count - runs.Count)} older ones are not shown: --last {history.Ids.Count}");
        return (int)ExitCode.Done;
    }

    private static int Show(Shell shell, string name)
    {
        var history = new RunHistory(shell.Project);
        var run = history.Find(name);
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(run, DocumentJson.Default.RunRecord)!);
            return (int)ExitCode.Done;
        }

        var page = new TextPage(shell);
        page.Line("run", $"{run.Id}: {State(history, run)}, begun {Time(run.Started)}{(run.Finished is null ? "" : $", took {Took(run)}")}");
        foreach (var data in run.Validation)
            page.Line("checked", $"{data.Dataset}: {Amounts.Count(data.Rows)} rows, {data.Expectations} expectations, {data.Broken} broken, {data.Warnings} of them only warned of; {data.Digest}");
        var width = run.Stages.Select(stage => stage.Name.Length).DefaultIfEmpty().Max();
        foreach (var (i, stage) in run.Stages.Index())
        {
            page.Line(i == 0 ? "stages" : "", $"{stage.Name.PadRight(width)}  {stage.Source.Word(),-8}  {Held(stage)}");
            foreach (var (output, artifact) in stage.Outputs)
                page.Line("", $"{"".PadRight(width)}  → {output}  {artifact.Digest}  {new ByteSize(artifact.Size)}");
            var figures = stage.Metrics?.ToArray() ?? [];
            foreach (var (called, figure) in figures.Take(MostFigures))
                page.Line("", $"{"".PadRight(width)}  {ForeignText.Shown(called)} = {Amounts.Number(figure)}");
            if (figures.Length > MostFigures)
                page.Line("", $"{"".PadRight(width)}  and {Amounts.Count(figures.Length - MostFigures)} more figures: --json");
        }

        foreach (var fault in run.Faults)
            page.Line("fault", fault.ToString());
        if (run.Evaluation is { } evaluation)
            RunReport.Evaluation(page, evaluation);
        if (run.Bundle is { } bundle)
            page.Line("sealed", $"{bundle}, gates {run.Verdict?.Word() ?? "none"}");
        page.Line("logs", Path.GetRelativePath(Environment.CurrentDirectory, Path.Combine(RunRecord.FolderOf(shell.Project, run.Id), "logs")));
        return (int)ExitCode.Done;
    }

    private static int Compare(Shell shell, string a, string b)
    {
        var history = new RunHistory(shell.Project);
        var comparison = history.Compare(history.Find(a), history.Find(b));
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(comparison, DifferenceJson.Default.RunComparison)!);
            return (int)ExitCode.Done;
        }

        var page = new TextPage(shell);
        page.Line("a", $"{comparison.A.Id}, {comparison.A.State.Word()}");
        page.Line("b", $"{comparison.B.Id}, {comparison.B.State.Word()}");
        var width = comparison.Stages.Select(stage => stage.Stage.Length).DefaultIfEmpty().Max();
        foreach (var (i, stage) in comparison.Stages.Index())
        {
            page.Line(i == 0 ? "stages" : "", $"{stage.Stage.PadRight(width)}  {What(stage)}");
            foreach (var change in stage.Changes)
                page.Line("", $"{"".PadRight(width)}  {change}");
            if (stage is { A: { } before, B: { } after } && before.Isolation != after.Isolation)
                page.Line("", $"{"".PadRight(width)}  isolation {before.Isolation.Word()} → {after.Isolation.Word()}");
            foreach (var output in stage.Outputs)
                page.Line("", $"{"".PadRight(width)}  → {output}  {stage.A!.Outputs.GetValueOrDefault(output)?.Digest.Short ?? "none"} → {stage.B!.Outputs.GetValueOrDefault(output)?.Digest.Short ?? "none"}");
            foreach (var change in stage.Metrics.Take(MostFigures))
                page.Line("", $"{"".PadRight(width)}  {Figure(change)}");
            if (stage.Metrics.Length > MostFigures)
                page.Line("", $"{"".PadRight(width)}  and {Amounts.Count(stage.Metrics.Length - MostFigures)} more figures: --json");
            if (stage is { A: { } was, B: { } now } && (was.Source == StageSource.Executed || now.Source == StageSource.Executed))
                page.Line("", $"{"".PadRight(width)}  {Used(was)} → {Used(now)}");
        }

        // Of equal figures the difference is none, whatever the intervals are.
        var changed = comparison.Metrics.Where(metric => metric.A != metric.B).ToList();
        if (changed.Count == 0 && !comparison.Metrics.IsEmpty)
            page.Line("metrics", "the same");
        foreach (var (i, metric) in changed.Index())
            page.Line(i == 0 ? "metrics" : "", $"{metric.Metric,-10} {DiffVerb.Words(metric)}");
        if (comparison is { A.Bundle: { } first, B.Bundle: { } second })
            page.Line("bundle", first == second ? $"the same: {first}" : $"slipway diff {first} {second}");
        return (int)ExitCode.Done;
    }

    private static string What(StageComparison stage) => stage switch
    {
        { A: null } => "only b ran it",
        { B: null } => "only a ran it",
        { Outputs: [] } when stage.A.Key == stage.B.Key => "the same",
        { Outputs: [] } => "made the same from other things:",
        _ when stage.A.Key == stage.B.Key && stage.A.Isolation != stage.B.Isolation => $"made another {string.Join(", ", stage.Outputs)} from the same, held otherwise:",
        _ when stage.A.Key == stage.B.Key => $"made another {string.Join(", ", stage.Outputs)} from the same: it does not repeat",
        _ => $"made another {string.Join(", ", stage.Outputs)}, by:",
    };

    private static string Figure(FigureChange change) =>
        $"{ForeignText.Shown(change.Name)} {(change.A is { } a ? Amounts.Number(a) : "none")} → {(change.B is { } b ? Amounts.Number(b) : "none")}{(change.Difference is { } difference ? $" ({(difference > 0 ? "+" : "")}{Amounts.Number(difference)})" : "")}";

    private static string Held(StageResult stage) =>
        $"{(stage.Source == StageSource.Cached ? "" : Used(stage) + ", ")}isolation {stage.Isolation.Word()}";

    private static string Used(StageResult stage)
    {
        if (stage.Source != StageSource.Executed)
            return RunReport.Taken(stage);
        var used = new List<string> { Amounts.Seconds(stage.Seconds) };
        if (stage.Usage is { } usage)
            used.Add($"user {Amounts.Seconds(usage.UserSeconds)}, system {Amounts.Seconds(usage.SystemSeconds)}");
        if (Amounts.Memory(stage.PeakMemory) is { Length: > 0 } memory)
            used.Add(memory);
        if (stage.Usage is { } disk && (disk.BytesRead > 0 || disk.BytesWritten > 0))
            used.Add($"read {new ByteSize(disk.BytesRead)}, wrote {new ByteSize(disk.BytesWritten)}");
        if (stage.Usage?.HostJoules is { } joules)
            used.Add(string.Create(CultureInfo.InvariantCulture, $"host energy {joules:0.#} J"));
        if (stage.Repeats > 0)
            used.Add($"attempt {stage.Repeats + 1}");
        return string.Join(", ", used);
    }

    private static string State(RunHistory history, RunRecord run) => run.State == RunState.Running && !history.IsAtWork(run) ? "killed" : run.State.Word();

    private static string Took(RunRecord run) => run.Finished is { } finished ? Amounts.Seconds((finished - run.Started).TotalSeconds) : "";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
