using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Slipway.Documents.Reading;

/// <summary>A key that a map may have.</summary>
/// <param name="about">One sentence for the schema, which editors show.</param>
internal abstract class Key(string name, bool required, string about)
{
    /// <summary>What the user's own keys begin with; they may stand beside any known key and are not read.</summary>
    public const string OwnPrefix = "x-";

    public string Name { get; } = name;

    public bool Required { get; } = required;

    public string About { get; } = about;

    public abstract JsonObject Schema();

    /// <returns>The value, boxed; null when nothing was read.</returns>
    public abstract object? Read(MapEntry entry, FaultList faults);
}

internal sealed class Key<T>(string name, Shape<T> shape, string about, bool required = false) : Key(name, required, about)
    where T : notnull
{
    public override JsonObject Schema() => shape.Schema();

    public override object? Read(MapEntry entry, FaultList faults) =>
        shape.TryRead(entry.Value, new Label(entry.Key, entry.KeyAt), faults, out var value) ? value : null;
}

/// <summary>A map with known keys; any other is refused with the nearest known one.</summary>
internal sealed class RecordShape<T>(ImmutableArray<Key> keys, Func<Fields, T> build) : Shape<T>
{
    public override string Allowed => $"a map with the keys {string.Join(", ", keys.Select(key => key.Name))}";

    public override JsonObject Schema()
    {
        var properties = new JsonObject();
        foreach (var key in keys)
        {
            var schema = key.Schema();
            schema["description"] = key.About;
            properties[key.Name] = schema;
        }

        var result = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (keys.Any(key => key.Required))
            result["required"] = new JsonArray([.. keys.Where(key => key.Required).Select(key => (JsonNode)key.Name)]);
        result["patternProperties"] = new JsonObject { ["^" + Key.OwnPrefix] = new JsonObject() };
        result["additionalProperties"] = false;
        return result;
    }

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        if (node is not MapNode map)
        {
            Refuse(node, label, faults);
            value = default;
            return false;
        }

        var fields = new Fields(keys, label.At);
        foreach (var entry in map.Entries)
        {
            if (entry.Key.StartsWith(Key.OwnPrefix, StringComparison.Ordinal))
                continue;
            if (fields.TrySet(entry, faults))
                continue;
            var nearest = Node.NearestOf(entry.Key, keys.Select(key => key.Name));
            if (nearest is not null)
                fields.Misspelt(nearest);
            faults.Add(
                entry.KeyAt,
                "unknown-key",
                $"unknown key {Node.Quote(entry.Key)}{(nearest is null ? "" : $", nearest is '{nearest}'")}; {label.Text} may have {string.Join(", ", keys.Select(key => key.Name))}",
                nearest is null ? $"Remove it; a key of your own begins with {Key.OwnPrefix}." : $"Write '{nearest}'.");
        }

        foreach (var key in keys)
        {
            // A misspelt key is one mistake, not two.
            if (key.Required && !fields.Has(key) && !fields.IsUnread(key))
                faults.Add(label.At, "missing-key", $"{label.Text} lacks the key '{key.Name}'", $"{key.Name}: {key.About}");
        }

        value = build(fields);
        return true;
    }
}

/// <summary>The values of one map by key. What is absent or was faulty reads as null or empty.</summary>
/// <param name="at">Where the map's own name stands.</param>
internal sealed class Fields(ImmutableArray<Key> keys, Place at)
{
    private readonly object?[] values = new object?[keys.Length];
    private readonly Place?[] places = new Place?[keys.Length];
    private readonly HashSet<string> misspelt = [];

    public Place At { get; } = at;

    public bool TrySet(MapEntry entry, FaultList faults)
    {
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i].Name != entry.Key)
                continue;
            (places[i], values[i]) = (entry.KeyAt, keys[i].Read(entry, faults));
            return true;
        }

        return false;
    }

    /// <summary>Whether the key stands in the file, sound or not.</summary>
    public bool Has(Key key) => places[IndexOf(key)] is not null;

    /// <summary>Where the key itself stands.</summary>
    public Place? PlaceOf(Key key) => places[IndexOf(key)];

    public void Misspelt(string meant) => misspelt.Add(meant);

    /// <summary>Whether a value was given but none was read; then a fault has been reported, and nothing is known.</summary>
    public bool IsUnread(Key key) => Has(key) ? values[IndexOf(key)] is null : misspelt.Contains(key.Name);

    public T? Of<T>(Key<T> key) where T : class => (T?)values[IndexOf(key)];

    public T? Value<T>(Key<T> key) where T : struct => (T?)values[IndexOf(key)];

    public ImmutableArray<T> Items<T>(Key<ImmutableArray<T>> key) => Value(key) ?? [];

    /// <summary>The items; null when they were given but could not be read.</summary>
    public ImmutableArray<T>? Known<T>(Key<ImmutableArray<T>> key) => IsUnread(key) ? null : Items(key);

    private int IndexOf(Key key)
    {
        var i = keys.IndexOf(key);
        return i >= 0 ? i : throw new UnreachableException($"the key '{key.Name}' is not in its map's list");
    }
}
