using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>Two distributions over the same bins, in pairs of bars: what is held against, dashed, and what is, filled.</summary>
/// <param name="Bins">All of them; beyond <see cref="MostBins"/> those with the smallest shares are drawn as one.</param>
public sealed record PairedHistogram(string Name, string Title, string Description, string ReferenceName, string CurrentName, ImmutableArray<PairedBin> Bins) : Chart(Name, Title, Description)
{
    public const int MostBins = 24;

    private const double RowHeight = 26, Top = 24, Bottom = 24;

    public override ChartTable Numbers()
    {
        var (references, currents) = (Bins.Sum(bin => bin.Reference), Bins.Sum(bin => bin.Current));
        return new(
            [new("Bin", false), ChartColumn.Of($"{ReferenceName}: rows", ChartUnit.Count), ChartColumn.Of($"{ReferenceName}: share", ChartUnit.Share), ChartColumn.Of($"{CurrentName}: rows", ChartUnit.Count), ChartColumn.Of($"{CurrentName}: share", ChartUnit.Share)],
            [
                .. Bins.Select(bin => ImmutableArray.Create(
                    ChartCell.Of(bin.Label), ChartCell.Of(bin.Reference, ChartUnit.Count), ChartCell.Of(Share(bin.Reference, references), ChartUnit.Share),
                    ChartCell.Of(bin.Current, ChartUnit.Count), ChartCell.Of(Share(bin.Current, currents), ChartUnit.Share))),
            ]);
    }

    protected override string Draw(int width)
    {
        var (references, currents) = (Bins.Sum(bin => bin.Reference), Bins.Sum(bin => bin.Current));
        var bins = Shown();
        var height = Top + Math.Max(1, bins.Length) * RowHeight + Bottom;
        var svg = new SvgText(this, "histogram", width, height);
        var left = Math.Clamp(bins.Select(bin => SvgText.WidthOf(bin.Label)).DefaultIfEmpty(0).Max() + 10, 40, width * 0.38);
        var x = Scale.Over(bins.SelectMany(bin => new[] { Share(bin.Reference, references) ?? 0, Share(bin.Current, currents) ?? 0 }).Append(0), left, width - 14, width < 500 ? 3 : 5);
        svg.Rectangle(left, 4, 16, 8, "bar-reference");
        svg.Text(left + 20, 12, ReferenceName, "label", room: (width - left) * 0.45);
        svg.Rectangle(left + 30 + Math.Min(SvgText.WidthOf(ReferenceName), (width - left) * 0.45), 4, 16, 8, "bar-current");
        svg.Text(left + 50 + Math.Min(SvgText.WidthOf(ReferenceName), (width - left) * 0.45), 12, CurrentName, "label", room: (width - left) * 0.45);
        foreach (var tick in x.Ticks)
        {
            svg.Line(x.At(tick), Top, x.At(tick), height - Bottom, tick == 0 ? "axis" : "grid");
            svg.Text(x.At(tick), height - 8, NumberText.Short(tick, ChartUnit.Share), "tick", "middle");
        }

        if (Bins.IsEmpty || references + currents == 0)
            svg.Text((left + width) / 2, Top + 16, "No rows to compare", "empty", "middle");
        foreach (var (i, bin) in bins.Index())
        {
            var y = Top + i * RowHeight;
            svg.Text(left - 6, y + 16, bin.Label, "label", "end", left - 8);
            Bar(y + 3, bin.Reference, references, "bar-reference", ReferenceName);
            Bar(y + 13, bin.Current, currents, "bar-current", CurrentName);

            void Bar(double at, long rows, long all, string @class, string whose) => svg.Rectangle(
                x.At(0), at, x.At(Share(rows, all) ?? 0) - x.At(0), 9, @class, $"{bin.Label}, {whose}: {NumberText.Exact(Share(rows, all) ?? 0, ChartUnit.Share)}, {NumberText.Exact(rows, ChartUnit.Count)} rows");
        }

        return svg.ToString();
    }

    private static double? Share(long rows, long all) => all > 0 ? rows / (double)all : null;

    private ImmutableArray<PairedBin> Shown()
    {
        if (Bins.Length <= MostBins)
            return Bins;
        var (references, currents) = (Math.Max(1, Bins.Sum(bin => bin.Reference)), Math.Max(1, Bins.Sum(bin => bin.Current)));
        var kept = Bins.OrderByDescending(bin => Math.Max(bin.Reference / (double)references, bin.Current / (double)currents)).Take(MostBins - 1).ToHashSet();
        var rest = Bins.Where(bin => !kept.Contains(bin)).ToArray();
        return [.. Bins.Where(kept.Contains), new PairedBin($"{rest.Length} smaller bins", rest.Sum(bin => bin.Reference), rest.Sum(bin => bin.Current))];
    }
}

/// <param name="Reference">Rows.</param>
public sealed record PairedBin(string Label, long Reference, long Current);
