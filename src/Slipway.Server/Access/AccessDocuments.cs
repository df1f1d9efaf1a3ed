using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>What of access the server alone stores.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProvidedRights))]
internal sealed partial class AccessDocuments : JsonSerializerContext;
