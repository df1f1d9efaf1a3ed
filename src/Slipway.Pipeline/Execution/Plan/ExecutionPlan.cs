using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>The stages in the order in which they run: inputs first, ties by name; the same for the same spec, whatever the file's order.</summary>
public sealed record ExecutionPlan(ImmutableArray<PlannedStage> Stages)
{
    /// <summary>Stages that a message lists.</summary>
    private const int MostListed = 20;

    /// <summary>Orders the stages. Pure: looks at no file.</summary>
    /// <param name="spec">As its parser gave it: every name in it is declared, no two stages wait for each other, each path has one writer.</param>
    /// <param name="upTo">A stage that alone is wanted, with all that it needs; null for all.</param>
    /// <exception cref="SlipwayException">There is no such stage (exit 2).</exception>
    public static ExecutionPlan Of(Spec spec, string? upTo = null)
    {
        if (upTo is not null && !spec.Stages.Any(stage => stage.IsCalled(upTo)))
            throw Unknown(spec, upTo);
        var planned = Order([.. spec.Stages.Select(stage => new PlannedStage(stage, Needs(stage)))]);
        return new ExecutionPlan(upTo is null ? planned : Closure(planned, upTo));
    }

    private static ImmutableArray<string> Needs(StageSpec stage) =>
        [.. stage.Inputs.Where(input => input.Kind == InputKind.Output).Select(input => StageSpec.Split(input.Name).Stage).Distinct().Order(StringComparer.Ordinal)];

    /// <remarks>O((stages + inputs) log stages).</remarks>
    private static ImmutableArray<PlannedStage> Order(IReadOnlyCollection<PlannedStage> stages)
    {
        var ordered = ImmutableArray.CreateBuilder<PlannedStage>(stages.Count);
        var open = stages.ToDictionary(stage => stage.Stage.Name, stage => stage.Needs.Length, StringComparer.Ordinal);
        var dependents = stages.SelectMany(stage => stage.Needs.Select(need => (need, stage))).ToLookup(each => each.need, each => each.stage, StringComparer.Ordinal);
        var ready = new SortedSet<PlannedStage>(stages.Where(stage => stage.Needs.IsEmpty), Comparer<PlannedStage>.Create((a, b) => string.CompareOrdinal(a.Stage.Name, b.Stage.Name)));
        while (ready.Min is { } next)
        {
            ready.Remove(next);
            ordered.Add(next);
            foreach (var dependent in dependents[next.Stage.Name].Where(dependent => --open[dependent.Stage.Name] == 0))
                ready.Add(dependent);
        }

        return ordered.Count == stages.Count
            ? ordered.MoveToImmutable()
            : throw new UnreachableException($"these stages wait for each other: {string.Join(", ", open.Where(stage => stage.Value > 0).Select(stage => stage.Key))}");
    }

    private static SlipwayException Unknown(Spec spec, string upTo)
    {
        var names = spec.Stages.Select(stage => stage.Combination?.Of ?? stage.Name).Distinct().ToList();
        var near = NearestName.Of(upTo, [.. names, .. spec.Stages.Select(stage => stage.Name)]);
        var message = $"there is no stage '{upTo}'; the stages are {string.Join(", ", names.Take(MostListed))}{(names.Count > MostListed ? ", …" : "")}";
        return new SlipwayException(ExitCode.UnusableInput, new Fault("unknown-stage", message, Help: near is null ? null : $"did you mean {near}?"));
    }

    private static ImmutableArray<PlannedStage> Closure(ImmutableArray<PlannedStage> ordered, string upTo)
    {
        var wanted = ordered.Select(stage => stage.Stage).Where(stage => stage.IsCalled(upTo)).Select(stage => stage.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var stage in ordered.Reverse().Where(stage => wanted.Contains(stage.Stage.Name)))
            wanted.UnionWith(stage.Needs);
        return [.. ordered.Where(stage => wanted.Contains(stage.Stage.Name))];
    }
}

/// <param name="Needs">Names of the stages whose outputs it takes; sorted.</param>
public sealed record PlannedStage(StageSpec Stage, ImmutableArray<string> Needs);
