using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;

namespace Slipway.Documents;

/// <summary>How every record here reads and writes JSON: camelCase, unknown and duplicate keys refused, nulls written.</summary>
/// <remarks>Write stored documents through <c>CanonicalJson.Serialize</c>; this alone gives no canonical bytes.</remarks>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Spec))]
[JsonSerializable(typeof(ModelSignature))]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(Expectations))]
[JsonSerializable(typeof(ValidationReport))]
[JsonSerializable(typeof(HostFingerprint))]
[JsonSerializable(typeof(ProjectLock))]
[JsonSerializable(typeof(RunRecord))]
[JsonSerializable(typeof(StepKeyDocument))]
[JsonSerializable(typeof(RerunPlan))]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(LineageGraph))]
[JsonSerializable(typeof(Evaluation))]
[JsonSerializable(typeof(EvaluationReplicates))]
[JsonSerializable(typeof(EvaluationCurves))]
[JsonSerializable(typeof(GateReport))]
public sealed partial class DocumentJson : JsonSerializerContext;
