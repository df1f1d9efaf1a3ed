using System.Buffers;
using System.Text.Json;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Protocol;

/// <summary>Reads the protocol's inference request: <c>{"id", "parameters", "inputs": […], "outputs": [{"name"}]}</c>.</summary>
/// <remarks>
/// Source: Open Inference Protocol v2, REST, "Inference Request JSON Object". Parameters are the protocol's room for extensions and are
/// passed over, except those that ask for binary data, which would change the answer's form.
/// </remarks>
internal static class InferRequest
{
    private static readonly string[] Keys = ["id", "parameters", "inputs", "outputs"], OutputKeys = ["name", "parameters"];

    /// <summary>Reads the body into the call and checks its inputs.</summary>
    /// <returns>The first thing that is wrong, as a sentence for the sender; null when all is well.</returns>
    public static string? Read(in ReadOnlySequence<byte> body, InferCall call)
    {
        if (body.IsEmpty)
            return "the body is empty; expected an inference request in JSON";
        try
        {
            var reader = new Utf8JsonReader(body);
            return Read(ref reader, call) ?? call.Tensors!.Inputs.Check();
        }
        catch (JsonException e)
        {
            return $"the body is no JSON: {TensorJson.PlaceOf(e)}";
        }
        catch (InvalidOperationException)
        {
            return "the body is no JSON: a string is no valid Unicode";     // half of a surrogate pair where a name is compared
        }
    }

    /// <summary>Reads no more than what a caller is assigned by, its id and key: what signature the inputs must have is not known yet.</summary>
    /// <returns>As <see cref="Read(in ReadOnlySequence{byte}, InferCall)"/>.</returns>
    public static string? ReadCaller(in ReadOnlySequence<byte> body, InferCall call)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return "the body must be a JSON object with 'inputs'";
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isId, isParameters) = (reader.ValueTextEquals("id"u8), reader.ValueTextEquals("parameters"u8));
                if (isParameters && ReadParameters(ref reader, "the request", call) is { } fault)
                    return fault;
                if (isParameters)
                    continue;
                reader.Read();
                if (isId && reader.TokenType == JsonTokenType.String)
                    call.Id = TensorJson.TextOf(ref reader);
                reader.Skip();
            }

            return null;
        }
        catch (JsonException e)
        {
            return $"the body is no JSON: {TensorJson.PlaceOf(e)}";
        }
        catch (InvalidOperationException)
        {
            return "the body is no JSON: a string is no valid Unicode";
        }
    }

    private static string? Read(ref Utf8JsonReader reader, InferCall call)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return "the body must be a JSON object with 'inputs'";
        var hasInputs = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? fault;
            if (reader.ValueTextEquals("inputs"u8))
            {
                reader.Read();
                fault = hasInputs ? "'inputs' is given twice" : TensorJson.Read(ref reader, call.Tensors!.Inputs);
                hasInputs = true;
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                fault = reader.TokenType == JsonTokenType.String ? null : "'id' must be a string";
                call.Id = fault is null ? TensorJson.TextOf(ref reader) : null;
            }
            else if (reader.ValueTextEquals("outputs"u8))
            {
                fault = call.IsSelective ? "'outputs' is given twice" : ReadOutputs(ref reader, call);
            }
            else if (reader.ValueTextEquals("parameters"u8))
            {
                fault = ReadParameters(ref reader, "the request", call);
            }
            else
            {
                fault = TensorJson.UnknownKey("the request", TensorJson.TextOf(ref reader), Keys);
            }

            if (fault is not null)
                return fault;
        }

        reader.Read();      // nothing may follow: the reader itself refuses it
        return hasInputs ? null : "the request has no 'inputs'";
    }

    private static string? ReadOutputs(ref Utf8JsonReader reader, InferCall call)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return "'outputs' must be an array of objects with 'name'";
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                return "'outputs' must be an array of objects with 'name'";
            if (ReadOutput(ref reader, call) is { } fault)
                return fault;
            call.IsSelective = true;        // an empty list is as good as none: all outputs
        }

        return null;
    }

    private static string? ReadOutput(ref Utf8JsonReader reader, InferCall call)
    {
        var hasName = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String)
                    return "an output's name must be a string";
                if (!call.Want(ref reader))
                    return call.Tensors!.Outputs.Unknown(TensorJson.TextOf(ref reader));
                hasName = true;
            }
            else if (reader.ValueTextEquals("parameters"u8))
            {
                if (ReadParameters(ref reader, "an output") is { } fault)
                    return fault;
            }
            else
            {
                return TensorJson.UnknownKey("an output", TensorJson.TextOf(ref reader), OutputKeys);
            }
        }

        return hasName ? null : "an output has no name";
    }

    /// <param name="call">Takes the caller's key down, of the request's own parameters; else null.</param>
    private static string? ReadParameters(ref Utf8JsonReader reader, string where, InferCall? call = null)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return $"{where}: 'parameters' must be an object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isBinary = reader.ValueTextEquals("binary_data_output"u8) || reader.ValueTextEquals("binary_data"u8);
            var isKey = call?.KeyField is { } field && reader.ValueTextEquals(field);
            reader.Read();
            if (isKey)
                call!.ReadKey(ref reader);
            if (isBinary && reader.TokenType == JsonTokenType.True)
                return $"{where}: binary tensor data is not supported; answers are JSON";
            reader.Skip();
        }

        return null;
    }
}
