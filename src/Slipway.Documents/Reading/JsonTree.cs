using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Reading;

/// <summary>Turns JSON text that lies in a project into the same tree as YAML, so that both get faults of the same quality.</summary>
internal ref struct JsonTree
{
    private readonly string file;
    private readonly ReadOnlySpan<byte> content;
    private readonly FaultList faults;
    private Utf8JsonReader reader;
    private int line, lineStart, counted;

    private JsonTree(string file, ReadOnlySpan<byte> content, FaultList faults)
    {
        this.file = file;
        this.content = content;
        this.faults = faults;
        reader = new Utf8JsonReader(content, new JsonReaderOptions { MaxDepth = YamlTree.MostLevels });
        line = 1;
    }

    /// <param name="help">The next step when this is no JSON.</param>
    /// <exception cref="SlipwayException">This is no JSON (exit 2).</exception>
    public static Node Read(string file, ReadOnlySpan<byte> content, string help, FaultList faults)
    {
        try
        {
            var tree = new JsonTree(file, content, faults);
            tree.reader.Read();
            var root = tree.Value();
            tree.reader.Read();     // refuses whatever follows
            return root;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            var json = e as JsonException;
            var at = new Place(file, (int)(json?.LineNumber ?? 0) + 1, (int)(json?.BytePositionInLine ?? 0) + 1);
            throw faults.And(at, "json-syntax", json is null ? "a text here is not UTF-8, the only encoding that is read" : "this is not JSON", help);
        }
    }

    private Node Value()
    {
        var at = Here();
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Value());
                return new ListNode(at, items);
            case JsonTokenType.StartObject:
                return Map(at);
            case JsonTokenType.String:
                return new ScalarNode(at, reader.GetString()!, ScalarKind.Text, at with { Column = at.Column + 1 });
            case JsonTokenType.Number:
                var number = Encoding.UTF8.GetString(reader.ValueSpan);
                return new ScalarNode(at, number, number.AsSpan().ContainsAny('.', 'e', 'E') ? ScalarKind.Number : ScalarKind.Integer, at);
            case JsonTokenType.True or JsonTokenType.False:
                return new ScalarNode(at, reader.GetBoolean() ? "true" : "false", ScalarKind.Boolean, at);
            case JsonTokenType.Null:
                return new ScalarNode(at, "null", ScalarKind.Nothing, at);
            default:
                throw new UnreachableException($"token {reader.TokenType}");
        }
    }

    private MapNode Map(Place at)
    {
        var entries = new List<MapEntry>();
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var (key, keyAt) = (reader.GetString()!, Here());
            reader.Read();
            var value = Value();
            if (places.TryAdd(key, keyAt))
                entries.Add(new MapEntry(key, keyAt, value));
            else
                faults.Add(keyAt, "duplicate-key", $"the key {Node.Quote(key)} stands here a second time, first in line {places[key].Line}", "Keep one of the two.");
        }

        return new MapNode(at, entries);
    }

    private Place Here()
    {
        var start = (int)reader.TokenStartIndex;
        for (; counted < start; counted++)
        {
            if (content[counted] == (byte)'\n')
                (line, lineStart) = (line + 1, counted + 1);
        }

        return new Place(file, line, Encoding.UTF8.GetCharCount(content[lineStart..start]) + 1);
    }
}
