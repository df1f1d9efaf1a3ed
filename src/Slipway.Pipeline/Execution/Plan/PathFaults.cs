using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>What is wrong with the paths of a spec before any file is looked at.</summary>
internal static class PathFaults
{
    /// <summary>Files and folders of the project that are not a stage's to write.</summary>
    private static readonly string[] reserved = [".slipway", ".git", "slipway.yaml", "slipway.lock"];

    private readonly record struct Output(StageSpec Stage, string Name, ProjectPath Path, bool IsFolder)
    {
        public string Reference => $"{Stage.Name}.{Name}";
    }

    public static IEnumerable<Fault> In(Spec spec)
    {
        var faults = new List<Fault>();
        var outputs = new List<Output>();
        foreach (var stage in spec.Stages)
        {
            foreach (var (name, text) in stage.Outputs)
            {
                if (!ProjectPath.TryParse(text, out var path))
                    faults.Add(stage.At.Fault("bad-path", $"output {stage.Name}.{name}: '{text}' is not a path inside the project"));
                else if (reserved.FirstOrDefault(own => ProjectPath.TryParse(own, out var taken) && taken.Overlaps(path)) is { } own)
                    faults.Add(stage.At.Fault("reserved-path", $"output {stage.Name}.{name}: '{text}' is not a stage's to write; {own} is the project's own"));
                else
                    outputs.Add(new Output(stage, name, path, text.EndsWith('/')));
            }
        }

        faults.AddRange(Collisions(outputs));
        foreach (var data in spec.Data.Values)
            faults.AddRange(outputs.Where(output => Reads(data.Path, output)).Select(output => output.Stage.At.Fault("output-over-input", $"output {output.Reference} writes {output.Path}, where the dataset {data.Name} is ({data.Path})")));
        foreach (var stage in spec.Stages)
            faults.AddRange(InputFaults(stage, outputs));
        return faults;
    }

    private static IEnumerable<Fault> Collisions(List<Output> outputs) =>
        from second in Enumerable.Range(0, outputs.Count)
        from first in Enumerable.Range(0, second)
        where outputs[first].Path.Overlaps(outputs[second].Path)
        select outputs[second].Stage.At.Fault(
            "two-writers",
            $"{outputs[first].Reference} writes {outputs[first].Path} and {outputs[second].Reference} writes {outputs[second].Path}: each path has one writer",
            "give each output a path of its own");

    private static IEnumerable<Fault> InputFaults(StageSpec stage, List<Output> outputs)
    {
        var paths = stage.Inputs.Where(input => input.Kind == InputKind.Path).Select(input => (Text: input.Name, input.At));
        if (stage.Sql is not null)
            paths = paths.Append((stage.Sql, stage.At));
        foreach (var (text, at) in paths)
        {
            if (!ProjectPath.TryParse(text, out _))
            {
                yield return at.Fault("bad-path", $"stage {stage.Name}: the input '{text}' is not a path inside the project", "name files of the project by their path from its root; fetched or outside data belong under data");
                continue;
            }

            foreach (var output in outputs.Where(output => Reads(text, output)))
            {
                yield return output.Stage == stage
                    ? at.Fault("output-over-input", $"stage {stage.Name} reads '{text}' and writes {output.Path} there", "a stage's own output cannot be its input")
                    : at.Fault("undeclared-dependency", $"stage {stage.Name} reads '{text}', where the output {output.Reference} ({output.Path}) is written", $"write {output.Reference} as the input instead of the path");
            }
        }
    }

    // A dataset outside the project overlaps nothing in it.
    private static bool Reads(string text, Output output) =>
        ProjectPath.TryParse(text, out var path)
        && (Glob.IsPattern(text) ? Glob.Reaches(path.Text, output.Path.Text, output.IsFolder) : path.Overlaps(output.Path));
}
