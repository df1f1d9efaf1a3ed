using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Hardware;

namespace Slipway.Documents.Bundles;

/// <summary>The bundle's documents that are maps of records; the others are in <see cref="DocumentJson"/>.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, Snapshot>), TypeInfoPropertyName = "Snapshots")]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, HostFingerprint>), TypeInfoPropertyName = "Environments")]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, HardwareProfile>), TypeInfoPropertyName = "Hardware")]
internal sealed partial class BundleJson : JsonSerializerContext;
