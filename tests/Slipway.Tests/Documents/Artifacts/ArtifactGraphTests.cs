using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Slipway.Documents.Artifacts;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Documents.Artifacts;

public sealed class ArtifactGraphTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly SealedSample sample;

    public ArtifactGraphTests() => sample = new SealedSample(folder.Root);

    public void Dispose()
    {
        sample.Dispose();
        folder.Dispose();
    }

    private ArtifactGraph Graph(SealRequest? request = null, int mostFiles = ArtifactGraph.MostFiles)
    {
        var bundle = sample.SealAndVerify(request ?? SampleRun.In(folder["src"]));
        return ArtifactGraph.Of(bundle, BundleDocuments.Read(bundle, TestContext.Current.CancellationToken).Require(), mostFiles);
    }

    /// <summary>The sample with a snapshot of so many files.</summary>
    private SealRequest WithFiles(int count)
    {
        var request = SampleRun.In(folder["src"]);
        ImmutableArray<SnapshotFile> files = [.. Enumerable.Range(0, count).Select(i => new SnapshotFile($"part-{i:D6}.csv", 1, SampleRun.Of($"part {i}")))];
        var snapshot = request.Snapshots[0] with { Digest = Snapshot.DigestOf(files), Files = files };
        var stages = request.Lineage.Stages;
        return SampleRun.Keyed(request with
        {
            Snapshots = [snapshot],
            Lock = request.Lock with { Data = SampleRun.Map(("flights", new DatasetPin(snapshot.Digest, count, 10))) },
            Lineage = new([stages[0] with { Inputs = stages[0].Inputs.SetItem("flights", snapshot.Digest) }, stages[1]]),
        });
    }

    [Fact]
    public void Every_artifact_is_a_node_and_the_bundle_is_the_root()
    {
        var request = SampleRun.In(folder["src"]);
        var graph = Graph(request);
        Assert.Equal(
            ["bundle", "code:pipeline/train.py", "code:the sealed code", "environment:py", "evaluation:evaluation.json", "model:fit.model", "output:score.predictions", "params:fit", "snapshot:flights", "source-file:flights/flights.csv"],
            graph.Nodes.Select(node => node.Id));
        Assert.Equal(graph.Bundle, graph.Nodes[0].Digest);
        Assert.Equal(
            [
                "code:pipeline/train.py model:fit.model fit",
                "code:the sealed code bundle seal",
                "environment:py model:fit.model fit",
                "environment:py output:score.predictions score",
                "evaluation:evaluation.json bundle seal",
                "model:fit.model bundle seal",
                "model:fit.model output:score.predictions score",
                "output:score.predictions evaluation:evaluation.json evaluate",
                "params:fit model:fit.model fit",
                "snapshot:flights model:fit.model fit",
                "source-file:flights/flights.csv snapshot:flights snapshot",
            ],
            graph.Edges.Select(edge => $"{edge.From} {edge.To} {edge.Stage}"));
        Assert.Equal(Digest.Of("""{"leaves":31}"""u8), graph.Nodes.Single(node => node.Id == "params:fit").Digest);
        Assert.Equal(Digest.Of(Sealer.Documents(request).ToFiles()["evaluation.json"]), graph.Nodes.Single(node => node.Kind == ArtifactNodeKind.Evaluation).Digest);
        // From the root everything is reached: an artifact that leads nowhere would be a hole in the proof.
        Assert.Equal(graph.Nodes.Length, ArtifactSearch.Ancestors(graph, [graph.Nodes[0]]).Nodes.Length);
    }

    [Fact]
    public void The_graph_is_a_document_that_reads_back()
    {
        var graph = Graph();
        var json = JsonSerializer.Serialize(graph, ArtifactJson.Default.ArtifactGraph);
        Assert.Contains("\"kind\":\"source-file\"", json);
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, ArtifactJson.Default.ArtifactGraph), ArtifactJson.Default.ArtifactGraph));
    }

    [Fact]
    public void Many_files_are_their_snapshot_unless_they_are_asked_for()
    {
        var request = WithFiles(20_000);
        var graph = Graph(request);
        Assert.DoesNotContain(graph.Nodes, node => node.Kind == ArtifactNodeKind.SourceFile);
        Assert.Equal(20_000, graph.Nodes.Single(node => node.Kind == ArtifactNodeKind.Snapshot).Files);
        var full = Graph(request, int.MaxValue);
        Assert.Equal(20_000, full.Nodes.Count(node => node.Kind == ArtifactNodeKind.SourceFile));
        var found = ArtifactSearch.Find(full, SampleRun.Of("part 777").Hex[..8]);
        Assert.Equal("flights/part-000777.csv", Assert.Single(found).Name);
        Assert.Equal(
            ["bundle", "evaluation:evaluation.json", "model:fit.model", "output:score.predictions", "snapshot:flights", "source-file:flights/part-000777.csv"],
            ArtifactSearch.Around(full, found).Nodes.Select(node => node.Id));
    }

    [Fact]
    public void An_artifact_is_found_by_name_id_and_digest_and_a_miss_is_told_with_the_nearest()
    {
        var graph = Graph();
        var model = graph.Nodes.Single(node => node.Kind == ArtifactNodeKind.Model);
        foreach (var text in new[] { "fit.model", "model:fit.model", model.Digest.ToString(), model.Digest.Hex, model.Digest.Hex[..8], "sha256:" + model.Digest.Hex[..20] })
            Assert.Equal(model, Assert.Single(ArtifactSearch.Find(graph, text)));
        Assert.Equal("did you mean fit.model?", Fault("fit.modle").Help);
        Assert.Contains("at least 8", Fault(model.Digest.Hex[..7]).Help);
        Assert.Equal("artifact-not-found", Fault(new string('0', 64)).Code);
        Assert.Equal("artifact-not-found", Fault("").Code);

        Fault Fault(string text) => Assert.Throws<SlipwayException>(() => ArtifactSearch.Find(graph, text)).Faults.Single();
    }

    [Fact]
    public void The_tree_tells_each_artifact_in_full_once()
    {
        var graph = Graph();
        var tree = ArtifactTree.Ancestors(graph, [graph.Nodes[0]]);
        Assert.StartsWith($"bundle flight-delay  {graph.Bundle}", tree);
        Assert.Single(Regex.Matches(tree, "snapshot flights"));
        Assert.Contains("model fit.model", tree);
        Assert.Contains("by seal  (as above)", tree);
        var upward = ArtifactTree.Descendants(graph, ArtifactSearch.Find(graph, "flights"));
        Assert.Equal(6, upward.TrimEnd('\n').Split('\n').Length);      // snapshot, model, bundle; predictions, evaluation, bundle again
    }

    /// <summary>Of the grammar that Mermaid publishes for flowcharts, the part that is written.</summary>
    [Fact]
    public void Mermaid_holds_plain_ids_and_quoted_labels_only()
    {
        var graph = Graph();
        var hostile = graph with { Nodes = [.. graph.Nodes.Select(node => node with { Name = "a\"]; click n0 \"javascript:1\"\n%%{init}%% `x` #quot; <b>" })], Edges = [.. graph.Edges.Select(edge => edge with { Stage = "|x\"|" })] };
        foreach (var text in new[] { MermaidText.Write(graph), MermaidText.Write(hostile) })
        {
            var lines = text.TrimEnd('\n').Split('\n');
            Assert.Equal("flowchart LR", lines[0]);
            Assert.Equal(graph.Nodes.Length + graph.Edges.Length + 1, lines.Length);
            Assert.All(lines[1..(graph.Nodes.Length + 1)], line => Assert.Matches("""^  n\d+(\[|\[\(|\(\[)"[^"<>`\[\]|]*<br/>[0-9a-f]{12}"(\]|\)\]|\]\))$""", line));
            Assert.All(lines[(graph.Nodes.Length + 1)..], line => Assert.Matches("""^  n\d+ -->\|"[^"<>`\[\]|]*"\| n\d+$""", line));
        }
    }
}
