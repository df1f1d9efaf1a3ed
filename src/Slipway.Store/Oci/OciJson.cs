using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Slipway.Store.Oci;

/// <summary>How OCI's documents are read: duplicate and missing keys refused, unknown ones kept aside, nothing nested deep.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciLayoutMark))]
internal sealed partial class OciJson : JsonSerializerContext
{
    /// <exception cref="JsonException">Not of this type; never null.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) where T : class =>
        JsonSerializer.Deserialize(json, type) ?? throw new JsonException("found null");
}

/// <summary>The file <c>oci-layout</c>.</summary>
internal sealed record OciLayoutMark(string ImageLayoutVersion)
{
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}
