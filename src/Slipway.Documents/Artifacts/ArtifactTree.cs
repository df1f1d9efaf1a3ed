using System.Text;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Artifacts;

/// <summary>A graph as a tree of lines for people: what was made above what it was made from.</summary>
public static class ArtifactTree
{
    /// <summary>From these down to all that they came from. What several took in stands in full once, and by its name after that.</summary>
    public static string Ancestors(ArtifactGraph graph, IEnumerable<ArtifactNode> roots) =>
        Write(graph, roots, graph.Edges.ToLookup(edge => edge.To, edge => (edge.From, edge.Stage), StringComparer.Ordinal));

    /// <summary>From these up to all that came of them.</summary>
    public static string Descendants(ArtifactGraph graph, IEnumerable<ArtifactNode> roots) =>
        Write(graph, roots, graph.Edges.ToLookup(edge => edge.From, edge => (edge.To, edge.Stage), StringComparer.Ordinal));

    private static string Write(ArtifactGraph graph, IEnumerable<ArtifactNode> roots, ILookup<string, (string Id, string Stage)> next)
    {
        var nodes = graph.Nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var (text, told) = (new StringBuilder(), new HashSet<string>(StringComparer.Ordinal));
        // A stack of its own: how deep a graph is, its maker decides.
        var open = new Stack<(ArtifactNode Node, string Stage, string Indent, string Mark, string Below)>();
        foreach (var root in roots.Reverse())
            open.Push((root, "", "", "", ""));
        while (open.TryPop(out var line))
        {
            var children = next[line.Node.Id].Distinct().ToArray();
            var isNew = told.Add(line.Node.Id);
            text.Append(line.Indent).Append(line.Mark).Append(Words(line.Node));
            if (line.Stage.Length > 0)
                text.Append("  by ").Append(line.Stage);
            text.Append(isNew || children.Length == 0 ? "\n" : "  (as above)\n");
            for (var i = children.Length - 1; isNew && i >= 0; i--)
            {
                var isLast = i == children.Length - 1;
                open.Push((nodes[children[i].Id], children[i].Stage, line.Indent + line.Below, isLast ? "└─ " : "├─ ", isLast ? "   " : "│  "));
            }
        }

        return text.ToString();
    }

    private static string Words(ArtifactNode node) =>
        $"{NamedEnum<ArtifactNodeKind>.Word(node.Kind)} {node.Name}  {node.Digest}"
        + (node.Size is { } size ? $"  {new ByteSize(size)}" : "")
        + (node.Files is { } files ? $" in {Charts.CountText.Some(files, "file")}" : "");
}
