using System.Globalization;
using System.Text;
using Slipway.Documents.Specs;

namespace Slipway.Documents.Artifacts;

/// <summary>A spec's stages as text for people, as a Mermaid flowchart, and in Graphviz' language.</summary>
public static class StageGraphText
{
    /// <summary>A line for each stage with what it takes in, and below it what it makes; in the order in which they run.</summary>
    public static string Plain(StageGraph graph)
    {
        var steps = graph.Nodes.Where(node => node.Kind is not (StageNodeKind.Dataset or StageNodeKind.Path)).ToList();
        var width = steps.Select(step => step.Shown.Length).DefaultIfEmpty().Max();
        var taken = graph.Edges.ToLookup(edge => edge.To, edge => edge.Artifact, StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var step in steps)
        {
            var inputs = string.Join(", ", taken[step.Id]);
            text.Append(step.Shown.PadRight(width)).Append("  ").Append(inputs.Length == 0 ? "← nothing" : "← " + inputs).Append('\n');
            foreach (var (name, path) in step.Outputs)
                text.Append(' ', width).Append(CultureInfo.InvariantCulture, $"  → {step.Name}.{name}  {path}\n");
        }

        return text.ToString();
    }

    /// <summary>Ids are n0, n1, …, and labels are quoted text without any mark-up.</summary>
    public static string Mermaid(StageGraph graph)
    {
        var text = new StringBuilder("flowchart LR\n");
        var ids = Ids(graph);
        foreach (var node in graph.Nodes)
        {
            var (open, close) = node.Kind switch
            {
                StageNodeKind.Dataset => ("[(", ")]"),
                StageNodeKind.Bundle => ("([", "])"),
                _ => ("[", "]"),
            };
            text.Append("  ").Append(ids[node.Id]).Append(open).Append('"').Append(MermaidText.Escaped(node.Shown)).Append('"').Append(close).Append('\n');
        }

        foreach (var edge in graph.Edges)
        {
            var label = LabelOf(edge) is { } artifact ? $"|\"{MermaidText.Escaped(artifact)}\"|" : "";
            text.Append("  ").Append(ids[edge.From]).Append(" -->").Append(label).Append(' ').Append(ids[edge.To]).Append('\n');
        }

        return text.ToString();
    }

    /// <remarks>Source: Graphviz, "DOT Language": in a quoted string only the quote is escaped; a label also reads backslashes.</remarks>
    public static string Dot(StageGraph graph)
    {
        var text = new StringBuilder("digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n");
        var ids = Ids(graph);
        foreach (var node in graph.Nodes)
        {
            var shape = node.Kind switch { StageNodeKind.Dataset => ", shape=cylinder", StageNodeKind.Path => ", shape=note", StageNodeKind.Bundle => ", shape=oval", _ => "" };
            text.Append(CultureInfo.InvariantCulture, $"  {ids[node.Id]} [label=\"{Quoted(node.Shown)}\"{shape}];\n");
        }

        foreach (var edge in graph.Edges)
        {
            var label = LabelOf(edge) is { } artifact ? $" [label=\"{Quoted(artifact)}\"]" : "";
            text.Append(CultureInfo.InvariantCulture, $"  {ids[edge.From]} -> {ids[edge.To]}{label};\n");
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>Which output goes along an edge; null where the node that it comes from says so already.</summary>
    private static string? LabelOf(StageEdge edge) =>
        edge.From.StartsWith(StageGraph.StagePrefix, StringComparison.Ordinal) ? StageSpec.Split(edge.Artifact).Output : null;

    private static Dictionary<string, string> Ids(StageGraph graph) =>
        graph.Nodes.Index().ToDictionary(node => node.Item.Id, node => "n" + node.Index.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal);

    private static string Quoted(string text) =>
        string.Concat(text.Select(c => c switch { '"' => "\\\"", '\\' => "\\\\", _ when char.IsControl(c) => "\uFFFD", _ => c.ToString() }));
}
