using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Gateway.Routing;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Protocol;

/// <summary>The protocol's small answers: health, metadata and errors.</summary>
/// <remarks>Source: Open Inference Protocol v2, REST, "Health", "Server Metadata", "Model Metadata" and the error objects of each.</remarks>
internal static class Descriptions
{
    private static readonly string Program = typeof(Descriptions).Assembly.GetName().Version!.ToString(3);

    public static ReadOnlyMemory<byte> Live { get; } = """{"live":true}"""u8.ToArray();

    public static ReadOnlyMemory<byte> Error(string message) => Write(message, static (writer, message) => writer.WriteString("error", message));

    /// <param name="model">The model's name where the model was asked for; null for the server.</param>
    /// <param name="reason">Why not; null when ready.</param>
    public static ReadOnlyMemory<byte> Ready(string? model, string? reason) => Write((model, reason), static (writer, state) =>
    {
        if (state.model is not null)
            writer.WriteString("name", state.model);
        writer.WriteBoolean("ready", state.reason is null);
        if (state.reason is not null)
            writer.WriteString("error", state.reason);
    });

    public static ReadOnlyMemory<byte> Server() => Write(0, static (writer, _) =>
    {
        writer.WriteString("name", "slipway");
        writer.WriteString("version", Program);
        writer.WriteStartArray("extensions");
        writer.WriteEndArray();
    });

    /// <param name="version">Of which inputs and outputs are told.</param>
    /// <param name="versions">All that may be asked for.</param>
    public static ReadOnlyMemory<byte> Model(ServedVersion version, IEnumerable<ServedVersion> versions) => Write((version, versions), static (writer, told) =>
    {
        var model = told.version.Host.Model;
        writer.WriteString("name", model.Name);
        writer.WriteStartArray("versions");
        foreach (var served in told.versions.OrderBy(served => served.Version.Number))
            writer.WriteStringValue(served.Name);
        writer.WriteEndArray();
        writer.WriteString("platform", model.Runtime.IsOnnx ? "onnxruntime_onnx" : "slipway_process");
        WriteTensors(writer, "inputs", model.Signature.Inputs);
        WriteTensors(writer, "outputs", model.Signature.Outputs);
    });

    private static void WriteTensors(Utf8JsonWriter writer, string key, ImmutableArray<TensorSpec> specs)
    {
        writer.WriteStartArray(key);
        foreach (var spec in specs)
        {
            writer.WriteStartObject();
            writer.WriteString("name", spec.Name);
            writer.WriteString("datatype", TensorJson.NameOf(spec.Datatype));
            writer.WriteStartArray("shape");
            foreach (var size in spec.Shape)
                writer.WriteNumberValue(size);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> Write<T>(T content, Action<Utf8JsonWriter, T> write)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            write(writer, content);
            writer.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }
}
