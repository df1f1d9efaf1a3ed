using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Tensors;

/// <summary>Tensors as the Open Inference Protocol writes them in JSON: <c>{"name", "shape", "datatype", "data"}</c>.</summary>
/// <remarks>
/// Source: Open Inference Protocol v2, REST, "Inference Request JSON Object" and "Tensor Data". Data may be flat or nested; a nested
/// one must have the declared shape. Keys that the protocol does not know are refused: a misspelt one would silently do nothing.
/// </remarks>
public static partial class TensorJson
{
    private static readonly string[] Keys = ["name", "shape", "datatype", "parameters", "data"];

    /// <summary>The wire's name: FP32, INT64, BYTES for strings.</summary>
    public static string NameOf(Datatype datatype) => datatype switch
    {
        Datatype.Bool => "BOOL",
        Datatype.UInt8 => "UINT8",
        Datatype.UInt16 => "UINT16",
        Datatype.UInt32 => "UINT32",
        Datatype.UInt64 => "UINT64",
        Datatype.Int8 => "INT8",
        Datatype.Int16 => "INT16",
        Datatype.Int32 => "INT32",
        Datatype.Int64 => "INT64",
        Datatype.Float32 => "FP32",
        Datatype.Float64 => "FP64",
        Datatype.String => "BYTES",
        _ => throw new UnreachableException($"no datatype {datatype}"),
    };

    /// <summary>Reads an array of tensors into a cleared set; the reader stands on the array and is left on its end.</summary>
    /// <returns>The first thing that is wrong, as a sentence for the sender; null when all is well. The set is not checked yet.</returns>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static string? Read(ref Utf8JsonReader reader, TensorSet set)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return $"'{set.Kind}s' must be an array of tensors";
        for (var i = 0; Next(ref reader) != JsonTokenType.EndArray; i++)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                return $"{set.Kind} {i} must be an object with {string.Join(", ", Keys)}";
            var fault = FindName(reader, set, i, out var tensor);
            if ((fault ??= ReadTensor(ref reader, tensor!, $"{set.Kind} '{tensor?.Spec.Name}'")) is not null)
                return fault;
        }

        return null;
    }

    /// <summary>Text of a string token.</summary>
    /// <exception cref="JsonException">It has bytes that are no UTF-8, or half of a surrogate pair.</exception>
    public static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a string is no valid Unicode", e);
        }
    }

    /// <summary>Where a text stops being JSON, for a message. The framework's own words are left out: trimmed builds have none.</summary>
    public static string PlaceOf(JsonException e) =>
        e is { LineNumber: { } line, BytePositionInLine: { } position } ? $"line {line + 1}, byte {position + 1}" : e.Message;

    /// <summary>What to say of a key that an object may not have.</summary>
    public static string UnknownKey(string where, string key, IReadOnlyList<string> known) =>
        NearestName.Of(key, known) is { } near
            ? $"{where}: unknown key '{key}'; did you mean '{near}'?"
            : $"{where}: unknown key '{key}'; allowed are {string.Join(", ", known)}";

    /// <summary>The name comes first in what clients write; where it does not, a copy of the reader runs ahead to find it.</summary>
    private static string? FindName(Utf8JsonReader ahead, TensorSet set, int index, out Tensor? tensor)
    {
        tensor = null;
        while (Next(ref ahead) == JsonTokenType.PropertyName)
        {
            var isName = ahead.ValueTextEquals("name"u8);
            Next(ref ahead);
            if (!isName)
            {
                ahead.Skip();
                continue;
            }

            if (ahead.TokenType != JsonTokenType.String)
                return $"{set.Kind} {index}: its name must be a string";
            foreach (var candidate in set.Tensors)
            {
                if (ahead.ValueTextEquals(candidate.Utf8Name))
                    tensor = candidate;
            }

            if (tensor is null)
                return set.Unknown(TextOf(ref ahead));
            return tensor.IsPresent ? $"{set.Kind} '{tensor.Spec.Name}' is given twice" : null;
        }

        return $"{set.Kind} {index} has no name";
    }

    private static string? ReadTensor(ref Utf8JsonReader reader, Tensor tensor, string where)
    {
        var (hasName, hasDatatype, hasShape, hasData) = (false, false, false, false);
        NestedShape nested = default;
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string? fault = null;
            if (reader.ValueTextEquals("name"u8))
                fault = Once(ref reader, ref hasName);
            else if (reader.ValueTextEquals("datatype"u8))
                fault = Once(ref reader, ref hasDatatype) ?? ReadDatatype(ref reader, tensor.Spec.Datatype);
            else if (reader.ValueTextEquals("shape"u8))
                fault = Once(ref reader, ref hasShape) ?? ReadShape(ref reader, tensor);
            else if (reader.ValueTextEquals("data"u8))
                fault = Once(ref reader, ref hasData) ?? ReadData(ref reader, tensor, ref nested);
            else if (reader.ValueTextEquals("parameters"u8))
                fault = ReadParameters(ref reader);
            else
                return UnknownKey(where, TextOf(ref reader), Keys);
            if (fault is not null)
                return $"{where}: {fault}";
        }

        if (!hasDatatype || !hasShape || !hasData)
            return $"{where} has no {(!hasDatatype ? "datatype" : !hasShape ? "shape" : "data")}";
        return nested.IsNested && !nested.Sizes.SequenceEqual(tensor.Shape)
            ? $"{where}: its data are nested as {TensorSet.Text(nested.Sizes)}, its shape is {TensorSet.Text(tensor.Shape)}"
            : null;
    }

    private static string? Once(ref Utf8JsonReader reader, ref bool seen)
    {
        if (seen)
            return $"key '{TextOf(ref reader)}' is given twice";
        seen = true;
        Next(ref reader);
        return null;
    }

    private static string? ReadDatatype(ref Utf8JsonReader reader, Datatype expected) =>
        reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(NameOf(expected))
            ? null
            : $"its datatype is {Raw(ref reader)}, expected \"{NameOf(expected)}\"";

    private static string? ReadShape(ref Utf8JsonReader reader, Tensor tensor)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return "its shape must be an array of whole numbers";
        Span<long> sizes = stackalloc long[Tensor.MaxRank];
        var rank = 0;
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (rank == Tensor.MaxRank)
                return $"its shape has more than {Tensor.MaxRank} sizes";
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out sizes[rank]))
                return $"its shape has {Raw(ref reader)} where a whole number is due";
            rank++;
        }

        tensor.SetShape(sizes[..rank]);
        return null;
    }

    private static string? ReadParameters(ref Utf8JsonReader reader)
    {
        if (Next(ref reader) != JsonTokenType.StartObject)
            return "its parameters must be an object";
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("binary_data_size"u8))
                return "binary tensor data is not supported; send 'data' as JSON";
            Next(ref reader);
            reader.Skip();
        }

        return null;
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new JsonException("the text ends too soon");

    /// <summary>A token as it was sent, short enough for a message.</summary>
    private static string Raw(ref Utf8JsonReader reader)
    {
        const int longest = 40;
        if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
            return reader.TokenType == JsonTokenType.StartArray ? "an array" : "an object";
        var bytes = reader.HasValueSequence ? System.Buffers.BuffersExtensions.ToArray(reader.ValueSequence) : reader.ValueSpan.ToArray();
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, longest))) + (bytes.Length > longest ? "…" : "");
        return reader.TokenType == JsonTokenType.String ? $"\"{text}\"" : text;
    }
}
