using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>Rows of counts, each a bar of its kinds; every kind that is there is named, with its count, under the bar.</summary>
/// <param name="Kinds">At most <see cref="TimeChart.MostSeries"/> have a colour of their own.</param>
public sealed record StackedBars(string Name, string Title, string Description, ImmutableArray<string> Kinds, ImmutableArray<StackedRow> Rows) : Chart(Name, Title, Description)
{
    private const double RowHeight = 44, LegendHeight = 24;

    public override ChartTable Numbers() => new(
        [new("", false), .. Kinds.Select(kind => new ChartColumn(kind, true)), new("Of", true)],
        [.. Rows.Select(row => ImmutableArray.Create([ChartCell.Of(row.Label), .. row.Counts.Select(count => ChartCell.Of(count, ChartUnit.Count)), ChartCell.Of(row.Of, ChartUnit.Count)]))]);

    protected override string Draw(int width)
    {
        var present = Kinds.Index().Where(kind => Rows.Any(row => row.Counts[kind.Index] > 0)).ToArray();
        var svg = new SvgText(this, "stacks", width, (present.Length > 0 ? LegendHeight : 0) + Math.Max(1, Rows.Length) * RowHeight);
        var at = 0.0;
        foreach (var (k, kind) in present)
        {
            svg.Rectangle(at, 2, 12, 12, $"f{k % TimeChart.MostSeries + 1}", round: 2);
            svg.Text(at + 17, 12, kind, "label");
            at += 34 + SvgText.WidthOf(kind);
        }

        var most = Math.Max(1, Rows.Select(row => row.Counts.Sum()).DefaultIfEmpty(0).Max());
        if (Rows.IsEmpty)
            svg.Text(width / 2.0, 24, "Nothing to count yet", "empty", "middle");
        foreach (var (i, row) in Rows.Index())
        {
            var (top, x) = ((present.Length > 0 ? LegendHeight : 0) + i * RowHeight, 0.0);
            svg.Text(0, top + 12, $"{row.Label}: {Words(row)}", "label", room: width);
            svg.Rectangle(0, top + 20, width, 12, "bar-ground", round: 2);
            foreach (var (k, count) in row.Counts.Index().Where(part => part.Item > 0))
            {
                var length = width * (count / (double)most);
                svg.Rectangle(x, top + 20, Math.Max(2, length - 1), 12, $"f{k % TimeChart.MostSeries + 1}", $"{Kinds[k]}: {NumberText.Exact(count, ChartUnit.Count)}");
                x += length;
            }
        }

        return svg.ToString();
    }

    private string Words(StackedRow row)
    {
        var parts = row.Counts.Index().Where(part => part.Item > 0).Select(part => $"{NumberText.Exact(part.Item, ChartUnit.Count)} {Kinds[part.Index]}").ToArray();
        return $"{(parts.Length == 0 ? "none" : string.Join(", ", parts))} of {NumberText.Exact(row.Of, ChartUnit.Count)}";
    }
}

/// <param name="Counts">One for each kind.</param>
/// <param name="Of">Of how many these are.</param>
public sealed record StackedRow(string Label, ImmutableArray<long> Counts, long Of);
