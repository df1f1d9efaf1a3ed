using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Bundles;
using Slipway.Documents.Cards;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Artifacts;

/// <summary>What a bundle came from, as one graph: every node an artifact by digest, every edge the stage that made one of the other.</summary>
/// <remarks>Compares collections by identity. The nodes and edges follow from the sealed documents alone; the same bundle gives the same ones anywhere.</remarks>
/// <param name="Bundle">The root.</param>
/// <param name="Nodes">By id.</param>
/// <param name="Edges">By the ids of <c>from</c> and <c>to</c>, then by stage.</param>
/// <param name="Commits">From the provenance of trusted keys: one content may come from many commits, so none is a node.</param>
public sealed record ArtifactGraph(Digest Bundle, ImmutableArray<ArtifactNode> Nodes, ImmutableArray<ArtifactEdge> Edges, ImmutableArray<BundleOrigin> Commits)
{
    /// <summary>Files of a snapshot that are nodes of their own; of more, the snapshot stands for them unless they are asked for.</summary>
    public const int MostFiles = 50;

    /// <summary>Edges of the steps that are no stages: what the predictions were measured by, and what was sealed.</summary>
    public const string Evaluating = "evaluate", Sealing = "seal", Snapshotting = "snapshot";

    /// <param name="documents">Of this bundle.</param>
    /// <param name="mostFiles">Of a snapshot, see <see cref="MostFiles"/>.</param>
    public static ArtifactGraph Of(VerifiedBundle bundle, BundleDocuments documents, int mostFiles = MostFiles) => new ArtifactGraphBuilder(bundle, documents, mostFiles).Build();

    /// <summary>These nodes alone, and the edges between them.</summary>
    public ArtifactGraph Only(IReadOnlySet<string> ids) =>
        this with { Nodes = [.. Nodes.Where(node => ids.Contains(node.Id))], Edges = [.. Edges.Where(edge => ids.Contains(edge.From) && ids.Contains(edge.To))] };
}

/// <param name="Id">Kind and name, which together are unique: two artifacts of one content are two nodes of one digest.</param>
/// <param name="Name">A dataset, <c>stage.output</c>, a path.</param>
/// <param name="Digest">Of the content; of a folder its list of files, of params their canonical JSON, of an evaluation its sealed document.</param>
/// <param name="Size">Bytes; null where the documents do not tell.</param>
/// <param name="Files">Of a snapshot, how many; otherwise null.</param>
public sealed record ArtifactNode(string Id, ArtifactNodeKind Kind, string Name, Digest Digest, long? Size, int? Files);

/// <param name="From">Id of what was taken in.</param>
/// <param name="To">Id of what came out.</param>
public sealed record ArtifactEdge(string From, string To, string Stage);

[JsonConverter(typeof(NamedEnum<ArtifactNodeKind>))]
public enum ArtifactNodeKind
{
    [JsonStringEnumMemberName("source-file")] SourceFile,
    [JsonStringEnumMemberName("snapshot")] Snapshot,

    /// <summary>A file, folder or glob of the project that a stage takes in.</summary>
    [JsonStringEnumMemberName("code")] Code,
    [JsonStringEnumMemberName("environment")] Environment,

    /// <summary>The params that one stage uses.</summary>
    [JsonStringEnumMemberName("params")] Params,

    /// <summary>What a stage made: a feature table, predictions.</summary>
    [JsonStringEnumMemberName("output")] Output,

    /// <summary>The output that is the model.</summary>
    [JsonStringEnumMemberName("model")] Model,
    [JsonStringEnumMemberName("evaluation")] Evaluation,
    [JsonStringEnumMemberName("bundle")] Bundle,
}

/// <summary>How a graph is written.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ArtifactGraph))]
[JsonSerializable(typeof(StageGraph))]
public sealed partial class ArtifactJson : JsonSerializerContext;
