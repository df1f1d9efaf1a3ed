using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>The stages in the order in which they run: inputs first, ties by name; the same for the same spec, whatever the file's order.</summary>
internal sealed record ExecutionPlan(ImmutableArray<PlannedStage> Stages)
{
    /// <summary>Orders the stages and checks how their paths fit together. Pure: looks at no file.</summary>
    /// <param name="upTo">A stage that alone is wanted, with all that it needs; null for all.</param>
    /// <exception cref="SlipwayException">
    /// All faults at once (exit 2): a circle, an unknown stage, output or dataset, outputs that overlap each other or an input, an
    /// output outside the project or over the project's own files, an input path that another stage writes.
    /// </exception>
    public static ExecutionPlan Of(Spec spec, string? upTo = null)
    {
        var faults = PathFaults.In(spec).ToList();
        var stages = spec.Stages.ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        if (upTo is not null && !stages.ContainsKey(upTo))
            faults.Add(new Fault("unknown-stage", $"there is no stage '{upTo}'; the stages are {string.Join(", ", stages.Keys)}", Help: NearestName.Of(upTo, stages.Keys) is { } near ? $"did you mean {near}?" : null));
        foreach (var stage in spec.Stages)
            faults.AddRange(stage.Inputs.Select(input => UnknownName(spec, stages, input)).OfType<Fault>());
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);

        var planned = Order([.. spec.Stages.Select(stage => new PlannedStage(Normal(stage), Needs(stage)))]);
        return new ExecutionPlan(upTo is null ? planned : Closure(planned, upTo));
    }

    /// <summary>Stage and output of <c>stage.output</c>.</summary>
    internal static (string Stage, string Output) Split(string reference)
    {
        var dot = reference.IndexOf('.');
        return dot < 0 ? (reference, "") : (reference[..dot], reference[(dot + 1)..]);
    }

    // "./build//model/" and "build/model/" are one path, also where texts are compared.
    private static StageSpec Normal(StageSpec stage) => stage with
    {
        Outputs = stage.Outputs.ToImmutableSortedDictionary(
            output => output.Key,
            output => ProjectPath.TryParse(output.Value, out var path) ? path.Text + (output.Value.EndsWith('/') ? "/" : "") : throw new UnreachableException(output.Value),
            StringComparer.Ordinal),
    };

    private static ImmutableArray<string> Needs(StageSpec stage) =>
        [.. stage.Inputs.Where(input => input.Kind == InputKind.Output).Select(input => Split(input.Name).Stage).Distinct().Order(StringComparer.Ordinal)];

    private static Fault? UnknownName(Spec spec, Dictionary<string, StageSpec> stages, StageInput input)
    {
        var (stage, output) = Split(input.Name);
        return input.Kind switch
        {
            InputKind.Dataset when !spec.Data.ContainsKey(input.Name) => input.At.Fault("unknown-dataset", $"there is no dataset '{input.Name}' under data"),
            InputKind.Output when !stages.TryGetValue(stage, out var source) || !source.Outputs.ContainsKey(output) =>
                input.At.Fault("unknown-output", $"no stage has the output '{input.Name}'"),
            _ => null,
        };
    }

    private static ImmutableArray<PlannedStage> Order(IReadOnlyCollection<PlannedStage> stages)
    {
        var ordered = ImmutableArray.CreateBuilder<PlannedStage>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new SortedDictionary<string, PlannedStage>(stages.ToDictionary(stage => stage.Stage.Name), StringComparer.Ordinal);
        while (waiting.Count > 0)
        {
            var next = waiting.Values.FirstOrDefault(stage => stage.Needs.All(done.Contains)) ?? throw Circle(waiting);
            waiting.Remove(next.Stage.Name);
            done.Add(next.Stage.Name);
            ordered.Add(next);
        }

        return ordered.ToImmutable();
    }

    private static SlipwayException Circle(SortedDictionary<string, PlannedStage> waiting)
    {
        // Each waiting stage needs another waiting one, so that following the needs must come back somewhere.
        var path = new List<string> { waiting.Keys.First() };
        while (true)
        {
            var next = waiting[path[^1]].Needs.First(waiting.ContainsKey);
            var start = path.IndexOf(next);
            path.Add(next);
            if (start < 0)
                continue;
            var circle = path[start..];
            circle.Reverse();
            return new SlipwayException(ExitCode.UnusableInput, waiting[circle[0]].Stage.At.Fault(
                "circular-stages",
                $"the stages need each other in a circle: {string.Join(" → ", circle)}",
                "remove one of these inputs, or split a stage in two"));
        }
    }

    private static ImmutableArray<PlannedStage> Closure(ImmutableArray<PlannedStage> ordered, string upTo)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal) { upTo };
        foreach (var stage in ordered.Reverse().Where(stage => wanted.Contains(stage.Stage.Name)))
            wanted.UnionWith(stage.Needs);
        return [.. ordered.Where(stage => wanted.Contains(stage.Stage.Name))];
    }
}

/// <param name="Stage">With its output paths in their simplest form.</param>
/// <param name="Needs">Names of the stages whose outputs it takes; sorted.</param>
internal sealed record PlannedStage(StageSpec Stage, ImmutableArray<string> Needs);
