using System.Collections.Immutable;
using static Slipway.Documents.Charts.SvgText;

namespace Slipway.Documents.Charts;

/// <summary>One share against another, with the diagonal to hold it against: the receiver operating characteristic, or how reliable scores are.</summary>
/// <param name="Across">What the x axis counts; likewise <paramref name="Up"/> the y axis.</param>
/// <param name="Diagonal">What it would mean to lie on it.</param>
/// <param name="IsLine">Whether the points are joined; otherwise each stands with its interval.</param>
public sealed record CurveChart(string Name, string Title, string Description, string Across, string Up, string Diagonal, ImmutableArray<CurvePoint> Points, bool IsLine)
    : Chart(Name, Title, Description)
{
    private const double Left = 52, Right = 14, Top = 10, Bottom = 44;

    /// <summary>Pixels of the square at most: larger ones say no more.</summary>
    private const double Largest = 380;

    public override ChartTable Numbers() => new(
        [new("", false), ChartColumn.Of(Across, ChartUnit.Share), ChartColumn.Of(Up, ChartUnit.Share), ChartColumn.Of("From", ChartUnit.Share), ChartColumn.Of("To", ChartUnit.Share), ChartColumn.Of("Rows", ChartUnit.Count)],
        [
            .. Points.Select((point, i) => ImmutableArray.Create(
                ChartCell.Of(CountText.Count(i + 1)), ChartCell.Of(point.X, ChartUnit.Share), ChartCell.Of(point.Y, ChartUnit.Share),
                ChartCell.Of(point.Low, ChartUnit.Share), ChartCell.Of(point.High, ChartUnit.Share), ChartCell.Of(point.N, ChartUnit.Count))),
        ]);

    protected override string Draw(int width)
    {
        var side = Math.Min(width - Left - Right, Largest);
        var (right, bottom) = (Left + side, Top + side);
        var svg = new SvgText(this, "curve", Left + side + Right, bottom + Bottom);
        for (var tick = 0; tick <= 5; tick++)
        {
            var share = tick / 5.0;
            svg.Line(X(share), Top, X(share), bottom, "grid");
            svg.Line(Left, Y(share), right, Y(share), "grid");
            svg.Text(X(share), bottom + 16, NumberText.Short(share, ChartUnit.Share), "tick", "middle");
            svg.Text(Left - 6, Y(share) + 4, NumberText.Short(share, ChartUnit.Share), "tick", "end");
        }

        svg.Line(Left, bottom, right, Top, "marker");
        svg.Text(Left + side / 2, bottom + 34, Across, "label", "middle", side);
        svg.Text(Left + 6, Top + 14, $"↑ {Up}", "label", room: side - 12);
        svg.Text(right - 6, bottom - 8, $"┄ {Diagonal}", "tick", "end", side - 12);
        var drawn = Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y)).ToArray();
        if (drawn.Length == 0)
            svg.Text(Left + side / 2, Top + side / 2, "Too few rows to draw", "empty", "middle");
        if (IsLine && drawn.Length > 1)
            svg.Path("M" + string.Join("L", drawn.Select(point => $"{N(X(point.X))} {N(Y(point.Y))}")), "series s1");
        foreach (var point in IsLine ? [] : drawn)
        {
            if (point is { Low: { } low, High: { } high })
                svg.Line(X(point.X), Y(low), X(point.X), Y(high), "interval");
            svg.Dot(X(point.X), Y(point.Y), 4.5, point.Low is null ? "point hollow" : "point", $"{Across} {NumberText.Short(point.X, ChartUnit.Share)}, {Up} {NumberText.Short(point.Y, ChartUnit.Share)}, {CountText.Some(point.N, "row")}");
        }

        return svg.ToString();

        double X(double share) => Left + side * Math.Clamp(share, 0, 1);

        double Y(double share) => bottom - side * Math.Clamp(share, 0, 1);
    }
}

/// <param name="Low">Lower end of the interval of <paramref name="Y"/>; null for none.</param>
/// <param name="N">Rows that it rests on.</param>
public sealed record CurvePoint(double X, double Y, double? Low, double? High, long N);
