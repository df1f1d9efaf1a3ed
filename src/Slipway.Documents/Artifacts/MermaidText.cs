using System.Globalization;
using System.Text;

namespace Slipway.Documents.Artifacts;

/// <summary>A graph as a Mermaid flowchart: ids are n0, n1, …, and labels are quoted text without any mark-up.</summary>
/// <remarks>Source: Mermaid, "Flowcharts - Basic Syntax", whose entity codes are <c>#</c>, the decimal code point, and <c>;</c>.</remarks>
public static class MermaidText
{
    public static string Write(ArtifactGraph graph)
    {
        var text = new StringBuilder("flowchart LR\n");
        var ids = graph.Nodes.Index().ToDictionary(node => node.Item.Id, node => "n" + node.Index.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            // Shapes tell apart what is stored, what is code, and what is made.
            var (open, close) = node.Kind switch
            {
                ArtifactNodeKind.SourceFile or ArtifactNodeKind.Snapshot => ("[(", ")]"),
                ArtifactNodeKind.Model or ArtifactNodeKind.Bundle => ("([", "])"),
                _ => ("[", "]"),
            };
            text.Append("  ").Append(ids[node.Id]).Append(open).Append('"')
                .Append(Escaped(NamedEnum<ArtifactNodeKind>.Word(node.Kind))).Append(' ').Append(Escaped(node.Name)).Append("<br/>").Append(Escaped(node.Digest.Short)).Append('"').Append(close).Append('\n');
        }

        foreach (var edge in graph.Edges)
            text.Append("  ").Append(ids[edge.From]).Append(" -->|\"").Append(Escaped(edge.Stage)).Append("\"| ").Append(ids[edge.To]).Append('\n');
        return text.ToString();
    }

    /// <summary>Letters, digits and what cannot mean anything stay; all else is its code.</summary>
    internal static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune) || rune.Value is ' ' or '.' or '-' or '_' or '/' or ':' or ',')
                escaped.Append(rune.ToString());
            else if (Rune.IsControl(rune))
                escaped.Append('\uFFFD');
            else
                escaped.Append(CultureInfo.InvariantCulture, $"#{rune.Value};");
        }

        return escaped.ToString();
    }
}
