using Slipway.Primitives.Faults;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Slipway.Documents.Reading;

/// <summary>
/// Turns YAML text into a tree of <see cref="Node"/>. One document; no anchors, aliases, tags or merge keys, so a file is never
/// larger in memory than on disk, and reads the same for people and for every YAML version.
/// </summary>
internal sealed class YamlTree
{
    /// <summary>Levels of nesting; a spec has about six. Bounds the recursion here and in the shapes.</summary>
    public const int MostLevels = 32;

    /// <summary>Characters of a key. Bounds the search for the nearest known one.</summary>
    public const int LongestKey = 200;

    private readonly string file;
    private readonly string text;
    private readonly FaultList faults;
    private readonly Scanner scanner;
    private readonly Parser parser;

    private YamlTree(string file, string text, FaultList faults)
    {
        (this.file, this.text, this.faults) = (file, text, faults);
        scanner = new Scanner(new StringReader(text));
        parser = new Parser(scanner);
    }

    /// <returns>The document's root; faults that leave a readable tree, such as duplicate keys, are added.</returns>
    /// <param name="kind">What the file is, for codes and messages: <c>spec</c>, <c>expectations</c>.</param>
    /// <exception cref="SlipwayException">No tree can be read: syntax, encoding, an empty file, several documents (exit 2).</exception>
    public static Node Read(string file, ReadOnlySpan<byte> content, string kind, FaultList faults)
    {
        if (content.Length > UserFile.MostBytes)
            throw faults.And(new Place(file, 1, 1), $"{kind}-too-large", $"the {kind} file has {content.Length} bytes, allowed at most {UserFile.MostBytes}");
        var text = UserFile.Text(file, content, faults) ?? throw new SlipwayException(ExitCode.UnusableInput, faults.InOrder);
        try
        {
            return new YamlTree(file, text, faults).Document(kind);
        }
        catch (YamlException e)
        {
            throw Syntax(file, text, e, faults);
        }
    }

    private static SlipwayException Syntax(string file, string text, YamlException e, FaultList faults)
    {
        var lines = text.Split('\n');
        for (var i = Math.Max(0, (int)e.Start.Line - 1); i < Math.Min(lines.Length, (int)e.End.Line + 1); i++)
        {
            var tab = lines[i].AsSpan(0, lines[i].Length - lines[i].TrimStart().Length).IndexOf('\t');
            if (tab >= 0)
                return faults.And(new Place(file, i + 1, tab + 1), "yaml-syntax", "this line is indented with a tab, allowed are spaces", "Replace the tab by spaces.");
        }

        var reason = e.Message.TrimEnd('.');
        return faults.And(
            new Place(file, Math.Max(1, (int)e.Start.Line), Math.Max(1, (int)e.Start.Column)),
            "yaml-syntax",
            $"this is not YAML: {char.ToLowerInvariant(reason[0])}{reason[1..]}",
            "Look here and in the line above for an indentation that does not match, an open bracket or quote, or a text with ': ' or a leading @ ` % & * ! | > that needs quotes.");
    }

    /// <summary>Moves to the next event. The package fails on some broken input in other ways than its own exception says.</summary>
    private void Next()
    {
        try
        {
            parser.MoveNext();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException or NullReferenceException)
        {
            throw NoRule(e);
        }
    }

    private YamlException NoRule(Exception? cause) =>
        new(scanner.CurrentPosition, scanner.CurrentPosition, "what stands here fits no rule", cause);

    private Node Document(string kind)
    {
        Next();      // the stream's start
        Next();
        if (parser.Current is StreamEnd)
            throw Empty();
        Next();      // over the document's start
        var root = Value(1);
        if (root is ScalarNode { Kind: ScalarKind.Nothing } || root is MapNode { Entries.Count: 0 } && !faults.Any)
            throw Empty();
        Next();      // over the document's end
        if (parser.Current is not StreamEnd)
            throw faults.And(Here(), "several-documents", "a second YAML document begins here, allowed is one", "Remove the line '---', or keep each document in a file of its own.");
        return root;

        SlipwayException Empty() =>
            faults.And(new Place(file, 1, 1), $"{kind}-empty", $"the {kind} file is empty", $"Write the {kind}; 'slipway schema' prints the keys that it may have.");
    }

