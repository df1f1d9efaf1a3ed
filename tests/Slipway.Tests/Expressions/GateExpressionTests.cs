using System.Collections.Immutable;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Expressions;

public class GateExpressionTests
{
    private static readonly FigureSet Figures = new(
        450_000,
        30,
        "95 % over 30 units of date",
        Measures(
            ("auc", new(0.652, 0.641, 0.663, 450_000)),
            ("auc.delta", new(-0.001, -0.004, 0.002, 450_000)),
            ("brier", new(0.15, null, null, 450_000, "3 units cannot tell how units vary")),
            ("brier.delta", new(null, null, null, 450_000, "not comparable")),
            ("ece", new(0.02, 0.01, 0.03, 450_000))),
        new Dictionary<string, ImmutableArray<SliceFigures>>
        {
            ["hour"] =
            [
                new("7", 9000, Measures(("auc", new(0.66, 0.64, 0.68, 9000)))),
                new("8", 7000, Measures(("auc", new(0.60, 0.58, 0.62, 7000)))),
                new("2", 12, Measures()),
            ],
            ["empty"] = [],
        }.ToImmutableSortedDictionary(StringComparer.Ordinal));

    [Theory]
    [InlineData("auc >= 0.641", Truth.True)]
    [InlineData("auc > 0.641", Truth.Unknown)]
    [InlineData("auc > 0.640", Truth.True)]
    [InlineData("auc >= 0.65", Truth.Unknown)]
    [InlineData("auc >= 0.663", Truth.Unknown)]
    [InlineData("auc > 0.663", Truth.False)]
    [InlineData("auc >= 0.664", Truth.False)]
    [InlineData("auc <= 0.663", Truth.True)]
    [InlineData("auc < 0.663", Truth.Unknown)]
    [InlineData("auc < 0.641", Truth.False)]
    [InlineData("auc <= 0.640", Truth.False)]
    [InlineData("auc == 0.652", Truth.Unknown)]
    [InlineData("auc == 0.7", Truth.False)]
    [InlineData("auc != 0.7", Truth.True)]
    [InlineData("0.60 <= auc", Truth.True)]
    [InlineData("0.70 <= auc", Truth.False)]
    [InlineData("0.652 > auc", Truth.Unknown)]
    public void An_interval_is_wholly_inside_wholly_outside_or_straddles(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("n >= 450000", Truth.True)]
    [InlineData("n > 450000", Truth.False)]
    [InlineData("1000 < n", Truth.True)]
    [InlineData("units == 30", Truth.True)]
    [InlineData("units != 30", Truth.False)]
    [InlineData("auc.low >= 0.641", Truth.True)]
    [InlineData("auc.high < 0.663", Truth.False)]
    [InlineData("auc.value == 0.652", Truth.True)]
    [InlineData("auc.n == n", Truth.True)]
    [InlineData("auc.delta.low > -0.5 %", Truth.True)]
    [InlineData("slices.hour.count == 3", Truth.True)]
    [InlineData("auc.high - auc.low < 0.03", Truth.True)]
    [InlineData("auc.high - auc.low < 2 %", Truth.False)]
    public void Exact_numbers_compare_as_numbers(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("auc - 0.05 >= 0.591", Truth.True)]
    [InlineData("auc - 0.05 > 0.592", Truth.Unknown)]
    [InlineData("1 - auc <= 0.359", Truth.True)]
    [InlineData("1 - auc <= 0.336", Truth.False)]
    [InlineData("-auc <= -0.64", Truth.True)]
    [InlineData("-2 * auc >= -1", Truth.False)]
    [InlineData("auc * 2 - 1 > 0.28", Truth.True)]
    [InlineData("2 * (auc - 0.5) > 0.28", Truth.True)]
    [InlineData("auc / 2 > 0.32", Truth.True)]
    [InlineData("auc ÷ (units − 30) > 0", Truth.Unknown)]
    public void An_exact_number_moves_or_stretches_an_interval(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("auc >= 0.6 and ece <= 0.05", Truth.True)]
    [InlineData("auc >= 0.6 && ece <= 0.02", Truth.Unknown)]
    [InlineData("auc >= 0.7 and ece <= 0.02", Truth.False)]
    [InlineData("auc >= 0.65 and ece <= 0.02", Truth.Unknown)]
    [InlineData("auc >= 0.7 and ece <= 0.05", Truth.False)]
    [InlineData("auc >= 0.7 and ece <= 0.001", Truth.False)]
    [InlineData("auc >= 0.6 or ece <= 0.02", Truth.True)]
    [InlineData("auc >= 0.6 || ece <= 0.001", Truth.True)]
    [InlineData("auc >= 0.65 or ece <= 0.02", Truth.Unknown)]
    [InlineData("auc >= 0.7 or ece <= 0.02", Truth.Unknown)]
    [InlineData("auc >= 0.7 or ece <= 0.001", Truth.False)]
    [InlineData("auc >= 0.65 or auc < 0.65", Truth.Unknown)]
    [InlineData("not auc >= 0.6", Truth.False)]
    [InlineData("!(auc >= 0.7)", Truth.True)]
    [InlineData("not auc >= 0.65", Truth.Unknown)]
    [InlineData("not not auc >= 0.6", Truth.True)]
    [InlineData("auc >= 0.7 and ece <= 0.05 or n > 1", Truth.True)]
    [InlineData("auc >= 0.7 and (ece <= 0.05 or n > 1)", Truth.False)]
    public void And_or_not_follow_Kleene(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("slices.hour.all(s, s.n < 5000 || s.auc > 0.55)", Truth.True)]
    [InlineData("slices.hour.all(s, s.n < 5000 || s.auc > 0.60)", Truth.Unknown)]
    [InlineData("slices.hour.all(s, s.n < 5000 || s.auc > 0.62)", Truth.False)]
    [InlineData("slices.hour.all(s, s.auc > 0.55)", Truth.Unknown)]
    [InlineData("slices.hour.any(s, s.auc > 0.63)", Truth.True)]
    [InlineData("slices.hour.any(s, s.auc > 0.65)", Truth.Unknown)]
    [InlineData("slices.hour.any(h, h.n > 5000 and h.auc > 0.7)", Truth.False)]
    [InlineData("slices.hour.all(s, s.value != '2' or s.n < 20)", Truth.True)]
    [InlineData("slices.hour.any(s, \"3\" == s.value)", Truth.False)]
    [InlineData("slices.hour.all(s, s.auc.low > 0.5 or s.value == '2')", Truth.True)]
    [InlineData("slices.empty.all(s, s.auc > 0.5)", Truth.Unknown)]
    [InlineData("slices.empty.any(s, s.auc > 0.5)", Truth.Unknown)]
    public void Every_or_some_slice(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("brier <= 0.2", "brier = 0.15 has no interval: 3 units cannot tell how units vary")]
    [InlineData("brier.low <= 0.2", "brier = 0.15 has no interval: 3 units cannot tell how units vary")]
    [InlineData("brier.delta <= 0.2", "brier.delta could not be had: not comparable")]
    public void A_figure_without_an_interval_passes_nothing(string text, string reason)
    {
        Assert.Equal((Truth.Unknown, reason), (Judge(text).Truth, Judge(text).Reason));
        Assert.Equal(Truth.Unknown, Judge($"not ({text})").Truth);
    }

