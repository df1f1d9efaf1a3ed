using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Specs;

namespace Slipway.Documents.Artifacts;

/// <summary>What the stages of a spec take in and make, with the evaluation and the bundle at their end. From the spec alone: no file is looked at.</summary>
/// <remarks>Compares collections by identity.</remarks>
/// <param name="Nodes">Datasets and paths by name, then the stages in the order in which they run, then the evaluation and the bundle.</param>
/// <param name="Edges">By the order of <c>to</c>, then as its inputs are written.</param>
public sealed record StageGraph(ImmutableArray<StageNode> Nodes, ImmutableArray<StageEdge> Edges)
{
    /// <summary>How the ids of stages begin.</summary>
    internal const string StagePrefix = "stage:";

    private const string Evaluation = "evaluation", Bundle = "bundle";

    /// <param name="spec">As its parser gave it: every name in it is declared.</param>
    /// <param name="order">Its stages in the order in which they run, or those of them that are wanted.</param>
    public static StageGraph Of(Spec spec, IEnumerable<StageSpec> order)
    {
        var (sources, steps, edges) = (new SortedDictionary<string, StageNode>(StringComparer.Ordinal), new List<StageNode>(), new List<StageEdge>());
        foreach (var stage in order)
        {
            var id = Id(StageNodeKind.Stage, stage.Name);
            steps.Add(new StageNode(id, StageNodeKind.Stage, stage.Name, stage.Outputs) { When = stage.When, Network = stage.Network });
            foreach (var input in stage.Inputs)
                edges.Add(new StageEdge(From(input), id, input.Name));
        }

        var isWhole = steps.Count == spec.Stages.Length;
        if (isWhole && spec.Evaluate is { } evaluate)
        {
            steps.Add(new StageNode(Evaluation, StageNodeKind.Evaluation, Evaluation, ImmutableSortedDictionary<string, string>.Empty));
            edges.Add(new StageEdge(MakerOf(evaluate.Predictions), Evaluation, evaluate.Predictions));
        }

        if (isWhole && spec.Model is { } model)
        {
            steps.Add(new StageNode(Bundle, StageNodeKind.Bundle, spec.Name, ImmutableSortedDictionary<string, string>.Empty));
            edges.Add(new StageEdge(MakerOf(model.Artifact), Bundle, model.Artifact));
            if (spec.Evaluate is not null)
                edges.Add(new StageEdge(Evaluation, Bundle, Evaluation));
        }

        return new StageGraph([.. sources.Values, .. steps], [.. edges.Distinct()]);

        string From(StageInput input)
        {
            if (input.Kind == InputKind.Output)
                return MakerOf(input.Name);
            var kind = input.Kind == InputKind.Dataset ? StageNodeKind.Dataset : StageNodeKind.Path;
            var id = Id(kind, input.Name);
            sources[id] = new StageNode(id, kind, input.Name, ImmutableSortedDictionary<string, string>.Empty);
            return id;
        }
    }

    private static string MakerOf(string output) => Id(StageNodeKind.Stage, StageSpec.Split(output).Stage);

    private static string Id(StageNodeKind kind, string name) => $"{NamedEnum<StageNodeKind>.Word(kind)}:{name}";
}

/// <param name="Id">Kind and name, which together are unique.</param>
/// <param name="Outputs">Declared path by output name; empty for what is no stage.</param>
public sealed record StageNode(string Id, StageNodeKind Kind, string Name, ImmutableSortedDictionary<string, string> Outputs)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public StageWhen When { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public StageNetwork Network { get; init; }

    /// <summary>The name, and what is unusual about when the stage runs: <c>label (manual)</c>.</summary>
    internal string Shown => string.Concat(
        Name,
        When == StageWhen.Changed ? "" : $" ({When.Word()})",
        Network == StageNetwork.None ? "" : $" (network: {Network.Word()})");
}

/// <param name="From">Id of what makes the artifact, or of what it is itself.</param>
/// <param name="To">Id of what takes it in.</param>
/// <param name="Artifact">As the input is written.</param>
public sealed record StageEdge(string From, string To, string Artifact);

[JsonConverter(typeof(NamedEnum<StageNodeKind>))]
public enum StageNodeKind
{
    [JsonStringEnumMemberName("dataset")] Dataset,

    /// <summary>A file, folder or glob of the project.</summary>
    [JsonStringEnumMemberName("path")] Path,
    [JsonStringEnumMemberName("stage")] Stage,
    [JsonStringEnumMemberName("evaluation")] Evaluation,
    [JsonStringEnumMemberName("bundle")] Bundle,
}
