using System.Collections.Immutable;
using Slipway.Documents.Evaluations;

namespace Slipway.Documents.Charts;

/// <summary>Figures side by side, each a point with its interval: a forest plot.</summary>
/// <param name="Reference">A value that the others are held against; null for none.</param>
public sealed record IntervalChart(string Name, string Title, string Description, ChartUnit Unit, ImmutableArray<IntervalRow> Rows, ReferenceLine? Reference = null)
    : Chart(Name, Title, Description)
{
    private const double RowHeight = 30, StackedHeight = 46, Top = 8, Bottom = 26;

    /// <summary>Pixels below which labels stand above their intervals.</summary>
    private const int Stacks = 520;

    public override ChartTable Numbers() => new(
        [new("", false), ChartColumn.Of("Value", Unit), ChartColumn.Of("From", Unit), ChartColumn.Of("To", Unit), ChartColumn.Of("Rows", ChartUnit.Count), new("Remark", false)],
        [
            .. Rows.Select(row => ImmutableArray.Create(
                ChartCell.Of(row.Label), ChartCell.Of(row.Figure?.Value, Unit), ChartCell.Of(row.Figure?.Low, Unit), ChartCell.Of(row.Figure?.High, Unit),
                ChartCell.Of(row.Figure?.N, ChartUnit.Count), row.Lack is { Length: > 0 } lack ? ChartCell.Of(lack) : ChartCell.None)),
        ]);

    protected override string Draw(int width)
    {
        var stacked = width < Stacks;
        var labels = stacked ? 8 : Math.Clamp(Rows.Select(row => SvgText.WidthOf(row.Label)).DefaultIfEmpty(0).Max() + 16, 60, width * 0.3);
        var words = stacked ? 8 : Math.Clamp(Rows.Select(row => SvgText.WidthOf(row.Words(Unit))).DefaultIfEmpty(0).Max() + 16, 60, width * 0.34);
        var rowHeight = stacked ? StackedHeight : RowHeight;
        var height = Top + Math.Max(1, Rows.Length) * rowHeight + Bottom;
        var svg = new SvgText(this, "intervals", width, height);
        var values = Rows.SelectMany(row => row.Figure is { } figure ? new[] { figure.Value, figure.Low ?? figure.Value, figure.High ?? figure.Value } : []).Concat(Reference is null ? [] : [Reference.Value]);
        var scale = Fitting(most => Scale.Over(values, labels + 8, width - words - 8, most));
        var bottom = height - Bottom;
        foreach (var tick in scale.Ticks)
        {
            svg.Line(scale.At(tick), Top, scale.At(tick), bottom, "grid");
            svg.Text(scale.At(tick), height - 8, NumberText.Short(tick, Unit), "tick", "middle");
        }

        if (Rows.IsEmpty)
            svg.Text(width / 2.0, Top + 20, "Nothing to compare yet", "empty", "middle");
        if (Reference is not null && double.IsFinite(Reference.Value))
            svg.Line(scale.At(Reference.Value), Top, scale.At(Reference.Value), bottom, "reference");
        foreach (var (i, row) in Rows.Index())
        {
            var top = Top + i * rowHeight;
            var y = top + (stacked ? 32 : rowHeight / 2);
            svg.Text(stacked ? 8 : labels, stacked ? top + 16 : y + 4, row.Label, row.IsMain ? "label main" : "label", stacked ? "start" : "end", stacked ? width * 0.4 : labels - 8);
            svg.Text(width - 8, stacked ? top + 16 : y + 4, row.Words(Unit), "value", "end", stacked ? width * 0.56 : words);
            if (row.Figure is { } figure && double.IsFinite(figure.Value))
                Draw(svg, scale, y, figure, row);
        }

        return svg.ToString();
    }

    /// <summary>With as many ticks as there is room for their words.</summary>
    private Scale Fitting(Func<int, Scale> over)
    {
        for (var most = 5; most > 1; most--)
        {
            var scale = over(most);
            if (scale.Ticks.Sum(tick => SvgText.WidthOf(NumberText.Short(tick, Unit)) + 10) <= scale.End - scale.Start)
                return scale;
        }

        return over(1);
    }

    private void Draw(SvgText svg, Scale scale, double y, Figure figure, IntervalRow row)
    {
        var hint = $"{row.Label}: {row.Words(Unit)}";
        if (figure is { Low: { } low, High: { } high })
        {
            svg.Line(scale.At(low), y, scale.At(high), y, row.IsMain ? "interval main" : "interval");
            svg.Line(scale.At(low), y - 4, scale.At(low), y + 4, "interval");
            svg.Line(scale.At(high), y - 4, scale.At(high), y + 4, "interval");
        }

        // A point without an interval is hollow: it is known less well, and looks so.
        svg.Dot(scale.At(figure.Value), y, 5, figure.Low is null ? "point hollow" : row.IsMain ? "point main" : "point", hint);
    }
}

/// <param name="Figure">Null where there is no number at all.</param>
/// <param name="Remark">Such as why there is none; empty for nothing.</param>
/// <param name="IsMain">Whether it is what the page is about.</param>
public sealed record IntervalRow(string Label, Figure? Figure, string Remark = "", bool IsMain = false)
{
    /// <summary>Why there is no number, or no interval; empty for nothing.</summary>
    internal string Lack => Figure is { Low: null } or { High: null } ? $"no interval: {Figure.Lacks ?? "it was not computed"}" : Figure is null ? Remark : "";

    /// <summary>Beside its point; why there is no interval is among the numbers.</summary>
    internal string Words(ChartUnit unit) => Figure switch
    {
        null => Remark.Length > 0 ? Remark : "no number",
        { Low: not null, High: not null } figure => FigureText.Of(figure, unit),
        var figure => $"{NumberText.Short(figure.Value, unit)}, no interval",
    };
}

public sealed record ReferenceLine(double Value, string Label);
