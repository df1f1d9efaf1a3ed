using System.Collections.Immutable;
using System.Text;
using static Slipway.Documents.Charts.SvgText;

namespace Slipway.Documents.Charts;

/// <summary>Values over time, each series a line with a band of its uncertainty, or steps; broken where nothing is known.</summary>
/// <param name="From">Unix milliseconds; likewise <paramref name="To"/>, which is later.</param>
/// <param name="Series">At most <see cref="MostSeries"/> are drawn, all are among the numbers.</param>
/// <param name="Limits">What the values are held against, such as a threshold.</param>
/// <param name="Markers">What happened meanwhile, such as a release.</param>
/// <param name="Ceiling">Larger values are drawn at the upper border, which is this one then, and the last one is told in words; null draws all.</param>
/// <param name="Floor">The same for smaller values, at the lower border and without words; null draws all.</param>
public sealed record TimeChart(
    string Name, string Title, string Description, ChartUnit Unit, long From, long To, ImmutableArray<TimeSeries> Series,
    ImmutableArray<ReferenceLine> Limits, ImmutableArray<TimeMarker> Markers, bool FromZero = true, double? Ceiling = null, double? Floor = null)
    : Chart(Name, Title, Description)
{
    /// <summary>Different dashes and colours that there are.</summary>
    public const int MostSeries = 5;

    private const double PlotHeight = 170, AxisHeight = 40, LegendHeight = 20, MarkHeight = 14, Right = 14;

    /// <summary>Of labels of marks, below each other; what has no room then is counted in the last.</summary>
    private const int MostMarkRows = 6;

    /// <summary>Pixels: marks nearer than that share a label, since nobody could tell which is whose.</summary>
    private const double MarksApart = 10;

    /// <summary>Pixels: limits nearer than that have no room for a label between them.</summary>
    private const double LimitsApart = 16;

    private IEnumerable<TimeSeries> Drawn => Series.Take(MostSeries);

    public override ChartTable Numbers() => new(
        [new("Time (UTC)", false), new("Series", false), ChartColumn.Of("Value", Unit), ChartColumn.Of("From", Unit), ChartColumn.Of("To", Unit), ChartColumn.Of("Rows", ChartUnit.Count)],
        [
            .. Series.SelectMany(series => series.Points.Select(point => (series.Name, Point: point))).OrderBy(row => row.Point.At)
                .Select(row => ImmutableArray.Create(
                    ChartCell.Time(row.Point.At), ChartCell.Of(row.Name), ChartCell.Of(row.Point.Value, Unit), ChartCell.Of(row.Point.Low, Unit), ChartCell.Of(row.Point.High, Unit),
                    ChartCell.Of(row.Point.N, ChartUnit.Count))),
        ]);

    protected override string Draw(int width)
    {
        var legend = LegendRows(width);
        var marks = Marks(width);
        var top = 16 + legend.Length * LegendHeight + marks.Select(mark => mark.Row + 1).DefaultIfEmpty(0).Max() * MarkHeight;
        var height = top + PlotHeight + AxisHeight;
        var svg = new SvgText(this, "times", width, height);
        var bottom = top + PlotHeight;
        var values = Drawn.SelectMany(series => series.Points.SelectMany(Values)).Concat(Limits.Select(limit => limit.Value)).Concat(FromZero ? [0] : []).Select(Capped);
        var y = Clipped(Scale.Over(values, bottom, top, 4));
        var left = Math.Max(34, y.Ticks.Max(tick => WidthOf(NumberText.Short(tick, Unit))) + 12);
        var x = TimeScale.Over(From, To, left, width - Right, Math.Max(2, (int)((width - left) / 90)));
        DrawLegend(svg, legend);
        DrawAxes(svg, x, y, bottom, width);
        DrawMarks(svg, x, marks, 12 + legend.Length * LegendHeight, bottom, width);
        foreach (var (i, series) in Drawn.Index())
            Draw(svg, x, y, series, i + 1);
        DrawLimits(svg, y, left, width);
        DrawBeyond(svg, x, y, width);
        if (!Drawn.Any(series => series.Points.Any(point => point.Value is not null)))
            svg.Text((left + width) / 2, top + PlotHeight / 2, "No data in this span", "empty", "middle");
        return svg.ToString();
    }

    private double Capped(double value) => Math.Max(Math.Min(value, Ceiling ?? value), Floor ?? value);

    /// <summary>Ends at a bound that something lies beyond, instead of at the next round number.</summary>
    private Scale Clipped(Scale y)
    {
        var values = Drawn.SelectMany(series => series.Points.SelectMany(Values)).Where(double.IsFinite).ToArray();
        var high = Ceiling is { } ceiling && values.Any(value => value > ceiling) ? Math.Min(y.High, ceiling) : y.High;
        var low = Floor is { } floor && values.Any(value => value < floor) ? Math.Max(y.Low, floor) : y.Low;
        return low < high ? y with { Low = low, High = high, Ticks = [.. y.Ticks.Where(tick => tick >= low && tick <= high)] } : y;
    }

    /// <summary>Says the last value of each series that ends above the border.</summary>
    private void DrawBeyond(SvgText svg, TimeScale x, Scale y, int width)
    {
        var ends = Drawn.Select(series => (series.Name, Last: series.Points.LastOrDefault(point => point.Value is { } value && double.IsFinite(value))))
            .Where(end => end.Last?.Value > Ceiling).ToArray();
        foreach (var (i, (name, last)) in ends.Index())
        {
            var at = x.At(last!.At);
            var toLeft = IsRight(at, width);
            svg.Text(at + (toLeft ? -8 : 8), y.At(last.Value!.Value) + 14 + i * 14, $"{name} is at {NumberText.Short(last.Value.Value, Unit)}, above the border", "label", toLeft ? "end" : "start");
        }
    }

    private static IEnumerable<double> Values(TimePoint point)
    {
        if (point.Value is not { } value)
            yield break;
        yield return value;
        yield return point.Low ?? value;
        yield return point.High ?? value;
    }

    /// <summary>Names beside their dashes, in as many rows as the width asks for; a single series is told by the title.</summary>
    private ImmutableArray<ImmutableArray<(TimeSeries Series, int Style, double X)>> LegendRows(int width)
    {
        if (Drawn.Count() < 2)
            return [];
        var rows = new List<ImmutableArray<(TimeSeries, int, double)>.Builder> { ImmutableArray.CreateBuilder<(TimeSeries, int, double)>() };
        var at = 0.0;
        foreach (var (i, series) in Drawn.Index())
        {
            var room = 34 + Math.Min(WidthOf(series.Name), width / 2.0);
            if (at > 0 && at + room > width)
            {
                rows.Add(ImmutableArray.CreateBuilder<(TimeSeries, int, double)>());
                at = 0;
            }

            rows[^1].Add((series, i + 1, at));
            at += room + 10;
        }

        return [.. rows.Select(row => row.ToImmutable())];
    }

    private static void DrawLegend(SvgText svg, ImmutableArray<ImmutableArray<(TimeSeries Series, int Style, double X)>> rows)
    {
        foreach (var (i, row) in rows.Index())
        {
            foreach (var (series, style, at) in row)
            {
                svg.Line(at, 8 + i * LegendHeight, at + 26, 8 + i * LegendHeight, $"series s{style}");
                svg.Text(at + 32, 12 + i * LegendHeight, series.Name, "label");
            }
        }
    }

    private void DrawAxes(SvgText svg, TimeScale x, Scale y, double bottom, int width)
    {
        foreach (var tick in y.Ticks)
        {
            svg.Line(x.Start, y.At(tick), width - Right, y.At(tick), tick == y.Low ? "axis" : "grid");
            svg.Text(x.Start - 6, y.At(tick) + 4, NumberText.Short(tick, Unit), "tick", "end");
        }

        if (y.Ticks.IsEmpty || y.Ticks[0] != y.Low)
            svg.Line(x.Start, bottom, width - Right, bottom, "axis");
        foreach (var tick in x.Ticks)
        {
            svg.Line(x.At(tick.At), bottom, x.At(tick.At), bottom + 4, "axis");
            svg.Text(Math.Min(x.At(tick.At), width - WidthOf(tick.Text) / 2), bottom + 17, tick.Text, "tick", "middle");
        }

        svg.Text(width - Right, bottom + 33, "time in UTC", "tick", "end");
    }

    /// <summary>
    /// Marks of about the same moment share a label, as far as it is not half as wide as the picture. Labels stand side by side where there is room, else below each
    /// other; when there is room for none any more, the last one says how many there are.
    /// </summary>
    private ImmutableArray<(ImmutableArray<long> At, string Label, int Row)> Marks(int width)
    {
        var x = TimeScale.Over(From, To, 60, width - Right, 2);
        var groups = new List<(List<long> At, string Label)>();
        foreach (var marker in Markers.Where(marker => marker.At >= From && marker.At <= To).OrderBy(marker => marker.At))
        {
            if (groups.Count > 0 && x.At(marker.At) - x.At(groups[^1].At[^1]) < MarksApart && WidthOf($"{groups[^1].Label}, {marker.Label}") < width / 2.0)
            {
                groups[^1].At.Add(marker.At);
                groups[^1] = (groups[^1].At, $"{groups[^1].Label}, {marker.Label}");
            }
            else
            {
                groups.Add(([marker.At], marker.Label));
            }
        }

        // Those whose labels stand to their left from the right on: a later line then begins below the labels that it would cross.
        (List<long> At, string Label)[] order = [.. groups.Where(group => IsRight(x.At(group.At[0]), width)).Reverse(), .. groups.Where(group => !IsRight(x.At(group.At[0]), width))];
        var (labels, lines) = (new List<(double Start, double End, int Row)>(), new List<(double X, int Row)>());
        var placed = ImmutableArray.CreateBuilder<(ImmutableArray<long>, string, int)>();
        for (var i = 0; i < order.Length; i++)
        {
            var (moments, label) = order[i];
            var row = Place(moments, label);
            // The last row is kept for what is left over.
            if (row == MostMarkRows - 1 && order.Length - i > 1)
            {
                placed.Add(([.. order[i..].SelectMany(group => group.At).Order()], $"{order[i..].Sum(group => group.At.Count)} more", row));
                break;
            }

            placed.Add(([.. moments], label, row));
        }

        return placed.ToImmutable();

        // The first row where the label lies on no other, no line from above runs through it, and its own lines run through none below.
        int Place(List<long> moments, string label)
        {
            var length = Math.Min(WidthOf(label), width * 0.7) + 8;
            var start = IsRight(x.At(moments[0]), width) ? x.At(moments[0]) - length : x.At(moments[^1]);
            var row = 0;
            while (row < MostMarkRows - 1 && !IsFree(row))
                row++;
            labels.Add((start, start + length, row));
            lines.AddRange(moments.Select(moment => (x.At(moment), row)));
            return row;

            bool IsFree(int row) =>
                labels.All(taken => taken.Row != row || taken.End <= start || taken.Start >= start + length)
                && lines.All(line => line.Row > row || line.X <= start || line.X >= start + length)
                && labels.All(taken => taken.Row < row || moments.All(moment => x.At(moment) <= taken.Start || x.At(moment) >= taken.End));
        }
    }

    /// <summary>Whether a mark's label stands to the left of it.</summary>
    private static bool IsRight(double at, int width) => at > width * 0.6;

    private static void DrawMarks(SvgText svg, TimeScale x, ImmutableArray<(ImmutableArray<long> At, string Label, int Row)> marks, double top, double bottom, int width)
    {
        foreach (var (moments, label, row) in marks)
        {
            foreach (var moment in moments)
                svg.Line(x.At(moment), top + row * MarkHeight, x.At(moment), bottom, "marker");
            var toLeft = IsRight(x.At(moments[0]), width);
            var at = x.At(toLeft ? moments[0] : moments[^1]);
            svg.Text(at + (toLeft ? -4 : 4), top + 4 + row * MarkHeight, label, "marker", toLeft ? "end" : "start", toLeft ? at - 8 : width - at - 8);
        }
    }

    /// <summary>Each with its label above it; below it where another one is so near above that the two would lie on each other.</summary>
    private void DrawLimits(SvgText svg, Scale y, double left, int width)
    {
        var above = double.NegativeInfinity;
        foreach (var limit in Limits.Where(limit => double.IsFinite(limit.Value)).OrderByDescending(limit => limit.Value))
        {
            var at = y.At(Capped(limit.Value));
            svg.Line(left, at, width - Right, at, "limit");
            svg.Text(width - Right, at - above < LimitsApart ? at + 12 : at - 5, limit.Label, "limit", "end", width - left);
            above = at;
        }
    }

    private void Draw(SvgText svg, TimeScale x, Scale y, TimeSeries series, int style)
    {
        foreach (var segment in Segments(series))
        {
            if (series.IsStep)
            {
                DrawSteps(svg, x, y, segment, style);
                continue;
            }

            if (segment.Length > 1)
            {
                DrawBand(svg, x, y, segment, style);
                svg.Path(string.Concat(segment.Select((point, i) => $"{(i == 0 ? "M" : "L")}{N(x.At(point.At))} {N(Y(point.Value!.Value))}")), $"series s{style}");
            }
            else
            {
                if (segment[0] is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high))
                    svg.Line(x.At(segment[0].At), Y(low), x.At(segment[0].At), Y(high), $"series s{style}");
                svg.Dot(x.At(segment[0].At), Y(segment[0].Value!.Value), 3, $"f{style}", $"{series.Name}: {NumberText.Short(segment[0].Value!.Value, Unit)}, {TimeText.Full(segment[0].At)}");
            }
        }

        double Y(double value) => y.At(Capped(value));
    }

    private void DrawBand(SvgText svg, TimeScale x, Scale y, ImmutableArray<TimePoint> segment, int style)
    {
        var run = new List<TimePoint>();
        foreach (var point in segment.Append(new TimePoint(0, null)))
        {
            if (point is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high))
            {
                run.Add(point);
                continue;
            }

            if (run.Count > 1)
            {
                var band = new StringBuilder();
                foreach (var (i, upper) in run.Index())
                    band.Append(i == 0 ? 'M' : 'L').Append($"{N(x.At(upper.At))} {N(y.At(Capped(upper.High!.Value)))}");
                foreach (var lower in Enumerable.Reverse(run))
                    band.Append($"L{N(x.At(lower.At))} {N(y.At(Capped(lower.Low!.Value)))}");
                svg.Path(band.Append('Z').ToString(), $"band f{style}");
            }

            run.Clear();
        }
    }

    /// <summary>Each value holds until the next one, the last one until the end of the span.</summary>
    private void DrawSteps(SvgText svg, TimeScale x, Scale y, ImmutableArray<TimePoint> segment, int style)
    {
        var path = new StringBuilder();
        foreach (var (i, point) in segment.Index())
        {
            var until = i + 1 < segment.Length ? segment[i + 1].At : To;
            path.Append(i == 0 ? 'M' : 'L').Append($"{N(x.At(point.At))} {N(y.At(Capped(point.Value!.Value)))}");
            path.Append($"L{N(x.At(until))} {N(y.At(Capped(point.Value.Value)))}");
        }

        svg.Path(path.ToString() + $"L{N(x.At(To))} {N(y.Start)}L{N(x.At(segment[0].At))} {N(y.Start)}Z", $"area f{style}");
        svg.Path(path.ToString(), $"series s{style}");
    }

    /// <summary>Runs of points that follow each other; a hole ends one.</summary>
    private static IEnumerable<ImmutableArray<TimePoint>> Segments(TimeSeries series)
    {
        var run = ImmutableArray.CreateBuilder<TimePoint>();
        foreach (var point in series.Points)
        {
            var isKnown = point.Value is { } value && double.IsFinite(value);
            var isNext = run.Count == 0 || series.Step is not { } step || point.At - run[^1].At <= 1.5 * step;
            if (run.Count > 0 && (!isKnown || !isNext))
            {
                yield return run.ToImmutable();
                run.Clear();
            }

            if (isKnown)
                run.Add(point);
        }

        if (run.Count > 0)
            yield return run.ToImmutable();
    }
}

/// <param name="Points">Oldest first.</param>
/// <param name="Step">Milliseconds between points that follow each other; more is a hole. Null connects all.</param>
/// <param name="IsStep">Whether a value holds until the next one.</param>
public sealed record TimeSeries(string Name, ImmutableArray<TimePoint> Points, long? Step = null, bool IsStep = false);

/// <param name="At">Unix milliseconds.</param>
/// <param name="Value">Null where nothing is known.</param>
/// <param name="N">Rows or requests that it rests on; null where that is not told.</param>
public sealed record TimePoint(long At, double? Value, double? Low = null, double? High = null, long? N = null);

public sealed record TimeMarker(long At, string Label);
