using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Slipway.Documents.Reading;

/// <summary>A JSON Schema as a document of its own.</summary>
internal static class SchemaDocument
{
    public static string Write(string title, string description, JsonObject root, JsonObject? definitions = null)
    {
        var document = new JsonObject { ["$schema"] = "http://json-schema.org/draft-07/schema#", ["title"] = title, ["description"] = description };
        foreach (var (key, value) in root.ToArray())
        {
            root.Remove(key);
            document[key] = value;
        }

        if (definitions is not null)
            document["definitions"] = definitions;
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            document.WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }
}
