using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Artifacts;

/// <summary>Finds an artifact in a graph, what it came from, and what came of it.</summary>
public static class ArtifactSearch
{
    /// <summary>Hex digits by which a digest may be named at least: below it, chance finds another.</summary>
    public const int LeastDigits = 8;

    /// <summary>The nodes of that name, id or digest; several where content or name is the same.</summary>
    /// <param name="text">A name, an id, or a digest or its beginning, of <see cref="LeastDigits"/> or more, with <c>sha256:</c> or without.</param>
    /// <exception cref="SlipwayException">There is none (exit 2).</exception>
    public static ImmutableArray<ArtifactNode> Find(ArtifactGraph graph, string text)
    {
        var named = graph.Nodes.Where(node => node.Name == text || node.Id == text).ToImmutableArray();
        if (!named.IsEmpty)
            return named;
        var digits = text.StartsWith("sha256:", StringComparison.Ordinal) ? text["sha256:".Length..] : text;
        var isHex = digits.Length is > 0 and <= 64 && digits.All(char.IsAsciiHexDigitLower);
        if (isHex && digits.Length >= LeastDigits)
        {
            var found = graph.Nodes.Where(node => node.Digest.Hex.StartsWith(digits, StringComparison.Ordinal)).ToImmutableArray();
            if (found.Select(node => node.Digest).Distinct().Count() > 1)
                throw NotFound($"'{text}' begins more than one digest", "write more of its digits");
            if (!found.IsEmpty)
                return found;
        }

        var nearest = NearestName.Of(text, graph.Nodes.Select(node => node.Name));
        throw NotFound($"the bundle was made from no artifact '{text}'",
            nearest is not null ? $"did you mean {nearest}?"
            : isHex && digits.Length < LeastDigits ? $"a digest needs at least {LeastDigits} digits"
            : "a dataset, stage.output, a path as the spec has it, or a digest; without --of all of them are shown");

        static SlipwayException NotFound(string message, string help) => new(ExitCode.UnusableInput, new Fault("artifact-not-found", message, Help: help));
    }

    /// <summary>The parts of a graph that some nodes came from, themselves among them.</summary>
    public static ArtifactGraph Ancestors(ArtifactGraph graph, IEnumerable<ArtifactNode> of) => graph.Only(Reach(of, graph.Edges.ToLookup(edge => edge.To, edge => edge.From, StringComparer.Ordinal)));

    /// <summary>The parts that came of them, themselves among them.</summary>
    public static ArtifactGraph Descendants(ArtifactGraph graph, IEnumerable<ArtifactNode> of) => graph.Only(Reach(of, graph.Edges.ToLookup(edge => edge.From, edge => edge.To, StringComparer.Ordinal)));

    /// <summary>Both: all that has to do with them.</summary>
    public static ArtifactGraph Around(ArtifactGraph graph, ImmutableArray<ArtifactNode> of) =>
        graph.Only(Ancestors(graph, of).Nodes.Concat(Descendants(graph, of).Nodes).Select(node => node.Id).ToHashSet(StringComparer.Ordinal));

    private static HashSet<string> Reach(IEnumerable<ArtifactNode> from, ILookup<string, string> next)
    {
        var reached = from.Select(node => node.Id).ToHashSet(StringComparer.Ordinal);
        var open = new Stack<string>(reached);
        while (open.TryPop(out var id))
        {
            foreach (var other in next[id].Where(reached.Add))
                open.Push(other);
        }

        return reached;
    }
}
