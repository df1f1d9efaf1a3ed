using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Lineage;

/// <summary>What came from what: the stages that made the bundle, each with the digests that went in and came out.</summary>
/// <param name="Stages">In execution order, ties by name: the same for the same spec.</param>
public sealed record LineageGraph(ImmutableArray<LineageStage> Stages);

/// <param name="StepKey">Digest of all that could influence the outputs.</param>
/// <param name="Inputs">Digest by input as written in the spec; a file or folder of the project has its content's digest.</param>
/// <param name="Outputs">Digest by output name.</param>
public sealed record LineageStage(
    string Name,
    Digest StepKey,
    ImmutableSortedDictionary<string, Digest> Inputs,
    ImmutableSortedDictionary<string, Digest> Outputs);
