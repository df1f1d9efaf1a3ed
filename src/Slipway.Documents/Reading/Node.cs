using System.Diagnostics;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Reading;

/// <summary>One value of a YAML or JSON file with its place; what <see cref="Shape{T}"/> reads.</summary>
internal abstract class Node(Place at)
{
    /// <summary>The longest text that a message repeats, in characters.</summary>
    private const int LongestQuote = 60;

    public Place At { get; } = at;

    /// <summary>What was found, for a message: <c>'abc'</c>, <c>4</c>, <c>a list</c>, <c>empty</c>.</summary>
    public string Found => this switch
    {
        ScalarNode { Kind: ScalarKind.Nothing } => "empty",
        ScalarNode { Kind: ScalarKind.Text } text => Quote(text.Text),
        ScalarNode scalar => scalar.Text,
        ListNode => "a list",
        MapNode => "a map",
        _ => throw new UnreachableException(),
    };

    /// <summary>A text in quotes, on one line, cut where it is long.</summary>
    public static string Quote(string text)
    {
        var cut = text.Length > LongestQuote ? text[..LongestQuote] + "…" : text;
        return "'" + string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c)) + "'";
    }

    /// <summary><c>, nearest is 'x'</c>, or nothing when no known name is near.</summary>
    public static string Nearest(string found, IEnumerable<string> known) => NearestOf(found, known) is { } nearest ? $", nearest is '{nearest}'" : "";

    /// <summary>The nearest known name; null for what is too long to be one, since the search takes time with the length.</summary>
    public static string? NearestOf(string found, IEnumerable<string> known) => found.Length <= LongestQuote ? NearestName.Of(found, known) : null;
}

/// <param name="text">As written, without quotes and escapes.</param>
/// <param name="textAt">Where the text itself begins: after an opening quote.</param>
internal sealed class ScalarNode(Place at, string text, ScalarKind kind, Place textAt) : Node(at)
{
    public string Text { get; } = text;

    public ScalarKind Kind { get; } = kind;

    public Place TextAt { get; } = textAt;
}

internal sealed class ListNode(Place at, List<Node> items) : Node(at)
{
    public List<Node> Items { get; } = items;
}

/// <param name="entries">In the order of the file, no key twice.</param>
internal sealed class MapNode(Place at, List<MapEntry> entries) : Node(at)
{
    public List<MapEntry> Entries { get; } = entries;
}

internal readonly record struct MapEntry(string Key, Place KeyAt, Node Value);

/// <summary>Stands where a fault has been reported already; whoever reads it stays silent.</summary>
internal sealed class BrokenNode(Place at) : Node(at);
