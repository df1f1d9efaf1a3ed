using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Lineage;

namespace Slipway.Documents.Cards;

/// <summary>Draws what a bundle was made from: what went in, the stages, and what nothing else took in.</summary>
public static class LineageChart
{
    public static GraphChart Of(LineageGraph lineage)
    {
        var outputs = lineage.Stages.SelectMany(stage => stage.Outputs.Select(output => (Name: $"{stage.Name}.{output.Key}", Stage: stage.Name, output.Value))).ToDictionary(output => output.Name, StringComparer.Ordinal);
        var (nodes, edges) = (ImmutableArray.CreateBuilder<GraphNode>(), ImmutableArray.CreateBuilder<GraphEdge>());
        foreach (var stage in lineage.Stages)
        {
            nodes.Add(new($"stage {stage.Name}", stage.Name, $"stage, key {stage.StepKey.Short}", GraphNodeKind.Stage));
            foreach (var (name, digest) in stage.Inputs)
            {
                if (!outputs.ContainsKey(name) && nodes.All(node => node.Id != $"input {name}"))
                    nodes.Add(new($"input {name}", name, digest.Short, GraphNodeKind.Source));
                edges.Add(new(outputs.TryGetValue(name, out var output) ? $"stage {output.Stage}" : $"input {name}", $"stage {stage.Name}"));
            }
        }

        var taken = lineage.Stages.SelectMany(stage => stage.Inputs.Keys).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, stage, digest) in outputs.Values.Where(output => !taken.Contains(output.Name)))
        {
            nodes.Add(new($"output {name}", name, digest.Short, GraphNodeKind.Result));
            edges.Add(new($"stage {stage}", $"output {name}"));
        }

        return new(
            "lineage", "What it was made from",
            $"From left to right: {CountText.Some(nodes.Count(node => node.Kind == GraphNodeKind.Source), "input")}, {CountText.Some(lineage.Stages.Length, "stage")} and {CountText.Some(nodes.Count(node => node.Kind == GraphNodeKind.Result), "result")}, each with its digest. The same digests give the same bundle.",
            nodes.ToImmutable(), edges.ToImmutable());
    }
}
