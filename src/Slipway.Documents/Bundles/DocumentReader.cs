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

        // Several at a time: the first reading of each kind has its reader compiled, which takes longer than the reading.
        var specFile = Begin(SpecFile, DocumentJson.Default.Spec);
        var always = (
            Lock: Begin(LockFile, DocumentJson.Default.ProjectLock),
            Snapshots: Begin(SnapshotsFile, BundleJson.Default.Snapshots),
            Environments: Begin(EnvironmentFile, BundleJson.Default.Environments),
            Hardware: Begin(HardwareFile, BundleJson.Default.Hardware),
            Lineage: Begin(LineageFile, DocumentJson.Default.LineageGraph),
            Rerun: Begin(RerunFile, DocumentJson.Default.RerunPlan),
            Signature: Begin(SignatureFile, DocumentJson.Default.ModelSignature));
        var spec = End(specFile);
        var (isEvaluated, hasReference) = (spec?.Evaluate is not null, spec?.Model?.Reference is not null);
        var asked = (
            Evaluation: isEvaluated ? Begin(EvaluationFile, DocumentJson.Default.Evaluation) : null,
            Replicates: isEvaluated ? Begin(ReplicatesFile, DocumentJson.Default.EvaluationReplicates) : null,
            Curves: isEvaluated ? Begin(CurvesFile, DocumentJson.Default.EvaluationCurves) : null,
            Reference: hasReference ? Begin(ReferenceFile, MonitoringJson.Default.ReferenceProfile) : null);
        var read = (
            Lock: End(always.Lock), Snapshots: End(always.Snapshots), Environments: End(always.Environments), Hardware: End(always.Hardware), Lineage: End(always.Lineage),
            Rerun: End(always.Rerun), Signature: End(always.Signature), Evaluation: End(asked.Evaluation), Replicates: End(asked.Replicates), Curves: End(asked.Curves), Reference: End(asked.Reference));
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

    private Task<(T? Document, Fault? Problem)> Begin<T>(string name, JsonTypeInfo<T> type) where T : class => Task.Run(() => Read(name, type));

    /// <returns>Null when there is a problem, or nothing was to be read.</returns>
    private T? End<T>(Task<(T? Document, Fault? Problem)>? reading) where T : class
    {
        if (reading is null)
            return null;
        var (document, problem) = reading.GetAwaiter().GetResult();
        if (problem is not null)
            Problems.Add(problem);
        return document;
    }

    private (T? Document, Fault? Problem) Read<T>(string name, JsonTypeInfo<T> type) where T : class
    {
        if (!files.TryGetValue(name, out var json))
            return (null, new Fault("document-missing", $"{name} is missing"));
        try
        {
            var document = JsonSerializer.Deserialize(json.Span, type) ?? throw new JsonException("found null");
            // Written again it must be the same bytes: this refuses other forms, and numbers where names of an enum are due.
            return CanonicalJson.Serialize(document, type).AsSpan().SequenceEqual(json.Span)
                ? (document, null)
                : (null, new Fault("document-not-canonical", $"{name} is not in canonical form"));
        }
        catch (JsonException e)
        {
            return (null, new Fault("document-unreadable", $"{name} cannot be read: {ForeignText.Shown(e.Message)}"));
        }
    }
}
