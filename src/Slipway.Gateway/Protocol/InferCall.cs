using System.Buffers;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Protocol;

/// <summary>What one inference request needs, kept and used again: tensors, the answer's buffer and its writer. Not thread-safe.</summary>
internal sealed class InferCall : IDisposable
{
    /// <summary>Bytes of an answer's buffer that are kept; after a larger answer it is made anew.</summary>
    private const int KeptSize = 64 * 1024;

    private static readonly JsonEncodedText
        ModelNameKey = JsonEncodedText.Encode("model_name"), ModelVersionKey = JsonEncodedText.Encode("model_version"),
        IdKey = JsonEncodedText.Encode("id"), OutputsKey = JsonEncodedText.Encode("outputs");

    private readonly bool[] wanted;
    private ArrayBufferWriter<byte> body = new(1024);
    private Utf8JsonWriter writer;

    public InferCall(ModelSignature signature)
    {
        (Inputs, Outputs) = (TensorSet.ForInputs(signature), TensorSet.ForOutputs(signature));
        wanted = new bool[signature.Outputs.Length];
        writer = NewWriter();
    }

    public TensorSet Inputs { get; }

    public TensorSet Outputs { get; }

    /// <summary>The request's own id, which the answer repeats.</summary>
    public string? Id { get; set; }

    /// <summary>Whether the request names the outputs that it wants; without, it gets all.</summary>
    public bool IsSelective { get; set; }

    /// <returns>False when the signature has no such output.</returns>
    public bool Want(ref Utf8JsonReader name)
    {
        for (var i = 0; i < wanted.Length; i++)
        {
            if (name.ValueTextEquals(Outputs.Tensors[i].Spec.Name))
                return wanted[i] = true;
        }

        return false;
    }

    /// <summary>The answer's bytes; valid until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> WriteAnswer(JsonEncodedText model, JsonEncodedText version)
    {
        writer.WriteStartObject();
        writer.WriteString(ModelNameKey, model);
        writer.WriteString(ModelVersionKey, version);
        if (Id is not null)
            writer.WriteString(IdKey, Id);
        writer.WriteStartArray(OutputsKey);
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] || !IsSelective)
                TensorJson.Write(writer, Outputs.Tensors[i]);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return body.WrittenMemory;
    }

    public void Clear()
    {
        Inputs.Clear();
        Outputs.Clear();
        Array.Clear(wanted);
        (Id, IsSelective) = (null, false);
        if (body.Capacity > KeptSize)
        {
            body = new ArrayBufferWriter<byte>(1024);
            writer.Dispose();
            writer = NewWriter();
        }

        body.ResetWrittenCount();
        writer.Reset(body);
    }

    public void Dispose()
    {
        Inputs.Dispose();
        Outputs.Dispose();
        writer.Dispose();
    }

    private Utf8JsonWriter NewWriter() => new(body, new JsonWriterOptions { SkipValidation = true });
}
