using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Slipway.Documents.Reading;

namespace Slipway.Tests.Documents.Reading;

/// <summary>YAML as JSON, as editors and schema checkers see it, and mutations of it.</summary>
internal static class Yaml
{
    public static JsonNode ToJson(string yaml) => ToJson(YamlTree.Read("f", Encoding.UTF8.GetBytes(yaml), "spec", new FaultList()))!;

    /// <summary>YAML that reads back as the same: flow style, texts in quotes.</summary>
    public static string FromJson(JsonNode? node) => node?.ToJsonString() ?? "null";

    /// <summary>Every document that differs from this one in one place: a key dropped, misspelt, added, made the user's own, or a value of another type.</summary>
    public static IEnumerable<(string What, JsonNode Document)> Mutations(JsonNode document)
    {
        foreach (var path in Paths(document, []).ToArray())
        {
            foreach (var (what, change) in Changes)
            {
                var copy = document.DeepClone();
                if (change(path.SkipLast(1).Aggregate(copy, Step), path[^1]))
                    yield return ($"{what} at {string.Join('/', path)}", copy);
            }
        }
    }

    private static readonly (string, Func<JsonNode, object, bool>)[] Changes =
    [
        ("dropped", (parent, at) => parent is JsonObject map ? map.Remove((string)at) : Remove(parent.AsArray(), (int)at)),
        ("misspelt", (parent, at) => Rename(parent, at, name => name + "q")),
        ("capital", (parent, at) => Rename(parent, at, name => char.ToUpperInvariant(name[0]) + name[1..])),
        ("own", (parent, at) => Rename(parent, at, name => "x-" + name)),
        ("a list", (parent, at) => Set(parent, at, new JsonArray())),
        ("a list of lists", (parent, at) => Set(parent, at, new JsonArray(new JsonArray()))),
        ("a map", (parent, at) => Set(parent, at, new JsonObject())),
        ("a map with a key", (parent, at) => Set(parent, at, new JsonObject { ["extra"] = 1 })),
        ("null", (parent, at) => Set(parent, at, null)),
        ("true", (parent, at) => Set(parent, at, true)),
        ("a whole number", (parent, at) => Set(parent, at, 7)),
        ("a negative number", (parent, at) => Set(parent, at, -7)),
        ("a fraction", (parent, at) => Set(parent, at, 0.75)),
        ("a large number", (parent, at) => Set(parent, at, 123456789012)),
        ("a word", (parent, at) => Set(parent, at, "word")),
        ("an empty text", (parent, at) => Set(parent, at, "")),
        ("a size", (parent, at) => Set(parent, at, "4 GiB")),
        ("a share", (parent, at) => Set(parent, at, "75 %")),
        ("a date", (parent, at) => Set(parent, at, "2001-01-31")),
        ("an absolute path", (parent, at) => Set(parent, at, "/etc/passwd")),
        ("a path outside", (parent, at) => Set(parent, at, "a/../../b")),
    ];

    private static JsonNode? ToJson(Node node) => node switch
    {
        MapNode map => new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key, ToJson(entry.Value)))),
        ListNode list => new JsonArray([.. list.Items.Select(ToJson)]),
        ScalarNode { Kind: ScalarKind.Nothing } => null,
        ScalarNode { Kind: ScalarKind.Boolean } scalar => bool.Parse(scalar.Text),
        ScalarNode { Kind: ScalarKind.Integer } scalar => long.Parse(scalar.Text, CultureInfo.InvariantCulture),
        ScalarNode { Kind: ScalarKind.Number } scalar => double.Parse(scalar.Text, CultureInfo.InvariantCulture),
        ScalarNode scalar => scalar.Text,
        _ => throw new ArgumentException("not a tree of JSON's kinds"),
    };

    private static IEnumerable<object[]> Paths(JsonNode? node, object[] here) => node switch
    {
        JsonObject map => map.SelectMany(entry => Paths(entry.Value, [.. here, entry.Key]).Prepend([.. here, entry.Key])),
        JsonArray list => Enumerable.Range(0, list.Count).SelectMany(i => Paths(list[i], [.. here, i]).Prepend([.. here, i])),
        _ => [],
    };

    private static JsonNode Step(JsonNode node, object at) => at is int index ? node[index]! : node[(string)at]!;

    private static bool Remove(JsonArray list, int at)
    {
        list.RemoveAt(at);
        return true;
    }

    private static bool Set(JsonNode parent, object at, JsonNode? value)
    {
        if (at is int index)
            parent[index] = value;
        else
            parent[(string)at] = value;
        return true;
    }

    private static bool Rename(JsonNode parent, object at, Func<string, string> rename)
    {
        if (parent is not JsonObject map || !map.Remove((string)at, out var value))
            return false;
        map[rename((string)at)] = value;
        return true;
    }
}
