using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Rollouts;

/// <summary>Documents as columns: canonical JSON, so that equal documents are equal text.</summary>
internal static class StoredJson
{
    public static string Text<T>(T document, JsonTypeInfo<T> type) => Encoding.UTF8.GetString(CanonicalJson.Serialize(document, type));

    /// <returns>Null for null.</returns>
    public static string? TextOrNull<T>(T? document, JsonTypeInfo<T> type)
        where T : class => document is null ? null : Text(document, type);

    public static T Read<T>(string text, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(text, type)!;

    public static T? ReadOrNull<T>(string? text, JsonTypeInfo<T> type)
        where T : class => text is null ? null : Read(text, type);
}
