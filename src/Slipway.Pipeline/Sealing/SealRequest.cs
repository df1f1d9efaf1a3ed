using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

using EvaluationDocument = Slipway.Documents.Evaluations.Evaluation;

namespace Slipway.Pipeline.Sealing;

/// <summary>All that a bundle is made of; nothing else can reach its digest.</summary>
/// <param name="Spec">As parsed; it has a model.</param>
/// <param name="Lock">What was used: its environments are those that the stages ran in.</param>
/// <param name="Snapshots">One for each dataset, in any order.</param>
/// <param name="Model">The artifact's files, in any order: a file's path is its name alone, those of a folder are relative to it.</param>
/// <param name="Code">The files that stages and the served model declare as inputs, by their paths in the project, in any order.</param>
/// <param name="Evaluation">Null when the spec asks for none; the same for <paramref name="Replicates"/> and <paramref name="Curves"/>.</param>
/// <param name="Reference">Null when the spec's model names none.</param>
internal sealed record SealRequest(
    Spec Spec,
    ProjectLock Lock,
    ImmutableArray<Snapshot> Snapshots,
    LineageGraph Lineage,
    RerunPlan Rerun,
    ImmutableArray<SealFile> Model,
    ImmutableArray<SealFile> Code,
    EvaluationDocument? Evaluation,
    EvaluationReplicates? Replicates,
    EvaluationCurves? Curves,
    ReferenceProfile? Reference);

/// <summary>A file to be sealed; it is hashed again while it is packed.</summary>
/// <param name="Path">With slashes.</param>
/// <param name="Digest">Of its bytes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Source">Where its bytes are now; no part of the bundle.</param>
internal sealed record SealFile(string Path, bool Executable, long Size, Digest Digest, string Source);

/// <param name="Digest">The manifest's: the bundle's identity.</param>
/// <param name="Size">Bytes of manifest, config and layers together.</param>
/// <param name="Tag">The spec's name, by which the layout finds it.</param>
public sealed record SealedBundle(Digest Digest, long Size, string Tag);
