using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>The stages in the order in which they run: inputs first, ties by name; the same for the same spec, whatever the file's order.</summary>
public sealed record ExecutionPlan(ImmutableArray<PlannedStage> Stages)
{
    /// <summary>Orders the stages. Pure: looks at no file.</summary>
    /// <param name="spec">As its parser gave it: every name in it is declared, no two stages wait for each other, each path has one writer.</param>
    /// <param name="upTo">A stage that alone is wanted, with all that it needs; null for all.</param>
    /// <exception cref="SlipwayException">There is no such stage (exit 2).</exception>
    public static ExecutionPlan Of(Spec spec, string? upTo = null)
    {
        var names = spec.Stages.Select(stage => stage.Name).ToList();
        if (upTo is not null && !names.Contains(upTo))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("unknown-stage", $"there is no stage '{upTo}'; the stages are {string.Join(", ", names)}", Help: NearestName.Of(upTo, names) is { } near ? $"did you mean {near}?" : null));
        var planned = Order([.. spec.Stages.Select(stage => new PlannedStage(stage, Needs(stage)))]);
        return new ExecutionPlan(upTo is null ? planned : Closure(planned, upTo));
    }

    /// <summary>Stage and output of <c>stage.output</c>.</summary>
    internal static (string Stage, string Output) Split(string reference)
    {
        var dot = reference.IndexOf('.');
        return dot < 0 ? (reference, "") : (reference[..dot], reference[(dot + 1)..]);
    }

    private static ImmutableArray<string> Needs(StageSpec stage) =>
        [.. stage.Inputs.Where(input => input.Kind == InputKind.Output).Select(input => Split(input.Name).Stage).Distinct().Order(StringComparer.Ordinal)];

    private static ImmutableArray<PlannedStage> Order(IReadOnlyCollection<PlannedStage> stages)
    {
        var ordered = ImmutableArray.CreateBuilder<PlannedStage>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new SortedDictionary<string, PlannedStage>(stages.ToDictionary(stage => stage.Stage.Name), StringComparer.Ordinal);
        while (waiting.Count > 0)
        {
            var next = waiting.Values.FirstOrDefault(stage => stage.Needs.All(done.Contains)) ?? throw new UnreachableException($"these stages wait for each other: {string.Join(", ", waiting.Keys)}");
            waiting.Remove(next.Stage.Name);
            done.Add(next.Stage.Name);
            ordered.Add(next);
        }

        return ordered.ToImmutable();
    }

    private static ImmutableArray<PlannedStage> Closure(ImmutableArray<PlannedStage> ordered, string upTo)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal) { upTo };
        foreach (var stage in ordered.Reverse().Where(stage => wanted.Contains(stage.Stage.Name)))
            wanted.UnionWith(stage.Needs);
        return [.. ordered.Where(stage => wanted.Contains(stage.Stage.Name))];
    }
}

/// <param name="Needs">Names of the stages whose outputs it takes; sorted.</param>
public sealed record PlannedStage(StageSpec Stage, ImmutableArray<string> Needs);
