using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Bundles;
using Slipway.Documents.Cards;
using Slipway.Documents.Lineage;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Artifacts;

/// <summary>Collects the nodes and edges of one bundle, whose documents agree with each other already.</summary>
internal sealed class ArtifactGraphBuilder(VerifiedBundle bundle, BundleDocuments documents, int mostFiles)
{
    private const string Root = "bundle";

    private readonly Spec spec = documents.Spec;
    private readonly SortedDictionary<string, ArtifactNode> nodes = new(StringComparer.Ordinal);
    private readonly HashSet<ArtifactEdge> edges = [];

    public ArtifactGraph Build()
    {
        foreach (var (name, snapshot) in documents.Snapshots)
        {
            var id = Add(ArtifactNodeKind.Snapshot, name, snapshot.Digest, snapshot.Files.Sum(file => file.Size), snapshot.Files.Length);
            foreach (var file in snapshot.Files.Length > mostFiles ? [] : snapshot.Files)
                edges.Add(new ArtifactEdge(Add(ArtifactNodeKind.SourceFile, $"{name}/{file.Path}", file.Digest, file.Size), id, ArtifactGraph.Snapshotting));
        }

        foreach (var (name, environment) in documents.Environments)
            Add(ArtifactNodeKind.Environment, name, environment.Digest, null);
        var weight = bundle.Layers.First(layer => layer.Kind == LayerKind.Weight);
        foreach (var stage in documents.Lineage.Stages)
        {
            foreach (var (name, digest) in stage.Outputs)
                Add(KindOf(stage, name), $"{stage.Name}.{name}", digest, IsModel(stage, name) && weight is { IsArchive: false } ? weight.Blob.Size : null);
        }

        foreach (var (stage, step) in documents.Lineage.Stages.Zip(documents.Rerun.Stages))
            AddStage(stage, step);
        AddEvaluation();
        AddBundle();
        return new ArtifactGraph(
            bundle.Digest,
            [.. nodes.Values],
            [.. edges.OrderBy(edge => edge.From, StringComparer.Ordinal).ThenBy(edge => edge.To, StringComparer.Ordinal).ThenBy(edge => edge.Stage, StringComparer.Ordinal)],
            BundleOrigin.All(bundle));
    }

    private void AddStage(LineageStage stage, StepKeyDocument step)
    {
        var declared = spec.Stages.First(candidate => candidate.Name == stage.Name);
        var kinds = declared.Inputs.DistinctBy(input => input.Name).ToDictionary(input => input.Name, input => input.Kind, StringComparer.Ordinal);
        var taken = stage.Inputs.Select(input => kinds.GetValueOrDefault(input.Key, InputKind.Path) switch
        {
            InputKind.Dataset => Id(ArtifactNodeKind.Snapshot, input.Key),
            InputKind.Output => OutputId(input.Key),
            _ => Add(ArtifactNodeKind.Code, input.Key, input.Value, null),
        }).ToList();
        if (declared.Environment is { } environment)
            taken.Add(Id(ArtifactNodeKind.Environment, environment));
        if (!step.Params.IsEmpty)
            taken.Add(Add(ArtifactNodeKind.Params, stage.Name, Digest.Of(CanonicalJson.Serialize(step.Params, ParamsJson.Default.Params)), null));
        foreach (var output in stage.Outputs.Keys)
        {
            foreach (var input in taken)
                edges.Add(new ArtifactEdge(input, OutputId($"{stage.Name}.{output}"), stage.Name));
        }
    }

    private void AddEvaluation()
    {
        if (documents.Evaluation is null)
            return;
        var file = bundle.Documents[BundleDocuments.EvaluationFile];
        edges.Add(new ArtifactEdge(OutputId(spec.Evaluate!.Predictions), Add(ArtifactNodeKind.Evaluation, BundleDocuments.EvaluationFile, Digest.Of(file.Span), file.Length), ArtifactGraph.Evaluating));
    }

    /// <summary>The root takes in the model, the evaluation, the served code, and whatever else nothing took in: all of it is sealed, at least by its digest.</summary>
    private void AddBundle()
    {
        var used = edges.Select(edge => edge.From).ToHashSet(StringComparer.Ordinal);
        foreach (var id in nodes.Keys.Where(id => !used.Contains(id)).Append(OutputId(spec.Model!.Artifact)).ToList())
            edges.Add(new ArtifactEdge(id, Root, ArtifactGraph.Sealing));
        if (spec.Model.Runtime.Environment is { } environment)
            edges.Add(new ArtifactEdge(Id(ArtifactNodeKind.Environment, environment), Root, ArtifactGraph.Sealing));
        if (bundle.Layers.FirstOrDefault(layer => layer.Kind == LayerKind.Code) is { } code)
            edges.Add(new ArtifactEdge(Add(ArtifactNodeKind.Code, "the sealed code", code.Blob.Digest, code.Blob.Size), Root, ArtifactGraph.Sealing));
        nodes[Root] = new ArtifactNode(Root, ArtifactNodeKind.Bundle, spec.Name, bundle.Digest, bundle.Manifest.Blobs.Sum(blob => blob.Size) + bundle.Manifest.ToBytes().Length, null);
    }

    private ArtifactNodeKind KindOf(LineageStage stage, string output) => IsModel(stage, output) ? ArtifactNodeKind.Model : ArtifactNodeKind.Output;

    private bool IsModel(LineageStage stage, string output) => $"{stage.Name}.{output}" == spec.Model!.Artifact;

    private string OutputId(string reference) => Id(reference == spec.Model!.Artifact ? ArtifactNodeKind.Model : ArtifactNodeKind.Output, reference);

    private static string Id(ArtifactNodeKind kind, string name) => $"{NamedEnum<ArtifactNodeKind>.Word(kind)}:{name}";

    private string Add(ArtifactNodeKind kind, string name, Digest digest, long? size, int? files = null)
    {
        var id = Id(kind, name);
        nodes[id] = new ArtifactNode(id, kind, name, digest, size, files);
        return id;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(ImmutableSortedDictionary<string, JsonElement>), TypeInfoPropertyName = "Params")]
internal sealed partial class ParamsJson : System.Text.Json.Serialization.JsonSerializerContext;
