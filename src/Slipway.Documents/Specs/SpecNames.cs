using System.Collections.Immutable;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>The names that a spec declares, and whether a reference is one of them.</summary>
internal sealed class SpecNames(SpecDraft draft, StageMatrix matrix, FaultList faults)
{
    /// <summary>Endings that make a name like <c>train.py</c> a file even where there is a stage 'train'; an output of that name comes first.</summary>
    private static readonly HashSet<string> FileEndings =
        ["py", "r", "jl", "sh", "sql", "js", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "txt", "md", "csv", "tsv", "parquet", "onnx"];

    private readonly HashSet<string>? datasets = Names(draft.Data);
    private readonly HashSet<string>? environments = Names(draft.Environments);
    private readonly HashSet<string>? hardware = Names(draft.Hardware);

    /// <summary>Outputs by stage; the outputs are null when they could not be read.</summary>
    private readonly Dictionary<string, HashSet<string>?>? stages = draft.Stages?.ToDictionary(stage => stage.Name, stage => Names(stage.Value?.Outputs));

    public string? Environment(Placed<string>? reference) => Known(reference, "environment", environments, "Declare it under environments.");

    public string? Hardware(Placed<string>? reference) => Known(reference, "hardware profile", hardware, "Declare it under hardware.");

    /// <summary>A reference that must be <c>stage.output</c>.</summary>
    public string Output(Placed<string>? reference, string key)
    {
        if (reference is not { } found)
            return "";
        if (Split(found.Value) is not var (stage, output))
            faults.Add(found.At, "unknown-reference", $"{key} is {Node.Quote(found.Value)}{Node.Nearest(found.Value, Outputs())}; allowed the output of a stage, as stage.output");
        else if (Known(new Placed<string>(StageMatrix.BaseOf(stage), found.At), "stage", stages?.Keys) is not null && KnownOutput(found, stage, output, help: null) && matrix.Of(stage) is { Length: > 0 } all)
            faults.Add(found.At, "ambiguous-reference", $"{key} is {Node.Quote(found.Value)}, and stage '{stage}' runs in {all.Length} combinations; allowed is one of {matrix.Listed(stage, output)}");
        return found.Value;
    }

    /// <summary>What an input of a stage names. A path can always be told from a name by a leading <c>./</c>.</summary>
    public StageInput Input(Placed<string> reference)
    {
        var (text, at) = reference;
        if (datasets?.Contains(text) == true)
            return new StageInput(InputKind.Dataset, text) { At = at };
        if (NameRule.IsIdentifier(text))
        {
            if (datasets is not null)
                faults.Add(at, "unknown-reference", $"there is no dataset {Node.Quote(text)}{Node.Nearest(text, [.. datasets, .. Outputs()])}; {Listed("dataset", datasets)}", $"Declare it under data, or write ./{text} for a file or folder of the project.");
            return new StageInput(InputKind.Dataset, text) { At = at };
        }

        if (Split(text) is var (stage, output) && IsOutput(reference, stage, output))
            return new StageInput(InputKind.Output, text) { At = at };
        return new StageInput(InputKind.Path, ProjectPath.Normal(text)) { At = at };
    }

    /// <summary>A reference that must be a dataset or <c>stage.output</c>.</summary>
    public StageInput Table(Placed<string> reference)
    {
        if (datasets?.Contains(reference.Value) == true)
            return new StageInput(InputKind.Dataset, reference.Value) { At = reference.At };
        if (Split(reference.Value) is null && datasets is not null)
            faults.Add(reference.At, "unknown-reference", $"reference is {Node.Quote(reference.Value)}{Node.Nearest(reference.Value, [.. datasets ?? [], .. Outputs()])}; allowed a dataset, or the output of a stage as stage.output");
        else
            Output(reference, "reference");
        return new StageInput(InputKind.Output, reference.Value) { At = reference.At };
    }

    /// <summary>Adds a fault when the reference is to nothing known.</summary>
    private string? Known(Placed<string>? reference, string kind, ICollection<string>? known, string? help = null)
    {
        if (reference is not { } found || known is null || known.Contains(found.Value))
            return reference?.Value;
        faults.Add(found.At, "unknown-reference", $"there is no {kind} {Node.Quote(found.Value)}{Node.Nearest(found.Value, known)}; {Listed(kind, known)}", help);
        return null;
    }

    private bool IsOutput(Placed<string> reference, string stage, string output)
    {
        if (stages is null)
            return true;
        if (stages.TryGetValue(StageMatrix.BaseOf(stage), out var outputs))
            return outputs?.Contains(output) != false ? StageMatrix.BaseOf(stage) == stage || KnownOutput(reference, stage, output, help: null) : (!FileEndings.Contains(output) && KnownOutput(reference, stage, output, $"A file of that name is written ./{reference.Value}"));

        // A near miss of a stage whose output is spelt right is a mistake, not a file.
        var meant = stages.Where(each => each.Value?.Contains(output) == true).Select(each => each.Key);
        if (Node.Nearest(stage, meant) is { Length: > 0 } nearest)
            faults.Add(reference.At, "unknown-reference", $"there is no stage '{stage}'{nearest}; {Listed("stage", stages.Keys)}", $"A file of that name is written ./{reference.Value}");
        return false;
    }

    private bool KnownOutput(Placed<string> reference, string stage, string output, string? help)
    {
        var written = StageMatrix.BaseOf(stage);
        if (written != stage && matrix.Of(written) is var all && all.All(combination => combination.Name != stage))
        {
            var near = Node.Nearest(stage, all.Select(combination => combination.Name));
            faults.Add(reference.At, "unknown-reference", $"stage '{written}' has no combination {Node.Quote(stage)}{near}; {(all.IsEmpty ? "it has no foreach" : $"there are {matrix.Listed(written, output)}")}", help);
            return false;
        }

        if (stages?[written] is not { } outputs || outputs.Contains(output))
            return true;
        faults.Add(reference.At, "unknown-reference", $"stage '{stage}' has no output '{output}'{Node.Nearest(output, outputs)}; {Listed("output", outputs)}", help);
        return false;
    }

    private IEnumerable<string> Outputs() => stages?.SelectMany(stage => (stage.Value ?? []).Select(output => $"{stage.Key}.{output}")) ?? [];

    private static (string Stage, string Output)? Split(string text) =>
        text.LastIndexOf('.') is > 0 and var dot && IsStage(text[..dot]) && NameRule.IsIdentifier(text[(dot + 1)..]) ? (text[..dot], text[(dot + 1)..]) : null;

    /// <summary>A stage's name, or that of one of its combinations.</summary>
    private static bool IsStage(string text) => NameRule.IsIdentifier(StageMatrix.BaseOf(text)) && !text.Contains('/');

    public static string Listed(string kind, ICollection<string> known) =>
        known.Count == 0 ? $"no {kind} is declared" : $"declared: {string.Join(", ", known.Order(StringComparer.Ordinal).Take(20))}{(known.Count > 20 ? ", …" : "")}";

    private static HashSet<string>? Names<T>(ImmutableArray<Named<T>>? entries) where T : class =>
        entries is { } known ? [.. known.Select(entry => entry.Name)] : null;
}
