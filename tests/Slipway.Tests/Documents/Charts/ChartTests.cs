using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;

namespace Slipway.Tests.Documents.Charts;

/// <summary>Charts are well-formed, hold no script and no number that is none, whatever they are drawn from.</summary>
public sealed partial class ChartTests
{
    private static readonly double[] Odd = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, 1e308, -1e308, double.Epsilon, 1, 1 + 1e-12, 42, -3.5];

    private static readonly string[] Texts = ["", "auc", "<script>alert(1)</script>", "\"'&<>]]>", "\u0000\u001b[31m\ud800", "=1+1", "a very long name of a feature that nobody would ever give to one, and somebody did", "日本語 😀"];

    public static TheoryData<string> Kinds => ["intervals", "times", "steps", "histogram", "spark", "stacks", "graph"];

    [Theory, MemberData(nameof(Kinds))]
    public void Whatever_the_numbers_and_names_it_is_well_formed_and_inert(string kind) => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<int>(),
        (seed, size) =>
        {
            var chart = Any(kind, new Picks(seed), Math.Abs(size % 40));
            foreach (var width in new[] { 1, 330, 560, 100_000 })
            {
                var svg = chart.Svg(width);
                var root = XDocument.Parse(svg).Root!;
                Assert.Equal("img", (string?)root.Attribute("role"));
                Assert.Equal(["title", "desc"], root.Elements().Take(2).Select(element => element.Name.LocalName));
                Assert.DoesNotContain(root.DescendantsAndSelf(), element => element.Name.LocalName is "script" or "style" or "foreignObject" or "image" or "a");
                Assert.DoesNotContain(root.DescendantsAndSelf().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase) || attribute.Name.LocalName is "style" or "href");
                foreach (var number in root.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "x" or "y" or "x1" or "x2" or "y1" or "y2" or "cx" or "cy" or "r" or "width" or "height"))
                    Assert.True(double.TryParse(number.Value, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value), number.ToString());
                Assert.DoesNotContain(root.Descendants().Attributes("d"), path => !Path().IsMatch(path.Value));
            }

            Assert.Equal(chart.Svg(560), chart.Svg(560));
            Assert.All(chart.Numbers().Rows, row => Assert.Equal(chart.Numbers().Columns.Length, row.Length));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Theory, MemberData(nameof(Kinds))]
    public void Without_any_numbers_it_says_so(string kind) => Assert.Contains("class=\"empty\"", Any(kind, new Picks(1), 0).Svg(560), StringComparison.Ordinal);

    [Fact]
    public void Ticks_are_round_and_cover_the_values()
    {
        foreach (var (low, high) in new[] { (0.0, 1.0), (0.652, 0.688), (-3.2, 17), (1e-7, 3e-7), (12_345, 67_890), (5, 5), (0, 0), (-1e300, 1e300) })
        {
            var scale = Scale.Over([low, high], 0, 100, 5);
            Assert.True(scale.Low <= low && scale.High >= high, $"{low} to {high}: {scale.Low} to {scale.High}");
            Assert.InRange(scale.Ticks.Length, 2, 12);
            Assert.All(scale.Ticks.Zip(scale.Ticks.Skip(1)), pair => Assert.True(pair.First < pair.Second));
        }

        Assert.Equal([1, 2, 5, 10, 20, 0.05], new[] { 0.9, 1.1, 3, 5.5, 12, 0.03 }.Select(Scale.RoundStep).Select(step => Math.Round(step, 10)));
    }

    [Theory]
    [InlineData(15, "12:00 12:05 12:10 12:15")]
    [InlineData(24 * 60, "12:00 18:00 2 May 06:00 12:00")]
    [InlineData(30 * 24 * 60, "7 May 14 May 21 May 28 May")]
    public void Times_have_ticks_at_round_times_of_utc(int minutes, string expected)
    {
        var from = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        Assert.Equal(expected, string.Join(' ', TimeScale.Over(from, from + minutes * 60_000L, 0, 100, 6).Ticks.Select(tick => tick.Text)));
    }

    [Fact]
    public void A_hole_in_time_breaks_the_line_and_a_lone_point_is_a_dot()
    {
        TimePoint[] points = [new(0, 1), new(10, 2), new(50, 3), new(90, 4), new(100, null), new(110, 5), new(120, 6)];
        var svg = XDocument.Parse(Times([.. points], step: 10).Svg(560));
        var lines = svg.Descendants().Where(element => ((string?)element.Attribute("class"))?.StartsWith("series", StringComparison.Ordinal) == true).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.Equal(2, svg.Descendants().Count(element => element.Name.LocalName == "circle"));
    }

    [Fact]
    public void A_band_is_drawn_where_both_ends_are_known()
    {
        var svg = XDocument.Parse(Times([new(0, 1, 0.5, 1.5), new(10, 2, 1.5, 2.5), new(20, 3), new(30, 4, 3.5, null)], step: 10).Svg(560));
        Assert.Single(svg.Descendants(), element => ((string?)element.Attribute("class"))?.StartsWith("band", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void A_figure_without_an_interval_is_hollow_and_its_reason_is_among_the_numbers()
    {
        var chart = new IntervalChart("x", "x", "", ChartUnit.Number, [new("a", new Figure(0.5, null, null, 3, "too few units")), new("b", new Figure(0.6, 0.5, 0.7, 300)), new("c", null, "not measured")]);
        var svg = XDocument.Parse(chart.Svg(560));
        Assert.Equal(["point hollow", "point"], svg.Descendants().Where(element => element.Name.LocalName == "circle").Select(element => (string?)element.Attribute("class")));
        Assert.Equal(["no interval: too few units", "–", "not measured"], chart.Numbers().Rows.Select(row => row[^1].Text));
    }

    [Fact]
    public void Csv_is_exact_and_no_formula()
    {
        var table = new ChartTable([new("Name", false), new("Value, exact", true)], [[ChartCell.Of("=HYPERLINK(\"x\")"), ChartCell.Of(0.1 + 0.2, ChartUnit.Number)], [ChartCell.Of("a\nb"), ChartCell.None], [ChartCell.Of("-5"), ChartCell.Of(-5, ChartUnit.Count)]]);
        Assert.Equal("Name,\"Value, exact\"\r\n\"'=HYPERLINK(\"\"x\"\")\",0.30000000000000004\r\n\"a\nb\",\r\n'-5,-5\r\n", table.ToCsv());
    }

    [Fact]
    public void Of_many_bins_the_smallest_are_drawn_as_one_and_all_are_among_the_numbers()
    {
        var chart = new PairedHistogram("x", "x", "", "then", "now", [.. Enumerable.Range(0, 101).Select(i => new PairedBin($"c{i}", i, 100 - i))]);
        Assert.Contains("78 smaller bins", chart.Svg(560), StringComparison.Ordinal);
        Assert.Equal(101, chart.Numbers().Rows.Length);
    }

    /// <summary>A release, its end and the next one within seconds: as in a quickstart.</summary>
    [Theory]
    [InlineData(330)]
    [InlineData(560)]
    public void Marks_of_about_the_same_moment_share_a_label_and_none_lies_on_another(int width)
    {
        var names = new[] { "rollout of 1", "promoted 1", "rollout of 2", "promoted 2", "rollout of 3", "rolled back 3" };
        var markers = names.Select((name, i) => new TimeMarker(1_000_000 + i * 15_000, name)).ToImmutableArray();
        var svg = XDocument.Parse((Times([new(0, 1)], null) with { From = 0, To = 3_600_000, Markers = markers }).Svg(width));
        var labels = svg.Descendants().Where(element => element.Name.LocalName == "text" && (string?)element.Attribute("class") == "marker").ToArray();
        Assert.Equal(names.Order(), labels.SelectMany(label => label.Value.Split(", ")).Order());
        Assert.Equal(names.Length, svg.Descendants().Count(element => element.Name.LocalName == "line" && (string?)element.Attribute("class") == "marker"));
        var boxes = labels.Select(label => (Y: (double)label.Attribute("y")!, X: (double)label.Attribute("x")!, Length: label.Value.Length * SvgText.CharacterWidth, ToLeft: (string?)label.Attribute("text-anchor") == "end"))
            .Select(label => (label.Y, From: label.ToLeft ? label.X - label.Length : label.X, To: label.ToLeft ? label.X : label.X + label.Length)).ToArray();
        Assert.DoesNotContain(boxes, one => boxes.Any(other => other != one && other.Y == one.Y && other.From < one.To && one.From < other.To));
    }

    /// <summary>Wherever in the picture they are: a line through a word is hard to read.</summary>
    [Theory]
    [InlineData(330, 0)]
    [InlineData(560, 1_200_000)]
    [InlineData(560, 2_300_000)]
    [InlineData(560, 3_400_000)]
    public void No_line_of_a_mark_runs_through_the_label_of_another(int width, long first)
    {
        var names = new[] { "rollout of 1", "promoted 1", "rollout of 2", "promoted 2", "rollout of 3", "rolled back 3" };
        var markers = names.Select((name, i) => new TimeMarker(first + i * 15_000, name)).ToImmutableArray();
        var svg = XDocument.Parse((Times([new(0, 1)], null) with { From = 0, To = 3_600_000, Markers = markers }).Svg(width));
        var lines = Marks("line").Select(line => (X: (double)line.Attribute("x1")!, From: (double)line.Attribute("y1")!)).ToArray();
        var labels = Marks("text").Select(label => (Y: (double)label.Attribute("y")!, X: (double)label.Attribute("x")!, Length: label.Value.Length * SvgText.CharacterWidth, ToLeft: (string?)label.Attribute("text-anchor") == "end"))
            .Select(label => (label.Y, From: label.ToLeft ? label.X - label.Length : label.X, To: label.ToLeft ? label.X : label.X + label.Length)).ToArray();
        Assert.All(labels, label => Assert.DoesNotContain(lines, line => line.From < label.Y && line.X > label.From && line.X < label.To));

        IEnumerable<XElement> Marks(string element) => svg.Descendants().Where(child => child.Name.LocalName == element && (string?)child.Attribute("class") == "marker");
    }

    /// <summary>As evidence does that grows far beyond its threshold.</summary>
    [Fact]
    public void What_is_beyond_a_bound_is_drawn_at_the_border_and_told_in_words_and_as_it_is_among_the_numbers()
    {
        var chart = Times([new(0, 0), new(10, 5), new(20, 21.4)], null) with { Limits = [new(5.3, "harm from 5.3"), new(5.2, "no worse from 5.2")], Ceiling = 10.6, Floor = -5.3 };
        var svg = XDocument.Parse(chart.Svg(560));
        var line = svg.Descendants().Single(element => ((string?)element.Attribute("class"))?.StartsWith("series", StringComparison.Ordinal) == true && element.Name.LocalName == "path");
        var top = svg.Descendants().Where(element => element.Name.LocalName == "line" && (string?)element.Attribute("class") is "grid" or "axis").Min(element => (double)element.Attribute("y1")!);
        Assert.True(double.Parse(((string)line.Attribute("d")!).Split(' ')[^1], CultureInfo.InvariantCulture) <= top);
        Assert.DoesNotContain(svg.Descendants(), element => (string?)element.Attribute("class") == "tick" && element.Value == "15");
        Assert.Contains("is at 21.4, above the border", svg.ToString(), StringComparison.Ordinal);
        Assert.Contains("21.4", chart.Numbers().Rows[^1][2].Raw, StringComparison.Ordinal);
        // Two thresholds so near each other have their names on either side.
        var names = svg.Descendants().Where(element => element.Name.LocalName == "text" && (string?)element.Attribute("class") == "limit").ToDictionary(element => element.Value, element => (double)element.Attribute("y")!);
        Assert.True(names["no worse from 5.2"] - names["harm from 5.3"] > 12);
    }

    [Fact]
    public void More_marks_than_there_is_room_for_are_counted()
    {
        var markers = Enumerable.Range(0, 60).Select(i => new TimeMarker(i * 40_000, $"a long name of something {i}")).ToImmutableArray();
        var svg = XDocument.Parse((Times([new(0, 1)], null) with { From = 0, To = 3_600_000, Markers = markers }).Svg(330));
        var labels = svg.Descendants().Where(element => element.Name.LocalName == "text" && (string?)element.Attribute("class") == "marker").Select(label => label.Value).ToArray();
        Assert.EndsWith(" more", labels[^1], StringComparison.Ordinal);
        Assert.Equal(60, labels.Length - 1 + int.Parse(labels[^1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(4, 16, 0.25)]
    [InlineData(16, 16, 1)]
    [InlineData(2, 1_000, 1)]
    public void A_bar_of_what_is_bad_is_as_long_as_its_share_and_of_no_colour_that_a_series_has(int bad, int of, double length)
    {
        var svg = XDocument.Parse(new StackedBars("x", "x", "", ["error", "latency"], [new("version 3", [0, bad], of)]).Svg(560));
        var ground = svg.Descendants().Single(element => (string?)element.Attribute("class") == "bar-ground");
        var bar = svg.Descendants().Single(element => (string?)element.Attribute("class") == "k2" && element.Elements().Any());
        Assert.Equal(length, (double)bar.Attribute("width")! / (double)ground.Attribute("width")!, 3);
        Assert.Contains("share of all requests", svg.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(svg.Descendants(), element => ((string?)element.Attribute("class"))?.StartsWith('f') == true);
    }

    [Fact]
    public void Columns_of_a_csv_say_their_unit()
    {
        static string Head(Chart chart) => chart.Numbers().ToCsv().Split("\r\n")[0];
        Assert.Equal(",\"Value (share, 0 to 1)\",\"From (share, 0 to 1)\",\"To (share, 0 to 1)\",Rows (count),Remark", Head(new IntervalChart("x", "x", "", ChartUnit.Share, [])));
        Assert.Equal("Time (UTC),Series,Value (seconds),From (seconds),To (seconds),Rows (count)", Head(Times([], null) with { Unit = ChartUnit.Seconds }));
        Assert.Equal("Bin,then: rows (count),\"then: share (share, 0 to 1)\",now: rows (count),\"now: share (share, 0 to 1)\"", Head(new PairedHistogram("x", "x", "", "then", "now", [])));
        Assert.Equal("From (UTC),Value (count)", Head(new Sparkline("x", "x", "", ChartUnit.Count, [1], 0, 1)));
        Assert.Equal(",error (count),Of (count)", Head(new StackedBars("x", "x", "", ["error"], [])));
    }

    [Fact]
    public void A_sparkline_is_broken_where_nothing_is_known_and_low_where_nothing_was_counted()
    {
        static int Lines(params double?[] values) => XDocument.Parse(new Sparkline("x", "x", "", ChartUnit.Count, [.. values], 0, 1).Svg(240)).Descendants().Count(element => (string?)element.Attribute("class") == "series s1");
        Assert.Equal(3, Lines(5, 0, 0, 5));
        Assert.Equal(0, Lines(5, null, null, 5));
    }

    [Fact]
    public void A_circle_of_edges_is_drawn_and_ends()
    {
        var svg = XDocument.Parse(new GraphChart("x", "x", "", [new("a", "a", "", GraphNodeKind.Stage), new("b", "b", "", GraphNodeKind.Stage)], [new("a", "b"), new("b", "a"), new("a", "a"), new("a", "nowhere")]).Svg(560));
        Assert.Equal(2, svg.Descendants().Count(element => element.Name.LocalName == "rect"));
    }

    [Theory]
    [InlineData(0.00123, ChartUnit.Seconds, "1.23 ms")]
    [InlineData(0.00000123, ChartUnit.Seconds, "1.23 µs")]
    [InlineData(2.5, ChartUnit.Seconds, "2.5 s")]
    [InlineData(0.0344, ChartUnit.Share, "3.44 %")]
    [InlineData(1_234_567, ChartUnit.Count, "1.23M")]
    [InlineData(9_999, ChartUnit.Count, "9,999")]
    [InlineData(0.000012345, ChartUnit.Number, "1.23e-5")]
    [InlineData(double.NaN, ChartUnit.Number, "not a number")]
    [InlineData(-0.5, ChartUnit.Number, "-0.5")]
    public void Numbers_are_worded_with_their_unit(double value, ChartUnit unit, string expected) => Assert.Equal(expected, NumberText.Short(value, unit));

    [Fact]
    public void A_forest_plot_is_what_it_was()
    {
        var drawn = new IntervalChart("auc", "auc", "more is better", ChartUnit.Number, [new("version 2", new Figure(0.68, 0.64, 0.72, 900), IsMain: true), new("version 1", new Figure(0.66, null, null, 9, "too few units"))]).Svg(560);
        var known = File.ReadAllText(System.IO.Path.Combine(AppContext.BaseDirectory, "Documents", "Charts", "vectors", "forest.svg")).TrimEnd();
        Assert.True(known == drawn, drawn);
    }

    private static TimeChart Times(ImmutableArray<TimePoint> points, long? step) => new("x", "x", "", ChartUnit.Number, 0, 200, [new TimeSeries("a", points, step)], [], []);

    private static Chart Any(string kind, Picks pick, int size)
    {
        var (name, title, text) = ("name", pick.Text(), pick.Text());
        return kind switch
        {
            "intervals" => new IntervalChart(name, title, text, pick.Unit(), [.. Enumerable.Range(0, size).Select(_ => new IntervalRow(pick.Text(), pick.Figure(), pick.Text(), pick.Next(2) == 0))], pick.Next(2) == 0 ? null : new ReferenceLine(pick.Number(), pick.Text())),
            "times" or "steps" => new TimeChart(
                name, title, text, pick.Unit(), pick.Time(), pick.Time(),
                [.. Enumerable.Range(0, Math.Min(size, 7)).Select(_ => new TimeSeries(pick.Text(), [.. Enumerable.Range(0, size).Select(_ => pick.Point()).OrderBy(point => point.At)], pick.Next(2) == 0 ? null : 1_000, kind == "steps"))],
                size == 0 ? [] : [new ReferenceLine(pick.Number(), pick.Text())], [.. Enumerable.Range(0, size).Select(_ => new TimeMarker(pick.Time(), pick.Text()))], pick.Next(2) == 0, pick.Next(2) == 0 ? null : pick.Number()),
            "histogram" => new PairedHistogram(name, title, text, pick.Text(), pick.Text(), [.. Enumerable.Range(0, size).Select(_ => new PairedBin(pick.Text(), pick.Count(), pick.Count()))]),
            "spark" => new Sparkline(name, title, text, pick.Unit(), [.. Enumerable.Range(0, size).Select(_ => pick.Next(3) == 0 ? (double?)null : pick.Number())], 1_700_000_000_000, 3_600_000),
            "stacks" => new StackedBars(name, title, text, ["one", pick.Text()], [.. Enumerable.Range(0, size).Select(_ => new StackedRow(pick.Text(), [pick.Count(), pick.Count()], pick.Count()))]),
            _ => new GraphChart(
                name, title, text, [.. Enumerable.Range(0, size).Select(i => new GraphNode($"n{i}", pick.Text(), pick.Text(), (GraphNodeKind)pick.Next(3)))],
                [.. Enumerable.Range(0, 2 * size).Select(_ => new GraphEdge($"n{pick.Next(size + 1)}", $"n{pick.Next(size + 1)}"))]),
        };
    }

    [GeneratedRegex("^[MLCZlv0-9 .-]*$")]
    private static partial Regex Path();

    /// <summary>What a chart is drawn from, picked by a seed.</summary>
    private sealed class Picks(int seed)
    {
        private uint state = (uint)seed * 2_654_435_769 + 1;

        public int Next(int below) => (int)((state = state * 1_664_525 + 1_013_904_223) >> 8) % Math.Max(1, below) is var n ? Math.Abs(n) : 0;

        public double Number() => Next(3) == 0 ? Odd[Next(Odd.Length)] : Next(20_000) / 1e4 - 0.5;

        public string Text() => Texts[Next(Texts.Length)];

        public ChartUnit Unit() => (ChartUnit)Next(5);

        public long Count() => Next(4) == 0 ? long.MaxValue / 1_000 : Next(1_000);

        public long Time() => Next(5) == 0 ? long.MinValue / 4 + Next(3) * (long.MaxValue / 4) : 1_700_000_000_000 + Next(100_000);

        public TimePoint Point() => new(Time(), Next(4) == 0 ? null : Number(), Next(2) == 0 ? null : Number(), Next(2) == 0 ? null : Number(), Count());

        public Figure? Figure() => Next(5) == 0 ? null : new(Number(), Next(2) == 0 ? null : Number(), Next(2) == 0 ? null : Number(), Count(), Text());
    }
}
