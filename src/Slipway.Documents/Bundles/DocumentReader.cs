using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using static Slipway.Documents.Bundles.BundleDocuments;

namespace Slipway.Documents.Bundles;

/// <summary>Reads documents strictly: each that is due, no other, and each in the one form that writing it again gives.</summary>
internal sealed class DocumentReader(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
{
    private static readonly string[] Known =
        [SpecFile, LockFile, SnapshotsFile, EnvironmentFile, HardwareFile, LineageFile, RerunFile, EvaluationFile, ReplicatesFile, CurvesFile, SignatureFile, ReferenceFile];

    public List<Fault> Problems { get; } = [];

    /// <returns>Null when there is a problem.</returns>
    public BundleDocuments? ReadAll()
    {
        foreach (var stranger in files.Keys.Except(Known).Order(StringComparer.Ordinal))
        {
            var nearest = NearestName.Of(stranger, Known);
            Problems.Add(new Fault("document-unknown", $"'{ForeignText.Shown(stranger)}' is no document of a bundle", Help: nearest is null ? null : $"the nearest is {nearest}"));
        }

        var spec = Read(SpecFile, DocumentJson.Default.Spec);
        var read = (
            Lock: Read(LockFile, DocumentJson.Default.ProjectLock),
            Snapshots: Read(SnapshotsFile, BundleJson.Default.Snapshots),
            Environments: Read(EnvironmentFile, BundleJson.Default.Environments),
            Hardware: Read(HardwareFile, BundleJson.Default.Hardware),
            Lineage: Read(LineageFile, DocumentJson.Default.LineageGraph),
            Rerun: Read(RerunFile, DocumentJson.Default.RerunPlan),
            Signature: Read(SignatureFile, DocumentJson.Default.ModelSignature),
            Evaluation: spec?.Evaluate is null ? null : Read(EvaluationFile, DocumentJson.Default.Evaluation),
            Replicates: spec?.Evaluate is null ? null : Read(ReplicatesFile, DocumentJson.Default.EvaluationReplicates),
            Curves: spec?.Evaluate is null ? null : Read(CurvesFile, DocumentJson.Default.EvaluationCurves),
            Reference: spec?.Model?.Reference is null ? null : Read(ReferenceFile, MonitoringJson.Default.ReferenceProfile));
        if (spec is { Evaluate: null })
        {
            foreach (var unasked in files.Keys.Intersect([EvaluationFile, ReplicatesFile, CurvesFile]))
                Problems.Add(new Fault("evaluation-unasked", $"{unasked} is there, but spec.json asks for no evaluation"));
        }

        if (spec is { Model.Reference: null } && files.ContainsKey(ReferenceFile))
            Problems.Add(new Fault("reference-unasked", $"{ReferenceFile} is there, but spec.json names no reference"));
        if (spec is { Model: null })
            Problems.Add(new Fault("model-unspecified", "spec.json names no model, and a bundle holds one"));
        return Problems.Count > 0
            ? null
            : new BundleDocuments(
                spec!, read.Lock!, read.Snapshots!, read.Environments!, read.Hardware!, read.Lineage!, read.Rerun!, read.Evaluation, read.Replicates, read.Curves, read.Signature!, read.Reference);
    }

    /// <returns>Null when there is a problem.</returns>
    public ModelPackConfig? ReadConfig(ReadOnlyMemory<byte> json)
    {
        try
        {
            var config = ModelPackConfig.Parse(json.Span);
            if (config.ToBytes().AsSpan().SequenceEqual(json.Span))
                return config;
            Problems.Add(new Fault("config-not-canonical", "the bundle's config is not in canonical form"));
        }
        catch (JsonException e)
        {
            Problems.Add(new Fault("config-unreadable", $"the bundle's config is no ModelPack config: {ForeignText.Shown(e.Message)}"));
        }

        return null;
    }

    private T? Read<T>(string name, JsonTypeInfo<T> type) where T : class
    {
        if (!files.TryGetValue(name, out var json))
        {
            Problems.Add(new Fault("document-missing", $"{name} is missing"));
            return null;
        }

        try
        {
            var document = JsonSerializer.Deserialize(json.Span, type) ?? throw new JsonException("found null");
            // Written again it must be the same bytes: this refuses other forms, and numbers where names of an enum are due.
            if (CanonicalJson.Serialize(document, type).AsSpan().SequenceEqual(json.Span))
                return document;
            Problems.Add(new Fault("document-not-canonical", $"{name} is not in canonical form"));
        }
        catch (JsonException e)
        {
            Problems.Add(new Fault("document-unreadable", $"{name} cannot be read: {ForeignText.Shown(e.Message)}"));
        }

        return null;
    }
}
