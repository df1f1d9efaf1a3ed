using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Cards;

/// <summary>What people and machines are told of bundles.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BundleCard))]
public sealed partial class CardJson : JsonSerializerContext;
