using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents;
using Slipway.Documents.Datasets;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>A run's account: for a person one screen, for a machine one document.</summary>
internal static class RunReport
{
    /// <param name="isRepeated">Whether this is said again of that run, because nothing that it hangs on has changed since.</param>
    public static void Write(Shell shell, Spec spec, RunAccount account, bool isRepeated = false)
    {
        var page = new TextPage(shell);
        if (isRepeated)
            page.Line("unchanged", $"since run {account.RunId}, in which every stage was known already; what it said, again:");
        foreach (var snapshot in account.Data)
            page.Line("data", $"{snapshot.Name}: {Amounts.Count(snapshot.Rows)} rows, {new ByteSize(snapshot.Files.Sum(file => file.Size))}, {snapshot.Digest}");
        foreach (var report in account.Validation)
            Validation(page, report);
        if (!account.DataAreValid)
        {
            page.Line("stopped", "before any stage: the data are not what is expected of them");
            return;
        }

        foreach (var environment in account.Environments)
            page.Line("environment", $"{environment.Name}: {environment.Packages.Count} Debian packages of this host, fingerprinted ({environment.Digest.Short}) and not sealed");
        Stages(page, account);
        if (account.Evaluation is { } evaluation)
            Evaluation(page, evaluation);
        if (account.Bundle is not { } bundle)
            return;
        page.Line("sealed", $"{bundle.Digest}");
        page.Line("", $"{new ByteSize(bundle.Size)} in oci:.slipway/bundles:{bundle.Tag}, signed by key {account.Signer![..12]}");
        Gates(page, account.Gates);
        var file = spec.Name == bundle.Tag && shell.SpecFile == SpecParser.DefaultFile ? "" : $" --file {shell.SpecFile}";
        var use = account.IsGood ? $"slipway verify {bundle.Tag} · slipway serve {bundle.Tag}" : $"see why above; the bundle stays as evidence: slipway verify {bundle.Tag}";
        page.Line("next", $"{use} · slipway status{file} · {(isRepeated ? $"slipway runs show {account.RunId}" : $"this run's record is .slipway/runs/{account.RunId}/run.json")}");
    }

    public static JsonObject ToJson(RunAccount account)
    {
        var document = new JsonObject
        {
            ["run"] = account.RunId,
            ["data"] = new JsonArray([.. account.Data.Select(snapshot => new JsonObject { ["name"] = snapshot.Name, ["digest"] = snapshot.Digest.ToString(), ["rows"] = snapshot.Rows })]),
            ["validation"] = new JsonArray([.. account.Validation.Select(report => JsonSerializer.SerializeToNode(report, DocumentJson.Default.ValidationReport))]),
            ["stages"] = new JsonArray([.. account.Stages.Select(stage => JsonSerializer.SerializeToNode(stage, DocumentJson.Default.StageResult))]),
        };
        if (account.Evaluation is { } evaluation)
            document["evaluation"] = JsonSerializer.SerializeToNode(evaluation, DocumentJson.Default.Evaluation);
        if (account.Gates is { } gates)
            document["gates"] = JsonSerializer.SerializeToNode(gates.Gates, DocumentJson.Default.ImmutableArrayGateResult);
        if (account.Bundle is { } bundle)
            document["bundle"] = new JsonObject { ["digest"] = bundle.Digest.ToString(), ["size"] = bundle.Size, ["tag"] = bundle.Tag, ["signer"] = account.Signer };
        if (!account.DataAreValid)
        {
            document["verdict"] = "fail";
            document["reasons"] = Reasons(account.Validation.SelectMany(report => report.Results.Where(result => result.StopsTheRun()).Select(result => $"{report.Dataset}: {Say(result)}")));
        }
        else if (account.Gates is { } judged)
        {
            document["verdict"] = judged.Verdict.Word();
            document["reasons"] = Reasons(judged.Gates.Where(gate => gate.Verdict != Verdict.Pass).Select(gate => $"{gate.Name}: {gate.Reason}"));
        }

        return document;
    }

    private static JsonArray Reasons(IEnumerable<string> reasons) => new([.. reasons.Select(reason => (JsonNode)reason)]);

    private static void Validation(TextPage page, ValidationReport report)
    {
        var held = report.Results.Count(result => result.Verdict == ExpectationVerdict.Holds);
        page.Line("checked", $"{report.Dataset}: {held} of {report.Results.Length} expectations hold over {Amounts.Count(report.Rows)} rows");
        foreach (var result in report.Results.Where(result => result.Verdict != ExpectationVerdict.Holds || result.Bad > 0))
        {
            page.Line("", $"{(result.Verdict == ExpectationVerdict.Holds ? "·" : result.Severity == Severity.Warn ? "!" : "✗")} {Say(result)}");
            if (result.Verdict == ExpectationVerdict.Holds)
                continue;
            foreach (var example in result.Examples)
                page.Line("", "    " + string.Join("  ", example.Select(cell => $"{cell.Key}={cell.Value}")));
        }
    }

    private static string Say(ExpectationResult result)
    {
        var what = result.Column is null || result.Name.Contains(result.Column, StringComparison.Ordinal) ? result.Name : $"{result.Column}: {result.Name}";
        var severity = result.Severity == Severity.Warn ? ", a warning" : "";
        return result.Verdict switch
        {
            ExpectationVerdict.NotChecked => $"{what}: could not be checked: {result.Detail}",
            _ when result.Bad > 0 || result.Detail is null => $"{what}: {Amounts.Count(result.Bad)} of {Amounts.Count(result.Checked)} rows break it, allowed {Amounts.Count(result.Allowed)}{(result.Verdict == ExpectationVerdict.Broken ? severity : "")}",
            _ => $"{what}: {result.Detail}{severity}",
        };
    }

    private static void Stages(TextPage page, RunAccount account)
    {
        var width = account.Stages.Select(stage => stage.Name.Length).DefaultIfEmpty().Max();
        var label = "stages";
        foreach (var stage in account.Stages)
        {
            page.Line(label, stage.Source != StageSource.Executed
                ? $"{stage.Name.PadRight(width)}  {Taken(stage)}"
                : $"{stage.Name.PadRight(width)}  executed  {Amounts.Seconds(stage.Seconds),10}  {Amounts.Memory(stage.PeakMemory)}");
            label = "";
        }
    }

    /// <summary>Where the outputs of a stage came from that was not executed.</summary>
    public static string Taken(StageResult stage) => stage.Shared is { } origin
        ? $"shared: from {origin.Place}, signed by {(origin.Key.StartsWith(origin.Signer, StringComparison.Ordinal) ? "" : origin.Signer + ", ")}key {origin.Key[..12]}"
        : "cached";

    public static void Evaluation(TextPage page, Evaluation evaluation)
    {
        var unit = evaluation.Unit is null ? "rows" : $"{Amounts.Count(evaluation.Units)} values of {evaluation.Unit}, resampled as a whole";
        page.Line("evaluated", $"{Amounts.Count(evaluation.Rows)} predictions, {Amounts.Count(evaluation.Positives)} of them positive; {evaluation.Confidence * 100:0.##} % intervals by bootstrap ({evaluation.Method}, {Amounts.Count(evaluation.Resamples)} resamples) over {unit}");
        foreach (var (name, figure) in evaluation.Metrics)
            page.Line("", $"{name,-10} {Amounts.Interval(figure)}{(name == "ece" ? "   debiased" : "")}");
        foreach (var (column, slices) in evaluation.Slices)
            page.Line("", $"by {column}: {slices.Length} slices" + Weakest(slices));
    }

    private static string Weakest(IReadOnlyList<SliceEvaluation> slices)
    {
        var weakest = slices.Where(slice => slice.Metrics.ContainsKey("auc")).MinBy(slice => slice.Metrics["auc"].High ?? double.PositiveInfinity);
        return weakest is null ? "" : $"; weakest by auc: {weakest.Value} {Amounts.Interval(weakest.Metrics["auc"])}, {Amounts.Count(weakest.N)} rows";
    }

    private static void Gates(TextPage page, GateReport? gates)
    {
        if (gates is null)
        {
            page.Line("gates", "none are declared, so nothing vouches for this model's quality");
            return;
        }

        page.Line("gates", gates.Verdict.Word() + (gates.Baseline is { } baseline ? $", compared with {baseline}" : ", without a baseline"));
        Gates(page, gates.Gates);
    }

    public static void Gates(TextPage page, IEnumerable<GateResult> gates)
    {
        foreach (var gate in gates)
            page.Line("", $"{(gate.Verdict == Verdict.Pass ? "✓" : gate.Verdict == Verdict.NotEvaluated ? "·" : "✗")} {gate.Name}: {gate.Verdict.Word()}; {gate.Reason}");
    }
}
