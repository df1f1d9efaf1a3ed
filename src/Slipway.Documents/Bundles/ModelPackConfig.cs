using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Bundles;

/// <summary>A bundle's OCI config: what tools that know nothing of Slipway show of a model.</summary>
/// <remarks>
/// Source: CNCF ModelPack model-spec, docs/config.md and schema/config-schema.json, which forbid every other property; so what is
/// Slipway's own stands in the documents beside it.
/// </remarks>
public sealed record ModelPackConfig(ModelDescriptor Descriptor, ModelConfig Config, [property: JsonPropertyName("modelfs")] ModelFs ModelFs)
{
    /// <summary>The canonical bytes that are sealed.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, ModelPackJson.Default.ModelPackConfig);

    /// <summary>Reads any conforming config.</summary>
    /// <exception cref="JsonException">No config: what is wrong, in one sentence. Layer digests other than sha256 are refused.</exception>
    public static ModelPackConfig Parse(ReadOnlySpan<byte> json)
    {
        RefuseNulls(json);
        var config = JsonSerializer.Deserialize(json, ModelPackJson.Default.ModelPackConfig) ?? throw new JsonException("found null, expected an object");
        if (config.Descriptor.Name is "")
            throw new JsonException("descriptor.name is empty");
        RequireTime(config.Descriptor.CreatedAt, "descriptor.createdAt");
        RequireTime(config.Config.Capabilities?.KnowledgeCutoff, "config.capabilities.knowledgeCutoff");
        if (config.Config.Capabilities?.Languages?.FirstOrDefault(language => language is not [>= 'a' and <= 'z', >= 'a' and <= 'z']) is { } odd)
            throw new JsonException($"config.capabilities.languages has '{odd}', expected two small letters of ISO 639");
        if (config.ModelFs.Type != ModelFs.Layers)
            throw new JsonException($"modelfs.type is '{config.ModelFs.Type}', expected '{ModelFs.Layers}'");
        if (config.ModelFs.DiffIds.IsEmpty)
            throw new JsonException("modelfs.diffIds is empty, expected one for each layer");
        return config;
    }

    /// <summary>The schema knows no null: what is unknown is left out.</summary>
    private static void RefuseNulls(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Null)
                throw new JsonException($"found null at byte {reader.TokenStartIndex}; what is unknown is left out");
        }
    }

    /// <summary>RFC 3339, as far as .NET's clock reaches: no leap seconds.</summary>
    private static void RequireTime(string? text, string name)
    {
        const int shortest = 20, timeAt = 11;       // 2025-01-01T00:00:00Z
        string[] formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd't'HH:mm:ss.FFFFFFFK"];
        if (text is null)
            return;
        var hasZone = text.Length >= shortest && (text[^1] is 'Z' or 'z' || text.LastIndexOfAny(['+', '-']) > timeAt);
        if (!hasZone || !DateTimeOffset.TryParseExact(text.Replace('z', 'Z'), formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            throw new JsonException($"{name} is '{text}', expected a time as in RFC 3339");
    }
}

/// <param name="Name">At least one character.</param>
/// <param name="CreatedAt">RFC 3339. Slipway writes none: the time of sealing is not content.</param>
public sealed record ModelDescriptor(
    string? CreatedAt = null,
    ImmutableArray<string>? Authors = null,
    string? Family = null,
    string? Name = null,
    [property: JsonPropertyName("docURL")] string? DocUrl = null,
    [property: JsonPropertyName("sourceURL")] string? SourceUrl = null,
    [property: JsonPropertyName("datasetsURL")] ImmutableArray<string>? DatasetsUrl = null,
    string? Version = null,
    string? Revision = null,
    string? Vendor = null,
    ImmutableArray<string>? Licenses = null,
    string? Title = null,
    string? Description = null);

/// <param name="Format">onnx, safetensors and the like.</param>
/// <param name="ParamSize">Such as 8b.</param>
public sealed record ModelConfig(
    string? Architecture = null,
    string? Format = null,
    string? ParamSize = null,
    string? Precision = null,
    string? Quantization = null,
    ModelCapabilities? Capabilities = null);

/// <param name="KnowledgeCutoff">RFC 3339.</param>
/// <param name="Languages">Two-letter codes of ISO 639.</param>
public sealed record ModelCapabilities(
    ImmutableArray<Modality>? InputTypes = null,
    ImmutableArray<Modality>? OutputTypes = null,
    string? KnowledgeCutoff = null,
    bool? Reasoning = null,
    bool? ToolUsage = null,
    bool? Reward = null,
    ImmutableArray<string>? Languages = null);

/// <param name="Type">Always <see cref="Layers"/>.</param>
/// <param name="DiffIds">Digest of each layer's uncompressed bytes, in the manifest's order; at least one.</param>
public sealed record ModelFs(string Type, ImmutableArray<Digest> DiffIds)
{
    public const string Layers = "layers";
}

/// <summary>What goes into or comes out of a model.</summary>
[JsonConverter(typeof(ModalityJsonConverter))]
public enum Modality
{
    Text,
    Image,
    Audio,
    Video,
    Embedding,
    Other,
}

/// <summary>The small-letter names alone; the framework's converter would take numbers and other cases as well.</summary>
internal sealed class ModalityJsonConverter : JsonConverter<Modality>
{
    public override Modality Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var found = reader.GetString();
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (Name(modality) == found)
                return modality;
        }

        throw new JsonException($"'{found}' is no modality; expected text, image, audio, video, embedding or other");
    }

    public override void Write(Utf8JsonWriter writer, Modality value, JsonSerializerOptions options) => writer.WriteStringValue(Name(value));

    private static string Name(Modality modality) => modality.ToString().ToLowerInvariant();
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelPackConfig))]
internal sealed partial class ModelPackJson : JsonSerializerContext;