    /// <summary>Reads the value that begins at the current event and moves past its end.</summary>
    private Node Value(int level)
    {
        var at = Here();
        if (level > MostLevels)
            throw faults.And(at, "too-deep", $"values are nested more than {MostLevels} levels deep here");
        if (parser.Current is NodeEvent { Anchor.IsEmpty: false })
            faults.Add(at, "yaml-anchor", "an anchor stands here, which is not read", "Write the value out in every place.");
        if (parser.Current is NodeEvent { Tag.IsEmpty: false })
            faults.Add(at, "yaml-tag", "a tag stands here, which is not read", "Remove the tag; put a text in quotes.");
        switch (parser.Current)
        {
            case AnchorAlias:
                faults.Add(at, "yaml-anchor", "an alias stands here, which is not read", "Write the value out.");
                Next();
                return new BrokenNode(at);
            case Scalar scalar:
                Next();
                return IsSound(scalar.Value) ? Of(scalar, at) : Unsound(at);
            case SequenceStart:
                return List(at, level);
            case MappingStart:
                return Map(at, level);
            default:
                // The package pairs the ends of some broken input wrongly.
                throw NoRule(null);
        }
    }

    /// <summary>Escapes can make what no file holds: NUL, which ends a C string, and lone surrogates, which have no bytes.</summary>
    private static bool IsSound(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
                return false;
        }

        return true;
    }

    private BrokenNode Unsound(Place at)
    {
        faults.Add(at, "control-character", "this text holds a NUL or half a character, allowed is Unicode text");
        return new BrokenNode(at);
    }

    private ScalarNode Of(Scalar scalar, Place at) => new(
        at,
        scalar.Value,
        scalar.Style == ScalarStyle.Plain ? PlainScalar.KindOf(scalar.Value) : ScalarKind.Text,
        scalar.Style switch
        {
            ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted => at with { Column = at.Column + 1 },
            ScalarStyle.Literal or ScalarStyle.Folded => FirstOfBlock((int)scalar.Start.Index, at),
            _ => at,
        });

    /// <summary>Where the text of a block begins, whose indicator (<c>|</c> or <c>></c>) is at the index: on a later line.</summary>
    private Place FirstOfBlock(int indicator, Place at)
    {
        var (line, start) = (at.Line, -1);
        var i = text.IndexOf('\n', indicator);
        for (; i >= 0 && i < text.Length && text[i] is ('\n' or '\r' or ' '); i++)
        {
            if (text[i] == '\n')
                (line, start) = (line + 1, i + 1);
        }

        return i < 0 || i == text.Length ? at : new Place(file, line, i - start + 1);
    }

    private ListNode List(Place at, int level)
    {
        var items = new List<Node>();
        Next();
        while (parser.Current is not SequenceEnd)
            items.Add(Value(level + 1));
        Next();
        return new ListNode(at, items);
    }

    private MapNode Map(Place at, int level)
    {
        var entries = new List<MapEntry>();
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        Next();
        while (parser.Current is not MappingEnd)
        {
            var keyAt = Here();
            var isMerge = parser.Current is Scalar { Style: ScalarStyle.Plain, Value: "<<" };
            var key = Value(level + 1);
            var value = Value(level + 1);
            if (isMerge)
                faults.Add(keyAt, "yaml-anchor", "a merge key stands here, which is not read", "Write the keys out.");
            else if (key is not ScalarNode { Text: { Length: > 0 and <= LongestKey } name })
                faults.Add(keyAt, "bad-name", $"a key here is {(key is ScalarNode long_ ? $"{long_.Text.Length} characters long" : key is BrokenNode ? "an alias" : key.Found)}, allowed is a text of 1 to {LongestKey} characters");
            else if (!places.TryAdd(name, keyAt))
                faults.Add(keyAt, "duplicate-key", $"the key '{name}' stands here a second time, first in line {places[name].Line}", "Keep one of the two.");
            else
                entries.Add(new MapEntry(name, keyAt, value));
        }

        Next();
        return new MapNode(at, entries);
    }

    private Place Here() => new(file, (int)parser.Current!.Start.Line, (int)parser.Current.Start.Column);
}
