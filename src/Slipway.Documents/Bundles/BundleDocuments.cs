using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Hardware;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Bundles;

/// <summary>Slipway's own documents in a bundle: canonical JSON files in its doc layer.</summary>
/// <param name="Spec">As <see cref="Spec.ForSeal"/> gives it; it has a model.</param>
/// <param name="Lock">What was used, which is not always what the project's file pins.</param>
/// <param name="Snapshots">By dataset.</param>
/// <param name="Environments">By environment.</param>
/// <param name="Hardware">Requirements, by profile.</param>
/// <param name="Evaluation">Null when the spec asks for none; the same for <paramref name="Replicates"/> and <paramref name="Curves"/>.</param>
/// <param name="Reference">Null when the spec's model names none.</param>
public sealed record BundleDocuments(
    Spec Spec,
    ProjectLock Lock,
    ImmutableSortedDictionary<string, Snapshot> Snapshots,
    ImmutableSortedDictionary<string, HostFingerprint> Environments,
    ImmutableSortedDictionary<string, HardwareProfile> Hardware,
    LineageGraph Lineage,
    RerunPlan Rerun,
    Evaluation? Evaluation,
    EvaluationReplicates? Replicates,
    EvaluationCurves? Curves,
    ModelSignature Signature,
    ReferenceProfile? Reference)
{
    internal const string SpecFile = "spec.json", LockFile = "lock.json", SnapshotsFile = "snapshots.json", EnvironmentFile = "environment.json",
        HardwareFile = "hardware.json", LineageFile = "lineage.json", RerunFile = "reproduce.json", EvaluationFile = "evaluation.json",
        ReplicatesFile = "evaluation-replicates.json", CurvesFile = "evaluation-curves.json", SignatureFile = "signature.json", ReferenceFile = "reference.json";

    /// <summary>The documents by file name, as they are sealed.</summary>
    public ImmutableSortedDictionary<string, byte[]> ToFiles()
    {
        var files = ImmutableSortedDictionary.CreateBuilder<string, byte[]>(StringComparer.Ordinal);
        files[SpecFile] = CanonicalJson.Serialize(Spec, DocumentJson.Default.Spec);
        files[LockFile] = CanonicalJson.Serialize(Lock, DocumentJson.Default.ProjectLock);
        files[SnapshotsFile] = CanonicalJson.Serialize(Snapshots, BundleJson.Default.Snapshots);
        files[EnvironmentFile] = CanonicalJson.Serialize(Environments, BundleJson.Default.Environments);
        files[HardwareFile] = CanonicalJson.Serialize(Hardware, BundleJson.Default.Hardware);
        files[LineageFile] = CanonicalJson.Serialize(Lineage, DocumentJson.Default.LineageGraph);
        files[RerunFile] = CanonicalJson.Serialize(Rerun, DocumentJson.Default.RerunPlan);
        files[SignatureFile] = CanonicalJson.Serialize(Signature, DocumentJson.Default.ModelSignature);
        if (Evaluation is not null)
            files[EvaluationFile] = CanonicalJson.Serialize(Evaluation, DocumentJson.Default.Evaluation);
        if (Replicates is not null)
            files[ReplicatesFile] = CanonicalJson.Serialize(Replicates, DocumentJson.Default.EvaluationReplicates);
        if (Curves is not null)
            files[CurvesFile] = CanonicalJson.Serialize(Curves, DocumentJson.Default.EvaluationCurves);
        if (Reference is not null)
            files[ReferenceFile] = CanonicalJson.Serialize(Reference, MonitoringJson.Default.ReferenceProfile);
        return files.ToImmutable();
    }

    /// <summary>What cannot be true of all documents together; empty when they agree. Each kind has a code of its own.</summary>
    public ImmutableArray<Fault> FindContradictions()
    {
        var contradictions = new Contradictions(this);
        contradictions.BetweenDocuments();
        return [.. contradictions.Found];
    }

    /// <summary>Reads a verified bundle's documents, and checks that they agree with each other and with its layers.</summary>
    /// <remarks>Costs one pass over the model's layer where that is an archive. Every problem is told, not the first alone.</remarks>
    /// <exception cref="SlipwayException">A blob changed since the bundle was verified (exit 1).</exception>
    public static BundleReading Read(VerifiedBundle bundle, CancellationToken cancellation = default)
    {
        var reader = new DocumentReader(bundle.Documents);
        var documents = reader.ReadAll();
        var config = reader.ReadConfig(bundle.Config);
        if (documents is null || config is null)
            return new BundleReading(null, [.. reader.Problems]);

        var contradictions = new Contradictions(documents);
        contradictions.BetweenDocuments();
        contradictions.WithConfig(config, bundle.Layers);
        contradictions.WithModel(SealedModel.Of(bundle, cancellation));
        return contradictions.Found.Count == 0
            ? new BundleReading(documents, [])
            : new BundleReading(null, [.. contradictions.Found]);
    }
}
