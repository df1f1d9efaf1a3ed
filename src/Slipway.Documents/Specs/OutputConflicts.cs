using System.Collections.Immutable;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Finds paths that are written by one stage and written or read by something else that does not say so.</summary>
internal sealed class OutputConflicts
{
    /// <summary>The output at a path.</summary>
    private readonly Dictionary<string, Placed<string>> outputs = new(StringComparer.Ordinal);

    /// <summary>For each folder above an output, one such output.</summary>
    private readonly Dictionary<string, Placed<string>> inside = new(StringComparer.Ordinal);

    /// <summary>All of them, for globs.</summary>
    private readonly List<(string Path, bool IsFolder, Placed<string> Output)> all = [];

    private readonly FaultList faults;

    private OutputConflicts(FaultList faults) => this.faults = faults;

    public static void Find(SpecDraft draft, string file, ImmutableArray<StageSpec> stages, ModelSpec? model, FaultList faults)
    {
        var conflicts = new OutputConflicts(faults);
        var places = (draft.Stages ?? []).SelectMany(stage => (stage.Value?.Outputs ?? []).Select(output => ((stage.Name, output.Name), output.At))).ToDictionary(place => place.Item1, place => place.At);
        foreach (var stage in stages)
        {
            var written = stage.Combination?.Of ?? stage.Name;
            foreach (var (output, path) in stage.Outputs.OrderBy(output => places[(written, output.Key)].Line).ThenBy(output => places[(written, output.Key)].Column))
                conflicts.Claim($"{stage.Name}.{output}", path, places[(written, output)]);
        }

        foreach (var input in stages.SelectMany(stage => stage.Inputs).Concat(model?.Runtime.Inputs ?? []))
        {
            if (input.Kind == InputKind.Path && conflicts.Writer(input.Name) is { } writer)
                faults.Add(input.At, "hidden-dependency", $"{Node.Quote(input.Name)} is written by {writer.Value}, and this input does not say so", $"Write {writer.Value} in the inputs of a stage that reads it.");
        }

        foreach (var dataset in (draft.Data ?? []).Select(entry => entry.Value).OfType<DatasetSpec>())
        {
            conflicts.Guard(dataset.Path, "the data");
            conflicts.Guard(dataset.Expect, "the expectations");
        }

        foreach (var stage in stages)
            conflicts.Guard(stage.Sql, "the SQL file");
        conflicts.Guard(file, "the spec");
        conflicts.Guard(Path.ChangeExtension(file, ".lock"), "the lock");
        conflicts.Guard(".git", "the repository");
        conflicts.Guard(draft.Params.File?.Value, "the params");
    }

    private void Claim(string output, string path, Place at)
    {
        var normal = path.TrimEnd('/');
        if (Writer(normal) is { } other)
        {
            faults.Add(at, "output-conflict", $"{output} writes {Node.Quote(path)}, where {other.Value} writes as well; each output needs a place of its own");
            return;
        }

        var claimed = new Placed<string>(output, at);
        outputs[normal] = claimed;
        all.Add((normal, path.EndsWith('/'), claimed));
        foreach (var folder in FoldersAbove(normal))
            inside.TryAdd(folder, claimed);
    }

    /// <summary>The output that is at the path, above it or inside it; one that a glob reaches.</summary>
    private Placed<string>? Writer(string path)
    {
        if (Glob.IsPattern(path))
            return all.Where(output => Glob.Reaches(path, output.Path, output.IsFolder)).Select(output => (Placed<string>?)output.Output).FirstOrDefault();
        var normal = path.TrimEnd('/');
        if (outputs.TryGetValue(normal, out var writer) || inside.TryGetValue(normal, out writer))
            return writer;
        foreach (var folder in FoldersAbove(normal))
        {
            if (outputs.TryGetValue(folder, out writer))
                return writer;
        }

        return null;
    }

    private void Guard(string? path, string what)
    {
        if (path is not null && Writer(path) is { } writer)
            faults.Add(writer.At, "output-conflict", $"{writer.Value} would write over {what} at {Node.Quote(path)}", "Give the output a place of its own, such as below build/.");
    }

    private static IEnumerable<string> FoldersAbove(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            yield return path[..slash];
    }
}
