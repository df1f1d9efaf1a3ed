using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Slipway.Documents.Reading;

/// <summary>A list of values that are all alike.</summary>
/// <param name="atLeast">Fewest items.</param>
/// <param name="atMost">Most items.</param>
/// <param name="distinct">Whether an item may stand only once.</param>
internal sealed class ListShape<T>(Shape<T> item, int atLeast = 0, int atMost = 1000, bool distinct = false) : Shape<ImmutableArray<T>>
{
    public override string Allowed => $"a list, each {item.Allowed}";

    public override JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = item.Schema(), ["maxItems"] = atMost };
        if (atLeast > 0)
            schema["minItems"] = atLeast;
        if (distinct)
            schema["uniqueItems"] = true;
        return schema;
    }

    protected override bool Read(Node node, Label label, FaultList faults, out ImmutableArray<T> value)
    {
        value = [];
        if (node is not ListNode list)
        {
            faults.Add(node.At, "wrong-type", $"{label.Text} is {node.Found}, allowed {Allowed}", node is ScalarNode { Kind: ScalarKind.Text } one ? $"Write [{one.Text}] for a list of one." : null);
            return false;
        }

        if (list.Items.Count < atLeast || list.Items.Count > atMost)
            faults.Add(node.At, "bad-value", $"{label.Text} has {list.Items.Count} items, allowed {(atLeast == atMost ? $"{atLeast}" : $"{atLeast} to {atMost}")}");
        var items = ImmutableArray.CreateBuilder<T>(list.Items.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var each in list.Items)
        {
            if (distinct && each is ScalarNode scalar && !seen.Add(scalar.Text))
                faults.Add(each.At, "duplicate-value", $"{Node.Quote(scalar.Text)} stands twice in {label.Text}", "Keep one of the two.");
            else if (item.TryRead(each, new Label($"an item of {label.Text}", each.At), faults, out var read))
                items.Add(read);
        }

        value = items.DrainToImmutable();
        return true;
    }
}

/// <summary>A map whose keys are names that the user chose.</summary>
/// <param name="isNeeded">Whether there must be an entry.</param>
/// <param name="atMost">Entries; bounds what later checks have to walk.</param>
internal sealed class NamedShape<T>(Shape<T> each, NameRule names, bool isNeeded = false, int atMost = 1000) : Shape<ImmutableArray<Named<T>>>
    where T : class
{
    public override string Allowed => $"a map by name, each {each.Allowed}";

    public override JsonObject Schema()
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["patternProperties"] = names.IgnoresOwn
                ? new JsonObject { ["^" + Key.OwnPrefix] = new JsonObject(), [$"^(?!{Key.OwnPrefix}){names.Pattern}$"] = each.Schema() }
                : new JsonObject { [$"^{names.Pattern}$"] = each.Schema() },
            ["additionalProperties"] = false,
            ["maxProperties"] = atMost,
        };
        // Own keys do not count, which minProperties would: not every key is an own one.
        if (isNeeded)
            schema["not"] = new JsonObject { ["patternProperties"] = new JsonObject { ["^" + Key.OwnPrefix] = new JsonObject() }, ["additionalProperties"] = false };
        return schema;
    }

    protected override bool Read(Node node, Label label, FaultList faults, out ImmutableArray<Named<T>> value)
    {
        value = [];
        if (node is not MapNode map)
        {
            Refuse(node, label, faults);
            return false;
        }

        var entries = ImmutableArray.CreateBuilder<Named<T>>(map.Entries.Count);
        foreach (var (key, keyAt, entry) in map.Entries)
        {
            if (names.IgnoresOwn && key.StartsWith(Key.OwnPrefix, StringComparison.Ordinal))
                continue;
            if (!names.Accepts(key))
                faults.Add(keyAt, "bad-name", $"the name {Node.Quote(key)} is not allowed in {label.Text}, allowed {names.Allowed}");
            entries.Add(new Named<T>(key, keyAt, each.TryRead(entry, new Label(key, keyAt), faults, out var read) ? read : null));
        }

        if ((isNeeded && entries.Count == 0) || map.Entries.Count > atMost)
            faults.Add(label.At, "bad-value", $"{label.Text} has {entries.Count} entries, allowed {(isNeeded ? 1 : 0)} to {atMost}");
        value = entries.DrainToImmutable();
        return !isNeeded || value.Length > 0;
    }
}

/// <summary>One shape for a scalar, another for a list or map.</summary>
/// <param name="scalar">Reads scalars; null when there is no such form.</param>
internal sealed class EitherShape<T>(Shape<T>? scalar = null, Shape<T>? list = null, Shape<T>? map = null) : Shape<T>
    where T : notnull
{
    private IEnumerable<Shape<T>> All => new[] { scalar, list, map }.OfType<Shape<T>>();

    public override string Allowed => string.Join(", or ", All.Select(shape => shape.Allowed));

    public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray([.. All.Select(shape => (JsonNode)shape.Schema())]) };

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        var fitting = node switch
        {
            ScalarNode { Kind: not ScalarKind.Nothing } => scalar,
            ListNode => list,
            MapNode => map,
            _ => null,
        };
        if (fitting is not null)
            return fitting.TryRead(node, label, faults, out value);
        Refuse(node, label, faults);
        value = default;
        return false;
    }
}

/// <summary>What another shape reads, made into something else.</summary>
internal sealed class MadeShape<TFrom, T>(Shape<TFrom> from, Func<TFrom, Node, T> make) : Shape<T>
{
    public override string Allowed => from.Allowed;

    public override JsonObject Schema() => from.Schema();

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (!from.TryRead(node, label, faults, out var read))
            return false;
        value = make(read, node);
        return true;
    }
}

/// <param name="IsSound">Whether everything inside could be read; where not, faults have been added, and what hangs together is not worth a check.</param>
internal sealed record Sound<T>(T Value, bool IsSound);

/// <summary>What another shape reads, and whether it had any fault.</summary>
internal sealed class SoundShape<T>(Shape<T> shape) : Shape<Sound<T>>
{
    public override string Allowed => shape.Allowed;

    public override JsonObject Schema() => shape.Schema();

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out Sound<T> value)
    {
        value = null;
        var before = faults.Count;
        if (!shape.TryRead(node, label, faults, out var read))
            return false;
        value = new Sound<T>(read, faults.Count == before);
        return true;
    }
}
