using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Slipway.Trust.Attestations;

/// <summary>Strict: unknown, duplicate and missing keys are refused; nesting is bounded by what canonical JSON takes.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 64)]
[JsonSerializable(typeof(Statement))]
[JsonSerializable(typeof(SigstoreBundle))]
internal sealed partial class AttestationJson : JsonSerializerContext
{
    /// <exception cref="JsonException">Not of this type; never null.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) where T : class =>
        JsonSerializer.Deserialize(json, type) ?? throw new JsonException("found null");
}
