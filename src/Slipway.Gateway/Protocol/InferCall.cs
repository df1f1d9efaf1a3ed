using System.Buffers;
using System.Text.Json;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Protocol;

/// <summary>What one inference request needs beside its tensors, kept and used again: what was read of it, its deadline, the answer's buffer and its writer. Not thread-safe.</summary>
internal sealed class InferCall : IDisposable
{
    /// <summary>Bytes of an answer's buffer that are kept; after a larger answer it is made anew.</summary>
    private const int KeptSize = 64 * 1024;

    /// <summary>Bytes that a text takes in JSON for each of its own, at most: <c>\u0041</c>.</summary>
    private const int LongestEscape = 6;

    private static readonly JsonEncodedText
        ModelNameKey = JsonEncodedText.Encode("model_name"), ModelVersionKey = JsonEncodedText.Encode("model_version"),
        IdKey = JsonEncodedText.Encode("id"), OutputsKey = JsonEncodedText.Encode("outputs");

    private readonly byte[] key = new byte[LongestEscape * KeySource.LongestKey];
    private bool[] wanted = [];
    private ArrayBufferWriter<byte> body = new(1024);
    private Utf8JsonWriter writer;
    private int keyLength;

    public InferCall(TimeProvider time) => (Deadline, writer) = (new Deadline(time), NewWriter());

    public Deadline Deadline { get; }

    /// <summary>The request's whole body, where it lies in the connection's pipe; empty once it is let go.</summary>
    public ReadOnlySequence<byte> Body { get; private set; }

    /// <summary>Whether the connection waits to be told how much of the body was taken.</summary>
    public bool IsBodyHeld { get; private set; }

    /// <summary>What the request's body is charged for.</summary>
    public long Charged;

    /// <summary>Inputs and outputs of the version that was chosen; null before.</summary>
    public TensorPair? Tensors { get; private set; }

    /// <summary>The member of the request's <c>parameters</c> that names the caller; null when nobody asks.</summary>
    public string? KeyField { get; set; }

    /// <summary>What <see cref="KeyField"/> was found to hold, in UTF-8; empty when it was not there or is no key.</summary>
    public ReadOnlySpan<byte> Key => key.AsSpan(0, keyLength);

    /// <summary>The request's own id, which the answer repeats.</summary>
    public string? Id { get; set; }

    /// <summary>Whether the request names the outputs that it wants; without, it gets all.</summary>
    public bool IsSelective { get; set; }

    /// <returns>False when the signature has no such output.</returns>
    public bool Want(ref Utf8JsonReader name)
    {
        for (var i = 0; i < wanted.Length; i++)
        {
            if (name.ValueTextEquals(Tensors!.Outputs.Tensors[i].Spec.Name))
                return wanted[i] = true;
        }

        return false;
    }

    public void Hold(ReadOnlySequence<byte> body) => (Body, IsBodyHeld) = (body, true);

    public void LetGo() => (Body, IsBodyHeld) = (default, false);

    /// <summary>Makes it ready to read the request for a version.</summary>
    public void Use(TensorPair tensors)
    {
        ForgetRequest();
        Tensors = tensors;
        Array.Resize(ref wanted, tensors.Outputs.Tensors.Length);
    }

    /// <summary>Hands the tensors on: to whoever returns them.</summary>
    public TensorPair TakeTensors()
    {
        var tensors = Tensors!;
        Tensors = null;
        return tensors;
    }

    /// <summary>Forgets what was read of the request, so that it can be read again.</summary>
    public void ForgetRequest()
    {
        Tensors?.Return();
        Tensors = null;
        Array.Clear(wanted);
        (Id, IsSelective, keyLength) = (null, false, 0);
    }

    /// <summary>Takes a member of <c>parameters</c> down as the caller's key; the reader stands on its value. Of several, the last counts.</summary>
    public void ReadKey(ref Utf8JsonReader value)
    {
        keyLength = 0;
        var length = value.HasValueSequence ? value.ValueSequence.Length : value.ValueSpan.Length;
        if (length > key.Length)
            return;
        if (value.TokenType == JsonTokenType.String)
            keyLength = value.CopyString(key);
        else if (value.TokenType == JsonTokenType.Number)
            keyLength = CopyNumber(value);
        if (keyLength > KeySource.LongestKey)
            keyLength = 0;
    }

    /// <summary>The answer's bytes; valid until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> WriteAnswer(string model, string version)
    {
        writer.WriteStartObject();
        writer.WriteString(ModelNameKey, model);
        writer.WriteString(ModelVersionKey, version);
        if (Id is not null)
            writer.WriteString(IdKey, Id);
        writer.WriteStartArray(OutputsKey);
        var outputs = Tensors!.Outputs.Tensors;
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] || !IsSelective)
                TensorJson.Write(writer, outputs[i]);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return body.WrittenMemory;
    }

    public void Clear()
    {
        ForgetRequest();
        Deadline.Reset();
        LetGo();
        KeyField = null;
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
        Tensors?.Return();
        Deadline.Dispose();
        writer.Dispose();
    }

    private int CopyNumber(in Utf8JsonReader value)
    {
        if (value.HasValueSequence)
            value.ValueSequence.CopyTo(key);
        else
            value.ValueSpan.CopyTo(key);
        return (int)(value.HasValueSequence ? value.ValueSequence.Length : value.ValueSpan.Length);
    }

    private Utf8JsonWriter NewWriter() => new(body, new JsonWriterOptions { SkipValidation = true });
}
