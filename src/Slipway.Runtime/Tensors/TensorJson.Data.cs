using System.Diagnostics;
using System.Text.Json;
using Slipway.Documents.Serving;

namespace Slipway.Runtime.Tensors;

public static partial class TensorJson
{
    private static readonly JsonEncodedText
        NameKey = JsonEncodedText.Encode("name"), DatatypeKey = JsonEncodedText.Encode("datatype"),
        ShapeKey = JsonEncodedText.Encode("shape"), DataKey = JsonEncodedText.Encode("data");

    /// <summary>Writes one tensor that was checked, its data flat.</summary>
    public static void Write(Utf8JsonWriter writer, Tensor tensor)
    {
        writer.WriteStartObject();
        writer.WriteString(NameKey, tensor.Utf8Name);
        writer.WriteString(DatatypeKey, NameOf(tensor.Spec.Datatype));
        writer.WriteStartArray(ShapeKey);
        foreach (var size in tensor.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray(DataKey);
        WriteData(writer, tensor);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter writer, Tensor tensor)
    {
        switch (tensor.Spec.Datatype)
        {
            case Datatype.Bool:
                foreach (var value in tensor.Values<byte>())
                    writer.WriteBooleanValue(value != 0);
                break;
            case Datatype.Float32:
                foreach (var value in tensor.Values<float>())
                    writer.WriteNumberValue(value);
                break;
            case Datatype.Float64:
                foreach (var value in tensor.Values<double>())
                    writer.WriteNumberValue(value);
                break;
            case Datatype.String:
                foreach (var value in tensor.Strings)
                    writer.WriteStringValue(value);
                break;
            case Datatype.UInt64:
                foreach (var value in tensor.Values<ulong>())
                    writer.WriteNumberValue(value);
                break;
            default:
                for (var i = 0; i < tensor.Count; i++)
                    writer.WriteNumberValue(Integer(tensor, i));
                break;
        }
    }

    private static long Integer(Tensor tensor, int index) => tensor.Spec.Datatype switch
    {
        Datatype.UInt8 => tensor.Values<byte>()[index],
        Datatype.UInt16 => tensor.Values<ushort>()[index],
        Datatype.UInt32 => tensor.Values<uint>()[index],
        Datatype.Int8 => tensor.Values<sbyte>()[index],
        Datatype.Int16 => tensor.Values<short>()[index],
        Datatype.Int32 => tensor.Values<int>()[index],
        Datatype.Int64 => tensor.Values<long>()[index],
        _ => throw new UnreachableException($"{tensor.Spec.Datatype} is no whole number that fits a long"),
    };

    private static string? ReadData(ref Utf8JsonReader reader, Tensor tensor, ref NestedShape nested)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return "its data must be an array";
        nested.Open();
        while (nested.Depth > 0)
        {
            switch (Next(ref reader))
            {
                case JsonTokenType.StartArray:
                    if (!nested.Open())
                        return "its data are nested unevenly, or too deep";
                    break;
                case JsonTokenType.EndArray:
                    if (!nested.Close())
                        return tensor.Count == 0 ? "its data are empty" : $"its data are nested unevenly before element {tensor.Count}";
                    break;
                default:
                    if (!nested.Element())
                        return $"its data are nested unevenly at element {tensor.Count}";
                    if (!ReadElement(ref reader, tensor))
                        return $"element {tensor.Count} is {Raw(ref reader)}, expected {Expected(tensor.Spec.Datatype)}";
                    break;
            }
        }

        return null;
    }

    private static bool ReadElement(ref Utf8JsonReader reader, Tensor tensor)
    {
        var isNumber = reader.TokenType == JsonTokenType.Number;
        switch (tensor.Spec.Datatype)
        {
            case Datatype.Float32 when isNumber && reader.TryGetSingle(out var value) && float.IsFinite(value):
                tensor.Add(value);
                return true;
            case Datatype.Float64 when isNumber && reader.TryGetDouble(out var value) && double.IsFinite(value):
                tensor.Add(value);
                return true;
            case Datatype.Int64 when isNumber && reader.TryGetInt64(out var value):
                tensor.Add(value);
                return true;
            case Datatype.Int32 when isNumber && reader.TryGetInt32(out var value):
                tensor.Add(value);
                return true;
            case Datatype.Int16 when isNumber && reader.TryGetInt16(out var value):
                tensor.Add(value);
                return true;
            case Datatype.Int8 when isNumber && reader.TryGetSByte(out var value):
                tensor.Add(value);
                return true;
            case Datatype.UInt64 when isNumber && reader.TryGetUInt64(out var value):
                tensor.Add(value);
                return true;
            case Datatype.UInt32 when isNumber && reader.TryGetUInt32(out var value):
                tensor.Add(value);
                return true;
            case Datatype.UInt16 when isNumber && reader.TryGetUInt16(out var value):
                tensor.Add(value);
                return true;
            case Datatype.UInt8 when isNumber && reader.TryGetByte(out var value):
                tensor.Add(value);
                return true;
            case Datatype.Bool when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                tensor.Add((byte)(reader.TokenType == JsonTokenType.True ? 1 : 0));
                return true;
            case Datatype.String when reader.TokenType == JsonTokenType.String:
                tensor.Add(TextOf(ref reader));
                return true;
            default:
                return false;
        }
    }

    private static string Expected(Datatype datatype) => datatype switch
    {
        Datatype.Bool => "true or false",
        Datatype.String => "a string",
        Datatype.Float32 or Datatype.Float64 => $"a number that fits {NameOf(datatype)}",
        _ => $"a whole number that fits {NameOf(datatype)}",
    };
}
