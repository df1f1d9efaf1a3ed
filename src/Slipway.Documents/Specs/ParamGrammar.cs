using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>A map of params: any values, nested maps become dotted names.</summary>
internal sealed class ParamGrammar : Shape<ImmutableArray<Param>>
{
    /// <summary>Params of a project; bounds what later checks have to walk.</summary>
    private const int Most = 1000;

    /// <summary>Where the schema keeps the recursive parts of this shape.</summary>
    private const string Definitions = "#/definitions/";

    /// <summary>The largest integer that every JSON reader keeps exact.</summary>
    private const long MostInteger = (1L << 53) - 1;

    public override string Allowed => "a map of params by name";

    /// <summary>The parts that <see cref="Schema"/> refers to, for the root of the document.</summary>
    public static JsonObject SchemaDefinitions() => new()
    {
        ["params"] = new JsonObject
        {
            ["type"] = "object",
            ["patternProperties"] = new JsonObject
            {
                ["^" + Key.OwnPrefix] = new JsonObject(),
                [$"^(?!{Key.OwnPrefix}){NameRule.Identifier.Pattern}$"] = new JsonObject { ["anyOf"] = new JsonArray(Refer("params"), Refer("value")) },
            },
            ["additionalProperties"] = false,
        },
        ["value"] = new JsonObject
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") },
                new JsonObject { ["type"] = "array", ["items"] = Refer("value") }),
        },
    };

    public override JsonObject Schema() => Refer("params");

    protected override bool Read(Node node, Label label, FaultList faults, out ImmutableArray<Param> value)
    {
        value = [];
        if (node is not MapNode map)
        {
            Refuse(node, label, faults);
            return false;
        }

        var found = ImmutableArray.CreateBuilder<Param>();
        Gather(map, "", found, faults);
        if (found.Count > Most)
            faults.Add(label.At, "bad-value", $"{label.Text} has {found.Count} values, allowed at most {Most}", "Keep larger tables in a file that a stage reads.");
        value = found.DrainToImmutable();
        return true;
    }

    private static JsonObject Refer(string definition) => new() { ["$ref"] = Definitions + definition };

    private static void Gather(MapNode map, string prefix, ImmutableArray<Param>.Builder found, FaultList faults)
    {
        foreach (var (key, keyAt, value) in map.Entries)
        {
            if (key.StartsWith(Key.OwnPrefix, StringComparison.Ordinal))
                continue;
            var name = prefix + key;
            if (!NameRule.IsIdentifier(key))
                faults.Add(keyAt, "bad-name", $"the param name {Node.Quote(key)} is not allowed, allowed {NameRule.Identifier.Allowed}");
            else if (value is MapNode nested)
                Gather(nested, name + ".", found, faults);
            else
                found.Add(new Param(name, Json(value, name, faults), keyAt));
        }
    }

    /// <returns>Undefined when it could not be read; then a fault has been added.</returns>
    internal static JsonElement Json(Node node, string name, FaultList faults)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { SkipValidation = true }))
        {
            if (!Write(node, name, writer, faults))
                return default;
        }

        using var document = JsonDocument.Parse(bytes.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static bool Write(Node node, string name, Utf8JsonWriter writer, FaultList faults)
    {
        switch (node)
        {
            case BrokenNode:
                return false;
            case ListNode list:
                writer.WriteStartArray();
                foreach (var item in list.Items)
                {
                    if (!Write(item, $"an item of {name}", writer, faults))
                        return false;
                }

                writer.WriteEndArray();
                return true;
            case ScalarNode { Kind: ScalarKind.Text } text:
                writer.WriteStringValue(text.Text);
                return true;
            case ScalarNode { Kind: ScalarKind.Boolean } boolean:
                writer.WriteBooleanValue(boolean.Text[0] is 't' or 'T');
                return true;
            case ScalarNode { Kind: ScalarKind.Integer } integer:
                if (long.TryParse(integer.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && Math.Abs((decimal)whole) <= MostInteger)
                {
                    writer.WriteNumberValue(whole);
                    return true;
                }

                faults.Add(node.At, "bad-value", $"{name} is {node.Found}, allowed integers from −(2^53−1) to 2^53−1, which every program keeps exact", "Put it in quotes, so that it travels as text.");
                return false;
            case ScalarNode { Kind: ScalarKind.Number } number:
                var value = double.Parse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
                if (double.IsFinite(value))
                {
                    writer.WriteNumberValue(value);
                    return true;
                }

                faults.Add(node.At, "bad-value", $"{name} is {node.Found}, allowed numbers that a 64-bit float holds");
                return false;
            default:
                var help = node is ScalarNode { Kind: ScalarKind.Unclear } ? "Put it in quotes if it is text; otherwise write true, false or a decimal number." : null;
                faults.Add(node.At, "wrong-type", $"{name} is {node.Found}, allowed text, a number, true, false or a list of such", help);
                return false;
        }
    }
}

/// <summary>One value of a param that is no list: what a foreach may go over.</summary>
internal sealed class ParamValueShape : Shape<JsonElement>
{
    public override string Allowed => "text, a number, true or false";

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number", "boolean") };

    protected override bool Read(Node node, Label label, FaultList faults, out JsonElement value)
    {
        value = default;
        if (node is not ScalarNode)
        {
            Refuse(node, label, faults);
            return false;
        }

        value = ParamGrammar.Json(node, label.Text, faults);
        return value.ValueKind != JsonValueKind.Undefined;
    }
}
