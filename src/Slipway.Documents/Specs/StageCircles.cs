using System.Collections.Immutable;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Finds stages that wait for each other.</summary>
internal static class StageCircles
{
    /// <param name="stages">As written, before a foreach makes several of one: a circle of combinations is one of their stages too.</param>
    public static void Find(ImmutableArray<StageSpec> stages, FaultList faults)
    {
        var byName = stages.ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stage in stages)
            Visit(stage, byName, [], done, faults);
    }

    /// <param name="way">The stages from which this one was reached, each needing the next. As deep as there are stages: at most a thousand.</param>
    private static void Visit(StageSpec stage, Dictionary<string, StageSpec> byName, List<string> way, HashSet<string> done, FaultList faults)
    {
        if (done.Contains(stage.Name))
            return;
        way.Add(stage.Name);
        foreach (var input in stage.Inputs)
        {
            if (input.Kind != InputKind.Output || !byName.TryGetValue(StageMatrix.BaseOf(StageSpec.Split(input.Name).Stage), out var needed))
                continue;
            var start = way.IndexOf(needed.Name);
            if (start < 0)
            {
                Visit(needed, byName, way, done, faults);
                continue;
            }

            var circle = string.Join(" → ", way[start..].Append(needed.Name));
            faults.Add(input.At, "circular-stages", $"stages need each other's outputs in a circle: {circle}", "Remove one of these inputs, or split a stage in two.");
        }

        way.RemoveAt(way.Count - 1);
        done.Add(stage.Name);
    }
}
