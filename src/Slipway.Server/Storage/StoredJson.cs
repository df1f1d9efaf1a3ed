using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Storage;

/// <summary>Documents in columns of text, in their canonical form.</summary>
internal static class StoredJson
{
    public static string Text<T>(T document, JsonTypeInfo<T> type) => Encoding.UTF8.GetString(CanonicalJson.Serialize(document, type));

    public static T Read<T>(string text, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(text, type)!;
}
