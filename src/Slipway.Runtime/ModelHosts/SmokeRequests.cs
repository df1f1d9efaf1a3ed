using System.Globalization;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Requests made from a signature: such as it allows, its edges among them, and such as it forbids.</summary>
internal static class SmokeRequests
{
    /// <summary>Inputs that are tried at their edges one by one; of a wider model the first so many.</summary>
    private const int MostInputs = 32;

    private enum At
    {
        Smallest,
        Middle,
        Largest,
    }

    /// <summary>Requests that a model must answer, by what is in them.</summary>
    /// <remarks>Every open size but the batch is 1 where there is one row, and 2 where there are several.</remarks>
    public static IEnumerable<(string Name, Action<TensorSet> Fill)> Allowed(ModelSignature signature)
    {
        foreach (var at in Enum.GetValues<At>())
            yield return ($"1 row, every input {In(at)}", set => Fill(set, 1, (_, _) => at));
        yield return ("3 rows: smallest, middle and largest", set => Fill(set, 3, (_, row) => (At)row));
        if (signature.Inputs.Length == 1)
            yield break;
        foreach (var input in signature.Inputs.Where(input => input.Range is not null || input.Datatype == Datatype.Bool).Take(MostInputs))
        {
            foreach (var at in new[] { At.Smallest, At.Largest })
                yield return ($"{input.Name} {In(at)}, the others in the middle", set => Fill(set, 1, (tensor, _) => tensor.Spec == input ? at : At.Middle));
        }
    }

    /// <summary>Requests that must be refused before the model is asked: why each is refused, or null when it is not.</summary>
    public static IEnumerable<(string Name, Func<string?> Refusal)> Forbidden(ModelSignature signature)
    {
        foreach (var missing in signature.Inputs.Take(MostInputs))
            yield return ($"refused without {missing.Name}", () => Sent(signature, set => Fill(set, 1, (_, _) => At.Middle), missing.Name, null));
        foreach (var input in signature.Inputs.Take(MostInputs))
        {
            yield return ($"refused with {input.Name} of another type", () => Sent(signature, set => Fill(set, 1, (_, _) => At.Middle), null, input.Name));
            if (Outside(input) is { } value)
                yield return (string.Create(CultureInfo.InvariantCulture, $"refused with {input.Name} out of range: {value}"), () => Sent(signature, set => FillOutside(set, input, value), null, null));
        }
    }

    private static string In(At at) => at switch { At.Smallest => "at its smallest", At.Largest => "at its largest", _ => "in the middle" };

    private static void Fill(TensorSet set, int rows, Func<Tensor, int, At> where)
    {
        foreach (var tensor in set.Tensors)
        {
            long[] shape = [.. tensor.Spec.Shape.Select((size, i) => size != -1 ? size : i == 0 ? rows : rows == 1 ? 1 : 2)];
            tensor.SetShape(shape);
            var ofRow = shape.Skip(1).Aggregate(1L, (product, size) => product * size);
            for (var row = 0; row < shape[0]; row++)
            {
                var at = where(tensor, tensor.Spec.Shape[0] == -1 ? row : 0);
                for (var left = ofRow; left > 0; left--)
                    Add(tensor, at);
            }
        }
    }

    private static void Add(Tensor tensor, At at)
    {
        var (low, high) = NumberInRange.Of(tensor.Spec);
        switch (tensor.Spec.Datatype)
        {
            case Datatype.String:
                tensor.Add(at switch { At.Smallest => "", At.Middle => "a", _ => "Zürich, 東京 \"😀\"" });
                break;
            case Datatype.Bool:
                tensor.Add((byte)(at == At.Largest ? 1 : 0));
                break;
            default:
                NumberInRange.Add(tensor, at switch { At.Smallest => low, At.Largest => high, _ => low * 0.5 + high * 0.5 }, low, high);
                break;
        }
    }

    private static void FillOutside(TensorSet set, TensorSpec input, double value)
    {
        Fill(set, 1, (_, _) => At.Middle);
        foreach (var tensor in set.Tensors)
        {
            if (tensor.Spec != input)
                continue;
            var (shape, count) = (tensor.Shape.ToArray(), tensor.Count);
            tensor.Clear();
            tensor.SetShape(shape);
            for (var left = count; left > 0; left--)
                NumberInRange.Add(tensor, value, value, value);
        }
    }

    /// <summary>A value that the datatype can say and the range does not hold; null when there is none.</summary>
    private static double? Outside(TensorSpec input)
    {
        if (input.Range is not { } range || input.Datatype is Datatype.String or Datatype.Bool)
            return null;
        var (least, most) = Limits(input.Datatype);
        // Far enough that a float of 32 bits is not rounded back into the range.
        var step = Math.Max(1, Math.Max(Math.Abs(range.Low), Math.Abs(range.High)) * 0.001);
        var (above, below) = (Math.Ceiling(range.High + step), Math.Floor(range.Low - step));
        return above <= most ? above : below >= least ? below : null;
    }

    private static (double Least, double Most) Limits(Datatype datatype) => datatype switch
    {
        Datatype.UInt8 => (byte.MinValue, byte.MaxValue),
        Datatype.UInt16 => (ushort.MinValue, ushort.MaxValue),
        Datatype.UInt32 => (uint.MinValue, uint.MaxValue),
        Datatype.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        Datatype.Int16 => (short.MinValue, short.MaxValue),
        Datatype.Int32 => (int.MinValue, int.MaxValue),
        Datatype.UInt64 => (0, 1L << 53),                   // beyond, a double no longer tells whole numbers apart
        Datatype.Int64 => (-(1L << 53), 1L << 53),
        Datatype.Float32 => (float.MinValue, float.MaxValue),
        _ => (double.MinValue, double.MaxValue),
    };

    /// <summary>Sends it as a client would, in the protocol's JSON, and reads it as a server does.</summary>
    private static string? Sent(ModelSignature signature, Action<TensorSet> fill, string? without, string? mistyped)
    {
        using var made = TensorSet.ForInputs(signature);
        fill(made);
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartArray();
            foreach (var tensor in made.Tensors)
            {
                if (tensor.Spec.Name == mistyped)
                    Mistyped(writer, tensor);
                else if (tensor.Spec.Name != without)
                    TensorJson.Write(writer, tensor);
            }

            writer.WriteEndArray();
        }

        using var read = TensorSet.ForInputs(signature);
        var reader = new Utf8JsonReader(body.ToArray());
        reader.Read();
        return TensorJson.Read(ref reader, read) ?? read.Check();
    }

    private static void Mistyped(Utf8JsonWriter writer, Tensor tensor)
    {
        var isText = tensor.Spec.Datatype == Datatype.String;
        writer.WriteStartObject();
        writer.WriteString("name", tensor.Spec.Name);
        writer.WriteString("datatype", isText ? "FP64" : "BYTES");
        writer.WriteStartArray("shape");
        foreach (var size in tensor.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data");
        for (var left = tensor.Count; left > 0; left--)
        {
            if (isText)
                writer.WriteNumberValue(0.5);
            else
                writer.WriteStringValue(Encoding.UTF8.GetBytes("a"));
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
