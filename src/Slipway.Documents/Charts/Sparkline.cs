using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>The course of one number in the space of a word; its last value is marked.</summary>
/// <param name="Values">In equal steps of time, oldest first; null where nothing is known.</param>
/// <param name="From">Where the first step begins, Unix milliseconds.</param>
/// <param name="Step">Milliseconds.</param>
public sealed record Sparkline(string Name, string Title, string Description, ChartUnit Unit, ImmutableArray<double?> Values, long From, long Step) : Chart(Name, Title, Description)
{
    private const double Height = 36, Margin = 4;

    public override ChartTable Numbers() => new(
        [new("From (UTC)", false), ChartColumn.Of("Value", Unit)],
        [.. Values.Select((value, i) => ImmutableArray.Create(ChartCell.Time(From + i * Step), ChartCell.Of(value, Unit)))]);

    protected override string Draw(int width)
    {
        var svg = new SvgText(this, "spark", width, Height);
        var y = Scale.Over(Values.OfType<double>().Append(0), Height - Margin, Margin, 2);
        svg.Line(0, Height - Margin, width, Height - Margin, "grid");
        var points = Values.Select((value, i) => (Value: value, X: Margin + (width - 2 * Margin) * i / Math.Max(1, Values.Length - 1.0))).ToArray();
        for (var i = 0; i < points.Length; i++)
        {
            if (!IsKnown(i))
                continue;
            if (IsKnown(i - 1))
                svg.Line(points[i - 1].X, y.At(points[i - 1].Value!.Value), points[i].X, y.At(points[i].Value!.Value), "series s1");
            else if (!IsKnown(i + 1))
                svg.Dot(points[i].X, y.At(points[i].Value!.Value), 1.5, "f1");
        }

        if (Array.FindLastIndex(points, point => point.Value is { } value && double.IsFinite(value)) is >= 0 and var last)
            svg.Dot(points[last].X, y.At(points[last].Value!.Value), 3, "f1", $"last: {NumberText.Short(points[last].Value!.Value, Unit)}");
        else
            svg.Text(width / 2.0, Height / 2 + 4, "no data", "empty", "middle");
        return svg.ToString();

        bool IsKnown(int i) => i >= 0 && i < points.Length && points[i].Value is { } value && double.IsFinite(value);
    }
}
