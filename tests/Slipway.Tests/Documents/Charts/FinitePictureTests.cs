using System.Globalization;
using System.Xml.Linq;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;

namespace Slipway.Tests.Documents.Charts;

public sealed class FinitePictureTests
{
    private const string Evil = "<script>alert(1)</script>\"'&\u0000";

    private static readonly double[] Awkward = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, -0.0, double.Epsilon];

    public static TheoryData<string> Kinds => [.. Of("kind", Awkward).Select(chart => chart.GetType().Name)];

    [Theory, MemberData(nameof(Kinds))]
    public void Whatever_the_numbers_and_words_it_is_one_picture_of_finite_coordinates(string kind)
    {
        foreach (var width in new[] { 0, 320, 1_000, int.MaxValue })
        {
            foreach (var values in new[] { [], [1], Awkward, [1, 2, 3] })
            {
                var chart = Of(Evil, values).Single(chart => chart.GetType().Name == kind);
                var svg = XDocument.Parse(chart.Svg(width));
                Assert.DoesNotContain(svg.Descendants(), element => element.Name.LocalName is "script" or "style");
                var coordinates = svg.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "x" or "y" or "x1" or "x2" or "y1" or "y2" or "cx" or "cy" or "width" or "height");
                Assert.All(coordinates, attribute => Assert.True(double.IsFinite(double.Parse(attribute.Value, CultureInfo.InvariantCulture)), attribute.ToString()));
                Assert.Equal(chart.Svg(width), chart.Svg(width));
            }
        }
    }

    [Fact]
    public void Numbers_for_spreadsheets_hold_no_formula_and_every_digit()
    {
        var table = new ChartTable([new("what", false), new("seconds", true)], [[ChartCell.Of("=1+1"), ChartCell.Of(0.1 + 0.2, ChartUnit.Seconds)], [ChartCell.Of("a,\"b\""), ChartCell.Of(null, ChartUnit.Seconds)]]);
        Assert.Equal("what,seconds\r\n'=1+1,0.30000000000000004\r\n\"a,\"\"b\"\"\",\r\n", table.ToCsv());
    }

    [Theory]
    [InlineData(0.1234, ChartUnit.Share, "12.3 %")]
    [InlineData(0.0005, ChartUnit.Seconds, "500 µs")]
    [InlineData(0.25, ChartUnit.Seconds, "250 ms")]
    [InlineData(0, ChartUnit.Number, "0")]
    [InlineData(1_234_567, ChartUnit.Count, "1.23M")]
    [InlineData(12_345, ChartUnit.Count, "12.3k")]
    [InlineData(double.NaN, ChartUnit.Share, "not a number")]
    [InlineData(double.PositiveInfinity, ChartUnit.Seconds, "infinite")]
    public void A_number_is_worded_in_its_unit(double value, ChartUnit unit, string words) => Assert.Equal(words, NumberText.Short(value, unit));

    [Theory]
    [InlineData(3, 97)]
    [InlineData(-1e-12, 1e-12)]
    [InlineData(7, 7)]
    [InlineData(-5e299, 5e299)]
    public void A_scale_holds_its_values_and_ends_at_ticks(double low, double high)
    {
        var scale = Scale.Over([high, low], 10, 110, 4);
        Assert.True(scale.Low <= low && scale.High >= high && scale.Low < scale.High, $"{scale}");
        Assert.Equal((scale.Low, scale.High), (scale.Ticks[0], scale.Ticks[^1]));
        Assert.InRange(scale.At(low), 10, 110);
        Assert.Equal((10, 110), (scale.At(double.MinValue), scale.At(double.MaxValue)));
    }

    [Fact]
    public void Times_are_worded_in_utc_and_beyond_the_calendar_at_its_end()
    {
        Assert.Equal("2026-05-01T12:00:00.000Z", TimeText.Iso(1_777_636_800_000));
        Assert.Equal("9999-12-31 23:59:59 UTC", TimeText.Full(long.MaxValue));
        Assert.Equal(("500 ms", "1 min", "2 h 10 min", "5 d"), (TimeText.Span(500), TimeText.Span(60_000), TimeText.Span(7_800_000), TimeText.Span(432_000_000)));
    }

    private static Chart[] Of(string text, double[] values) =>
    [
        new IntervalChart("a", text, text, ChartUnit.Number, [.. values.Select(value => new IntervalRow(text, new Figure(value, value, value, 1))), new IntervalRow(text, null)], new ReferenceLine(0.5, text)),
        new TimeChart("b", text, text, ChartUnit.Seconds, 0, 10_000, [new TimeSeries(text, [.. values.Select((value, i) => new TimePoint(i * 1_000, value, value, value)), new TimePoint(9_000, null)], 1_000)], [], [new TimeMarker(5_000, text)]),
        new Sparkline("c", text, text, ChartUnit.Count, [.. values.Select(value => (double?)value), null], 0, 3_600_000),
        new PairedHistogram("d", text, text, text, text, [.. values.Select((_, i) => new PairedBin(text, i, long.MaxValue / 100))]),
        new StackedBars("e", text, text, [text, text], [.. values.Select((_, i) => new StackedRow(text, [i, 0], 10))]),
    ];
}
