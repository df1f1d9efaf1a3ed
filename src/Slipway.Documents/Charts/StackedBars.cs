using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>Rows of counts, each a bar of its kinds: as long as their share of all that the row counts of. Every kind that is there is named, with its count.</summary>
/// <param name="Kinds">At most <see cref="TimeChart.MostSeries"/> have a colour of their own: the colours of what is bad, never those of series.</param>
public sealed record StackedBars(string Name, string Title, string Description, ImmutableArray<string> Kinds, ImmutableArray<StackedRow> Rows) : Chart(Name, Title, Description)
{
    private const double RowHeight = 44, LegendHeight = 24, AxisHeight = 34, Right = 24;

    public override ChartTable Numbers() => new(
        [new("", false), .. Kinds.Select(kind => ChartColumn.Of(kind, ChartUnit.Count)), ChartColumn.Of("Of", ChartUnit.Count)],
        [.. Rows.Select(row => ImmutableArray.Create([ChartCell.Of(row.Label), .. row.Counts.Select(count => ChartCell.Of(count, ChartUnit.Count)), ChartCell.Of(row.Of, ChartUnit.Count)]))]);

    protected override string Draw(int width)
    {
        var present = Kinds.Index().Where(kind => Rows.Any(row => row.Counts[kind.Index] > 0)).ToArray();
        var legend = Legend(present, width);
        var above = legend.Select(place => place.Row + 1).DefaultIfEmpty(0).Max() * LegendHeight;
        var bottom = above + Math.Max(1, Rows.Length) * RowHeight;
        var svg = new SvgText(this, "stacks", width, bottom + AxisHeight);
        foreach (var (k, kind, x, row) in legend)
        {
            svg.Rectangle(x, row * LegendHeight + 2, 12, 12, Colour(k), round: 2);
            svg.Text(x + 17, row * LegendHeight + 12, kind, "label", room: width - x - 17);
        }

        if (Rows.IsEmpty)
            svg.Text(width / 2.0, 24, "Nothing to count yet", "empty", "middle");
        // From a tenth on, a full bar is all of them; below, what is there would not be seen.
        var most = Rows.Select(row => Share(row.Counts.Sum(), row.Of)).DefaultIfEmpty(0).Max();
        var scale = Scale.Over([0, most > 0.1 ? 1 : most], 0, width - Right, width < 500 ? 3 : 5);
        foreach (var (i, row) in Rows.Index())
        {
            var (top, before) = (above + i * RowHeight, 0L);
            svg.Text(0, top + 12, $"{row.Label}: {Words(row)}", "label", room: width);
            svg.Rectangle(0, top + 20, width - Right, 12, "bar-ground", round: 2);
            foreach (var (k, count) in row.Counts.Index().Where(part => part.Item > 0))
            {
                var (from, to) = (scale.At(Share(before, row.Of)), scale.At(Share(before + count, row.Of)));
                svg.Rectangle(from, top + 20, Math.Max(2, to - from), 12, Colour(k), $"{Kinds[k]}: {NumberText.Exact(count, ChartUnit.Count)}, {NumberText.Exact(Share(count, row.Of), ChartUnit.Share)}");
                before += count;
            }
        }

        foreach (var tick in scale.Ticks)
        {
            svg.Line(scale.At(tick), bottom, scale.At(tick), bottom + 4, "axis");
            svg.Text(scale.At(tick), bottom + 17, NumberText.Short(tick, ChartUnit.Share), "tick", tick == 0 ? "start" : "middle");
        }

        svg.Text(width, bottom + 31, "share of all requests", "tick", "end");
        return svg.ToString();
    }

    private static string Colour(int kind) => $"k{kind % TimeChart.MostSeries + 1}";

    private static double Share(long count, long of) => of > 0 ? Math.Clamp(count / (double)of, 0, 1) : 0;

    private static List<(int Kind, string Name, double X, int Row)> Legend((int Index, string Item)[] present, int width)
    {
        var (places, at, row) = (new List<(int, string, double, int)>(), 0.0, 0);
        foreach (var (k, kind) in present)
        {
            var room = 34 + SvgText.WidthOf(kind);
            if (at > 0 && at + room > width)
                (at, row) = (0, row + 1);
            places.Add((k, kind, at, row));
            at += room;
        }

        return places;
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
