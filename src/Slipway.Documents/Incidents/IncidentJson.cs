using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Incidents;

/// <summary>As <see cref="DocumentJson"/>, for incidents and what is captured.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Incident))]
[JsonSerializable(typeof(IncidentClosing))]
[JsonSerializable(typeof(ImmutableArray<Incident>))]
[JsonSerializable(typeof(ImmutableArray<IncidentSummary>))]
[JsonSerializable(typeof(NoteRequest))]
[JsonSerializable(typeof(CloseRequest))]
[JsonSerializable(typeof(CapturedRequest))]
[JsonSerializable(typeof(ImmutableArray<CaptureInfo>))]
[JsonSerializable(typeof(ReplayReport))]
public sealed partial class IncidentJson : JsonSerializerContext;
