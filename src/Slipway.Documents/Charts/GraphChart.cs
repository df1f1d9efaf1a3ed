using System.Collections.Immutable;
using static Slipway.Documents.Charts.SvgText;

namespace Slipway.Documents.Charts;

/// <summary>What came from what: boxes in layers from left to right, each after all that lead to it.</summary>
/// <remarks>Layers by the longest path, order within them by the mean of their neighbours (Sugiyama et al. 1981). As wide as it needs to be.</remarks>
public sealed record GraphChart(string Name, string Title, string Description, ImmutableArray<GraphNode> Nodes, ImmutableArray<GraphEdge> Edges) : Chart(Name, Title, Description)
{
    /// <summary>Boxes that are drawn; the numbers hold all.</summary>
    public const int MostNodes = 120;

    private const double BoxWidth = 156, BoxHeight = 42, AcrossGap = 46, DownGap = 14, Margin = 6;

    /// <summary>Passes over all layers; more change nothing that is seen.</summary>
    private const int Sweeps = 4;

    public override ChartTable Numbers()
    {
        var labels = Nodes.DistinctBy(node => node.Id).ToDictionary(node => node.Id, node => node.Label, StringComparer.Ordinal);
        return new(
            [new("What", false), new("Detail", false), new("Made from", false)],
            [
                .. Nodes.Select(node => ImmutableArray.Create(
                    ChartCell.Of(node.Label), ChartCell.Of(node.Detail),
                    ChartCell.Of(string.Join("; ", Edges.Where(edge => edge.To == node.Id).Select(edge => labels.GetValueOrDefault(edge.From, edge.From)))))),
            ]);
    }

    protected override string Draw(int width)
    {
        var nodes = Nodes.DistinctBy(node => node.Id).Take(MostNodes).ToArray();
        var index = nodes.Index().ToDictionary(node => node.Item.Id, node => node.Index, StringComparer.Ordinal);
        var edges = Edges.Where(edge => edge.From != edge.To && index.ContainsKey(edge.From) && index.ContainsKey(edge.To)).Select(edge => (From: index[edge.From], To: index[edge.To])).Distinct().ToArray();
        var layers = Layers(nodes.Length, edges);
        var places = Places(layers, edges);
        var tallest = layers.Select(layer => layer.Length).DefaultIfEmpty(1).Max();
        var (natural, height) = (Math.Max(width, 2 * Margin + layers.Length * BoxWidth + Math.Max(0, layers.Length - 1) * AcrossGap), 2 * Margin + tallest * (BoxHeight + DownGap));
        var svg = new SvgText(this, "graph", natural, height);
        if (nodes.Length == 0)
            svg.Text(width / 2.0, height / 2, "Nothing is recorded", "empty", "middle");
        foreach (var (from, to) in edges)
            DrawEdge(svg, places[from], places[to]);
        foreach (var (i, node) in nodes.Index())
        {
            var (x, y) = places[i];
            svg.Rectangle(x, y, BoxWidth, BoxHeight, $"node {ClassOf(node.Kind)}", $"{node.Label}: {node.Detail}", 6);
            svg.Text(x + 10, y + 18, node.Label, "label main", room: BoxWidth - 16);
            svg.Text(x + 10, y + 33, node.Detail, "tick", room: BoxWidth - 16);
        }

        return svg.ToString();
    }

    private static string ClassOf(GraphNodeKind kind) => kind switch
    {
        GraphNodeKind.Stage => "stage",
        GraphNodeKind.Result => "result",
        _ => "source",
    };

    private static void DrawEdge(SvgText svg, (double X, double Y) from, (double X, double Y) to)
    {
        var (x1, y1, x2, y2) = (from.X + BoxWidth, from.Y + BoxHeight / 2, to.X, to.Y + BoxHeight / 2);
        var bend = Math.Max(20, (x2 - x1) / 2);
        svg.Path($"M{N(x1)} {N(y1)}C{N(x1 + bend)} {N(y1)} {N(x2 - bend)} {N(y2)} {N(x2 - 5)} {N(y2)}", "edge");
        svg.Path($"M{N(x2)} {N(y2)}l-7 -4v8Z", "head");
    }

    /// <summary>By the longest path that leads there. Edges that would close a circle are drawn, and do not count.</summary>
    private static int[][] Layers(int count, (int From, int To)[] edges)
    {
        var layer = new int[count];
        // A path has at most count edges: without a circle nothing changes after that many passes.
        for (var pass = 0; pass < count; pass++)
        {
            var changed = false;
            foreach (var (from, to) in edges)
            {
                if (layer[to] > layer[from] || layer[from] + 1 >= count)
                    continue;
                (layer[to], changed) = (layer[from] + 1, true);
            }

            if (!changed)
                break;
        }

        // What nothing leads to stands just before what first takes it in: its arrow then crosses no other box.
        foreach (var source in Enumerable.Range(0, count).Where(node => !edges.Any(edge => edge.To == node)))
            layer[source] = Math.Max(0, edges.Where(edge => edge.From == source).Select(edge => layer[edge.To] - 1).DefaultIfEmpty(0).Min());
        return [.. Enumerable.Range(0, count).GroupBy(node => layer[node]).OrderBy(group => group.Key).Select(group => group.ToArray())];
    }

    private static (double X, double Y)[] Places(int[][] layers, (int From, int To)[] edges)
    {
        var row = new double[layers.Sum(layer => layer.Length)];
        foreach (var layer in layers)
            Number(layer);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            foreach (var layer in sweep % 2 == 0 ? layers : layers.Reverse())
            {
                var wanted = layer.ToDictionary(node => node, node => edges.Where(edge => edge.From == node || edge.To == node).Select(edge => row[edge.From == node ? edge.To : edge.From]).DefaultIfEmpty(row[node]).Average());
                Array.Sort(layer, (a, b) => wanted[a] != wanted[b] ? wanted[a].CompareTo(wanted[b]) : a.CompareTo(b));
                Number(layer);
            }
        }

        var tallest = layers.Select(layer => layer.Length).DefaultIfEmpty(0).Max();
        var places = new (double, double)[row.Length];
        foreach (var (i, layer) in layers.Index())
        {
            foreach (var (k, node) in layer.Index())
                places[node] = (Margin + i * (BoxWidth + AcrossGap), Margin + ((tallest - layer.Length) / 2.0 + k) * (BoxHeight + DownGap));
        }

        return places;

        // Centred, so that a lone box stands beside the middle of many.
        void Number(int[] layer)
        {
            foreach (var (k, node) in layer.Index())
                row[node] = k - (layer.Length - 1) / 2.0;
        }
    }
}

/// <param name="Detail">Such as a digest.</param>
public sealed record GraphNode(string Id, string Label, string Detail, GraphNodeKind Kind);

public enum GraphNodeKind
{
    Source,
    Stage,
    Result,
}

public sealed record GraphEdge(string From, string To);