    [Theory]
    [InlineData("auc >= 0.60", "auc = 0.652 [0.641, 0.663], 95 % over 30 units of date, is wholly ≥ 0.60")]
    [InlineData("auc >= 0.70", "auc = 0.652 [0.641, 0.663], 95 % over 30 units of date, is wholly < 0.70")]
    [InlineData("auc >= 65 %", "auc = 0.652 [0.641, 0.663], 95 % over 30 units of date, straddles 65 %")]
    [InlineData("0.60 > auc", "auc = 0.652 [0.641, 0.663], 95 % over 30 units of date, is wholly ≥ 0.60")]
    [InlineData("n >= 1000", "n = 450,000 is ≥ 1000")]
    [InlineData("n < 1000", "n = 450,000 is not < 1000")]
    [InlineData("auc > 0.6 and ece < 0.001", "ece = 0.02 [0.01, 0.03], 95 % over 30 units of date, is wholly ≥ 0.001")]
    [InlineData("2 * (auc - 0.5) > 0.2", "2 * (auc - 0.5) = 0.304 [0.282, 0.326], 95 % over 30 units of date, is wholly > 0.2")]
    [InlineData("slices.hour.all(s, s.n < 5000 || s.auc > 0.62)",
        "does not hold for 1 of 3 slices of hour: hour 8: s.n = 7,000 is not < 5000; s.auc = 0.6 [0.58, 0.62], 95 % over 30 units of date, is wholly ≤ 0.62")]
    public void The_reason_names_the_figures_that_decided(string text, string reason) => Assert.Equal(reason, Judge(text).Reason);

    [Fact]
    public void A_reason_shows_enough_digits_to_be_believed()
    {
        var close = Figures with { Measures = Measures(("auc", new(0.61, 0.59996, 0.62, 10))) };
        Assert.Equal("auc = 0.61 [0.59996, 0.62], 95 % over 30 units of date, straddles 0.60", GateExpression.Parse("auc >= 0.60").Judge(close).Reason);
    }

    [Fact]
    public void Every_measure_read_is_reported_by_its_name()
    {
        var read = Judge("auc >= 0.7 and ece < 0.05 and slices.hour.all(s, s.auc > 0.5)").Read;
        Assert.Equal(["auc", "ece", "slices.hour[7].auc", "slices.hour[8].auc"], read.Keys);
        Assert.Equal(0.641, read["auc"].Low);
    }

    [Theory]
    [InlineData("log_loss < 0.5", "unknown-figure")]
    [InlineData("slices.hour.all(s, s.log_loss < 0.5)", "unknown-figure")]
    [InlineData("slices.hours.count > 2", "unknown-slice")]
    [InlineData("slices.hours.all(s, s.auc > 0.5)", "unknown-slice")]
    public void A_figure_that_the_evaluation_lacks_is_an_error_never_a_verdict(string text, string code)
    {
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => Judge(text)).Faults);
        Assert.Equal(code, fault.Code);
        if (code == "unknown-slice")
            Assert.Equal("did you mean hour?", fault.Help);
    }

    [Fact]
    public void Only_a_delta_needs_a_baseline()
    {
        Assert.True(GateExpression.Parse("n > 5 or auc.delta.low > -1 %").ReadsBaseline);
        Assert.False(GateExpression.Parse("auc > 0.5").ReadsBaseline);
    }

    private static Judgement Judge(string text) => GateExpression.Parse(text).Judge(Figures);

    private static ImmutableSortedDictionary<string, FigureReading> Measures(params (string Name, FigureReading Reading)[] measures) =>
        measures.ToImmutableSortedDictionary(each => each.Name, each => each.Reading, StringComparer.Ordinal);
}
