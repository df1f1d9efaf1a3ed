using Slipway.Documents.Artifacts;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;

namespace Slipway.Tests.Documents.Artifacts;

public sealed class StageGraphTests
{
    private const string Text =
        """
        slipway: 1
        name: small
        data:
          flights: { path: data/flights.csv }
        stages:
          score:
            run: ./score
            in: [features.april, fit.model]
            out: { predictions: build/p.csv }
          fit:
            run: ./fit
            in: [features.train, "code/a \"quoted\" name.py"]
            out: { model: build/model/ }
          features:
            sql: code/features.sql
            in: [flights]
            out: { train: build/t.csv, april: build/a.csv }
        """;

    private readonly Spec spec = SpecParser.Parse("slipway.yaml", System.Text.Encoding.UTF8.GetBytes(Text));

    [Fact]
    public void Stages_stand_in_the_order_in_which_they_run_with_what_they_take_and_make()
    {
        Assert.Equal(
            """
            features  ← flights
                      → features.april  build/a.csv
                      → features.train  build/t.csv
            fit       ← features.train, code/a "quoted" name.py
                      → fit.model  build/model/
            score     ← features.april, fit.model
                      → score.predictions  build/p.csv

            """,
            StageGraphText.Plain(Graph()));
    }

    [Fact]
    public void One_stage_comes_with_what_it_needs_alone()
    {
        var graph = Graph("fit");
        Assert.Equal(["features", "fit"], graph.Nodes.Where(node => node.Kind == StageNodeKind.Stage).Select(node => node.Name));
        Assert.DoesNotContain(graph.Edges, edge => edge.To.Contains("score", StringComparison.Ordinal));
    }

    [Fact]
    public void Mermaid_and_dot_quote_what_could_mean_something()
    {
        var mermaid = StageGraphText.Mermaid(Graph());
        Assert.StartsWith("flowchart LR\n", mermaid);
        Assert.Contains("n0[(\"flights\")]", mermaid);
        Assert.Contains("#34;quoted#34;", mermaid);
        Assert.Contains("-->|\"train\"|", mermaid);

        var dot = StageGraphText.Dot(Graph());
        Assert.Contains("label=\"code/a \\\"quoted\\\" name.py\", shape=note", dot);
        Assert.Contains("[label=\"model\"]", dot);
        Assert.EndsWith("}\n", dot);
    }

    [Fact]
    public void Every_edge_joins_two_nodes()
    {
        var graph = Graph();
        var ids = graph.Nodes.Select(node => node.Id).ToHashSet();
        Assert.Equal(graph.Nodes.Length, ids.Count);
        Assert.All(graph.Edges, edge => Assert.True(ids.Contains(edge.From) && ids.Contains(edge.To)));
    }

    private StageGraph Graph(string? upTo = null) => StageGraph.Of(spec, ExecutionPlan.Of(spec, upTo).Stages.Select(planned => planned.Stage));
}
