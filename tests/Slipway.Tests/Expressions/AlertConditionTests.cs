using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;

namespace Slipway.Tests.Expressions;

public class AlertConditionTests
{
    private static readonly FigureSet Figures = new(
        12_000,
        0,
        "over 1 h",
        ImmutableSortedDictionary.CreateRange(
            StringComparer.Ordinal,
            new Dictionary<string, FigureReading>
            {
                ["requests"] = new(12_000, 12_000, 12_000, 12_000),
                ["error_rate"] = new(0.012, 0.010, 0.014, 12_000),
                ["drift.max"] = new(0.31, 0.27, 0.35, 1_200),
                ["drift.'distance'"] = new(0.31, 0.27, 0.35, 1_200),
                ["drift.'max'"] = new(0.01, 0.0, 0.02, 1_200),
                ["drift.'delay-min'"] = new(0.04, 0.02, 0.06, 1_200),
                ["latency.p99"] = new(0.041, 0.032, 0.064, 12_000),
                ["auc"] = new(0.64, 0.62, 0.66, 900),
                ["auc.delta"] = new(-0.01, -0.04, 0.02, 900),
            }),
        ImmutableSortedDictionary<string, ImmutableArray<SliceFigures>>.Empty,
        "the live version tells no such figure");

    [Theory]
    [InlineData("drift.max > 0.2", Truth.True)]
    [InlineData("drift.max > 0.3", Truth.Unknown)]
    [InlineData("drift.max > 0.4", Truth.False)]
    [InlineData("drift.distance > 0.2", Truth.True)]
    [InlineData("drift.distance.low > 0.26", Truth.True)]
    [InlineData("drift.'delay-min' < 0.1", Truth.True)]
    [InlineData("drift.'max' < 0.1", Truth.True)]
    [InlineData("error_rate > 1 %", Truth.Unknown)]
    [InlineData("error_rate > 0.5 %", Truth.True)]
    [InlineData("requests >= 1000 and latency.p99 > 0.025", Truth.True)]
    [InlineData("requests < 1000 and auc > 0", Truth.False)]
    [InlineData("auc.delta < -0.05", Truth.False)]
    [InlineData("auc.delta < 0", Truth.Unknown)]
    [InlineData("auc.n > 800", Truth.True)]
    [InlineData("drift.gone > 0.2", Truth.Unknown)]
    [InlineData("not (drift.gone > 0.2)", Truth.Unknown)]
    [InlineData("labelled == 0", Truth.Unknown)]
    public void A_condition_over_live_traffic_is_true_false_or_unknown(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Fact]
    public void A_feature_that_the_live_version_lacks_is_told_as_missing() =>
        Assert.Equal("drift.'gone' could not be had: the live version tells no such figure", Judge("drift.gone > 0.2").Reason);

    [Theory]
    [InlineData("latency.p99 > 50 ms", "'50 ms' has a unit; figures have none here, and times are in seconds", "write 0.05")]
    [InlineData("latency.p99 > 50ms and requests > 5", "'50ms' has a unit; figures have none here, and times are in seconds", "write 0.05")]
    [InlineData("latency.p50 >= 1.5 min", "'1.5 min' has a unit; figures have none here, and times are in seconds", "write 90")]
    public void A_time_with_its_unit_is_refused_with_its_seconds(string text, string message, string help)
    {
        Assert.False(AlertCondition.TryParse(text, AlertVocabulary.Any, out _, out var faults));
        var fault = Assert.Single(faults);
        Assert.Equal(("bad-number", message, help), (fault.Code, fault.Message, fault.Help));
    }

    [Fact]
    public void The_reason_has_the_numbers_and_what_they_rest_on() =>
        Assert.Equal("drift.max = 0.31 [0.27, 0.35], over 1 h, is wholly > 0.2", Judge("drift.max > 0.2").Reason);

    [Theory]
    [InlineData("drift.distnce > 0.2", 7, "unknown-figure", "did you mean distance?")]
    [InlineData("dirft.max > 0.2", 1, "unknown-figure", "did you mean drift?")]
    [InlineData("drift > 0.2", 1, "unknown-figure", "write drift.max, or drift.FEATURE")]
    [InlineData("latency.p90 > 0.2", 9, "unknown-figure", "did you mean p50?")]
    [InlineData("latency.p99 > 50 ms", 15, "bad-number", "write 0.05")]
    [InlineData("requests.low > 5", 10, "unknown-figure", null)]
    [InlineData("error_rate.delta > 0", 12, "unknown-figure", "there are: low, high, value, n")]
    [InlineData("auc.delta.hihg > 0", 11, "unknown-figure", "did you mean high?")]
    [InlineData("error_rate > auc", 12, "type-mismatch", "compare with a number, or use .delta for a difference from the baseline")]
    [InlineData("error_rate > 'x'", 12, "type-mismatch", "compare figures with numbers: error_rate > 0.01")]
    [InlineData("slices.hour.all(s, s.auc > 1)", 1, "unknown-function", "live traffic is not sliced; write one condition a figure")]
    [InlineData("n > 1", 1, "unknown-figure", null)]
    public void A_slip_is_shown_at_its_column(string text, int column, string code, string? help)
    {
        var fault = Assert.Single(MonitorConditions.Check(text, ["distance", "hour"], ["delayed"]));
        Assert.Equal((column, code), (fault.Column, fault.Code));
        if (help is not null)
            Assert.Equal(help, fault.Help);
    }

    [Fact]
    public void Inputs_and_outputs_may_be_named() => Assert.Empty(MonitorConditions.Check("drift.distance > 0.2 or drift.delayed.high > 0.5", ["distance"], ["delayed"]));

    [Fact]
    public void No_text_whatever_brings_the_parser_down()
    {
        string[] pieces = ["auc", "requests", "drift", ".", "delta", "max", "latency", "p99", "(", ")", ",", "s", "and", "or", "not", ">=", "<", "-", "*", "/", "0.5", "5 %", "'x'", " ", "§"];
        var texts = Arb.From(Gen.ArrayOf(Gen.Elements(pieces)).Select(string.Concat));
        Check.QuickThrowOnFailure(Prop.ForAll(texts, text =>
        {
            var faults = MonitorConditions.Check(text, ["x"], []);
            return faults.IsEmpty ? AlertCondition.TryParse(text, AlertVocabulary.Any, out var parsed, out _) && parsed.Judge(Figures).Reason.Length > 0
                : faults.All(fault => fault.Column >= 1 && fault.Column <= text.Length + 1);
        }));
    }

    private static Judgement Judge(string text)
    {
        Assert.True(AlertCondition.TryParse(text, AlertVocabulary.Any, out var condition, out var faults), string.Join("; ", faults));
        return condition.Judge(Figures);
    }
}
