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
                ["drift.max"] = new(0.31, 0.27, 0.35, 1_200, Of: "distance"),
                ["drift.'distance'"] = new(0.31, 0.27, 0.35, 1_200),
                ["drift.'max'"] = new(0.01, 0.0, 0.02, 1_200),
                ["drift.'delay-min'"] = new(0.04, 0.02, 0.06, 1_200),
                ["latency.p99"] = new(0.041, 0.032, 0.064, 12_000),
                ["labelled"] = new(400, 400, 400, 400),
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
    [InlineData("labelled == 0", Truth.False)]
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
        Assert.Equal("drift.max = 0.31 [0.27, 0.35] (distance), over 1 h, is wholly > 0.2", Judge("drift.max > 0.2").Reason);

    [Theory]
    [InlineData("drift.max.low > 0.2", "drift.max.low = 0.27 (distance) is > 0.2")]
    [InlineData("drift.max * 2 > 0.6", "drift.max * 2 = 0.62 [0.54, 0.7] (distance), over 1 h, straddles 0.6")]
    [InlineData("error_rate > drift.max.low", "error_rate = 0.012 [0.01, 0.014], over 1 h, is wholly <= drift.max.low = 0.27 (distance)")]
    public void The_largest_of_several_names_what_attained_it(string text, string reason) => Assert.Equal(reason.Replace("<=", "≤"), Judge(text).Reason);

    /// <summary>12,000 requests, 400 labels; drift is true, auc below 0.6 false, error_rate above 1 % unknown.</summary>
    [Theory]
    [InlineData("drift.max > 0.2 and requests >= 12000", Truth.True)]
    [InlineData("drift.max > 0.2 and requests > 12000", Truth.Unknown)]
    [InlineData("auc < 0.6 and requests >= 1000", Truth.False)]
    [InlineData("auc < 0.6 and requests >= 20000", Truth.Unknown)]
    [InlineData("20000 <= requests and auc < 0.6", Truth.Unknown)]
    [InlineData("error_rate > 1 % and requests >= 1000", Truth.Unknown)]
    [InlineData("drift.max > 0.2 and auc.n >= 1000", Truth.Unknown)]
    [InlineData("drift.max > 0.2 and auc.n >= 900", Truth.True)]
    [InlineData("drift.max > 0.2 and drift.max.n >= 5000", Truth.Unknown)]
    // In whatever order and brackets.
    [InlineData("requests >= 20000 and drift.max > 0.2 and auc < 0.6", Truth.Unknown)]
    [InlineData("(requests >= 20000 and labelled >= 1) and (drift.max > 0.2 and auc < 0.6)", Truth.Unknown)]
    [InlineData("drift.max > 0.2 and not (requests < 20000)", Truth.Unknown)]
    [InlineData("drift.max > 0.2 and not (requests < 1000)", Truth.True)]
    // Either sample will do, or both must be there.
    [InlineData("drift.max > 0.2 and (requests >= 20000 or labelled >= 400)", Truth.True)]
    [InlineData("drift.max > 0.2 and (requests >= 20000 or labelled >= 500)", Truth.Unknown)]
    [InlineData("drift.max > 0.2 and not (requests < 1000 or labelled < 500)", Truth.Unknown)]
    // Each choice has samples of its own.
    [InlineData("(drift.max > 0.2 and requests >= 20000) or (auc < 0.7 and labelled >= 400)", Truth.True)]
    [InlineData("(drift.max > 0.2 and requests >= 20000) or (auc < 0.6 and labelled >= 400)", Truth.Unknown)]
    [InlineData("(drift.max > 0.2 or auc < 0.6) and requests >= 20000", Truth.Unknown)]
    // What is unknown is so under a not.
    [InlineData("not (auc < 0.6 and requests >= 20000)", Truth.Unknown)]
    [InlineData("not (auc < 0.6 and requests >= 1000)", Truth.True)]
    // An upper bound asks for no sample, and counts alone are compared as numbers.
    [InlineData("drift.max > 0.2 and requests <= 1000", Truth.False)]
    [InlineData("drift.max > 0.2 and requests == 12", Truth.False)]
    [InlineData("requests > 1e6", Truth.False)]
    [InlineData("requests > 1e6 and labelled >= 1", Truth.False)]
    [InlineData("labelled / requests >= 10 % and drift.max > 0.2", Truth.False)]
    [InlineData("drift.max > 0.2 or requests >= 20000", Truth.True)]
    public void Beside_a_figure_a_least_count_asks_for_a_sample(string text, Truth truth) => Assert.Equal(truth, Judge(text).Truth);

    [Theory]
    [InlineData("drift.max > 0.2 and requests >= 20000", "requests = 12,000, and at least 20000 are asked for")]
    [InlineData("auc < 0.6 and 500 < labelled and requests >= 1000", "labelled = 400, and more than 500 are asked for")]
    [InlineData("requests >= 1000 and drift.max > 0.2", "drift.max = 0.31 [0.27, 0.35] (distance), over 1 h, is wholly > 0.2; requests = 12,000 is ≥ 1000")]
    [InlineData("requests >= 1000 and auc < 0.6", "auc = 0.64 [0.62, 0.66], over 1 h, is wholly ≥ 0.6")]
    public void A_sample_that_is_too_small_says_so(string text, string reason) => Assert.Equal(reason, Judge(text).Reason);

    [Fact]
    public void What_is_read_is_told_though_the_sample_is_too_small() => Assert.Equal(["drift.max", "requests"], Judge("drift.max > 0.2 and requests >= 20000").Read.Keys);

    /// <summary>However parts are joined, too few requests decide nothing that they are asked for.</summary>
    [Fact]
    public void Without_its_sample_no_condition_on_a_figure_is_decided()
    {
        var parts = Gen.Elements("drift.max > 0.2", "auc < 0.6", "error_rate > 1 %", "not (auc < 0.6)", "labelled >= 1", "drift.gone > 1");
        var texts = Arb.From(Gen.ArrayOf(parts).Resize(5).Select(list => string.Join(" and ", ["requests >= 20000", .. list, "drift.max > 0.2"])));
        Check.QuickThrowOnFailure(Prop.ForAll(texts, text => Judge(text).Truth == Truth.Unknown && Judge($"not ({text})").Truth == Truth.Unknown));
    }

    [Theory]
    [InlineData("mae > 3", 1, "labels do not give 'mae' of a model whose task is binary-classification", "they give accuracy, auc, brier, ece, log_loss")]
    [InlineData("requests > 5 and bias.delta > 3", 18, "labels do not give 'bias'", "they give accuracy, auc, brier, ece, log_loss")]
    [InlineData("accuracy.delta < 0", 10, "'accuracy' is not evaluated when this model is sealed", "add accuracy to evaluate.metrics, or compare accuracy itself")]
    [InlineData("drift.pixels > 0.2", 7, "'pixels' has more than one value a row", "there are: distance, delayed, max")]
    public void What_can_never_be_judged_is_refused(string text, int column, string message, string help)
    {
        var fault = Assert.Single(MonitorConditions.Check(text, Sealed));
        Assert.Equal((column, "unknown-figure", help), (fault.Column, fault.Code, fault.Help));
        Assert.Contains(message, fault.Message);
    }

    [Theory]
    [InlineData("accuracy < 0.7")]
    [InlineData("auc.delta < 0")]
    [InlineData("drift.max > 0.2 and drift.delayed < 1 and labelled >= 5")]
    public void What_can_be_judged_is_not(string text) => Assert.Empty(MonitorConditions.Check(text, Sealed));

    [Fact]
    public void Without_reference_labels_or_evaluation_their_figures_are_refused()
    {
        foreach (var text in new[] { "drift.max > 0.2", "drift.distance.low > 0.2", "drift.'max' > 1" })
            Assert.Contains("this model has none", Assert.Single(MonitorConditions.Check(text, Sealed with { Features = ["distance", "max"], HasReference = false })).Message);
        foreach (var text in new[] { "labelled >= 5", "auc < 0.5", "auc.delta < 0" })
            Assert.Contains("needs outcomes, and monitor asks for none", Assert.Single(MonitorConditions.Check(text, Sealed with { HasLabels = false })).Message);
        Assert.Equal("compare mae itself", Assert.Single(MonitorConditions.Check("mae.delta > 0", Sealed with { Task = "regression", Evaluated = [] })).Help);
        Assert.Empty(MonitorConditions.Check("mae > 3", Sealed with { Task = "regression", Evaluated = [] }));
        Assert.Contains("alone", Assert.Single(MonitorConditions.Check("auc < 0.5", Sealed with { Task = "ranking" })).Help);
    }

    [Theory]
    [InlineData("error_rate > 2", 12, "error_rate is a share from 0 to 1, and so never > 2", "2 % is 0.02 or `2 %`")]
    [InlineData("requests >= 100 and 2.5 < error_rate", 25, "error_rate is a share from 0 to 1, and so never > 2.5", "2.5 % is 0.025 or `2.5 %`")]
    [InlineData("accuracy < 80", 10, "accuracy is a share from 0 to 1, and so always < 80", "80 % is 0.8 or `80 %`")]
    [InlineData("auc.delta < -3", 11, "auc.delta lies from -1 to 1, and so never < -3", "-3 % is -0.03 or `-3 %`")]
    [InlineData("drift.max < 0", 11, "drift.max is 0 or more, and so never < 0", null)]
    [InlineData("drift.'distance'.low == -1", 22, "drift.distance.low is 0 or more, and so never == -1", null)]
    [InlineData("latency.p99 < 0", 13, "latency.p99 is 0 or more, and so never < 0", null)]
    [InlineData("latency.p99 >= 0", 13, "latency.p99 is 0 or more, and so always >= 0", null)]
    [InlineData("requests >= 0", 10, "requests is 0 or more, and so always >= 0", null)]
    [InlineData("auc.n != -1", 7, "auc.n is 0 or more, and so always != -1", null)]
    [InlineData("auc > 1", 5, "auc is a share from 0 to 1, and so never > 1", null)]
    [InlineData("not (refused_rate <= 1)", 19, "refused_rate is a share from 0 to 1, and so always <= 1", null)]
    [InlineData("error_rate * 100 > 2 * 60", 18, "error_rate * 100 lies from 0 to 100, and so never > 2 * 60", null)]
    [InlineData("brier > 0.5 or log_loss < -1", 25, "log_loss is 0 or more, and so never < -1", null)]
    public void What_is_foregone_whatever_is_measured_is_refused(string text, int column, string message, string? help)
    {
        var fault = Assert.Single(MonitorConditions.Check(text, AlertVocabulary.Any));
        Assert.Equal((column, "constant-condition", message), (fault.Column, fault.Code, fault.Message));
        Assert.Equal(help ?? fault.Help, fault.Help);
        Assert.NotNull(fault.Help);
    }

    [Theory]
    [InlineData("error_rate > 0")]
    [InlineData("error_rate >= 1")]
    [InlineData("error_rate * 100 > 2")]
    [InlineData("accuracy == 0 or auc != 1 or auc.delta < -0.99")]
    [InlineData("drift.max <= 0 or latency.p99 > 20 or requests == 0")]
    [InlineData("bias < -100 or mae > 100 or mae.delta < -100 or log_loss.delta < -2 or bias.delta > 7")]
    [InlineData("labelled / requests < 0 or labelled - requests < -5")]
    public void What_traffic_can_decide_is_not(string text) => Assert.Empty(MonitorConditions.Check(text, AlertVocabulary.Any));

    [Theory]
    [InlineData("binary-classification", "there are: requests, labelled, error_rate, refused_rate, drift, latency, accuracy, auc, brier, ece, log_loss")]
    [InlineData("regression", "there are: requests, labelled, error_rate, refused_rate, drift, latency, mae, rmse, bias")]
    public void Offered_are_the_figures_of_the_models_task_alone(string task, string help) =>
        Assert.Equal(help, Assert.Single(MonitorConditions.Check("f1.delta < 0", Sealed with { Task = task })).Help);

    private static readonly AlertVocabulary Flights = new(["distance", "hour", "delayed"]);

    private static readonly AlertVocabulary Sealed = new(["distance", "pixels", "delayed"]) { Unprofiled = ["pixels"], Task = "binary-classification", Evaluated = ["auc", "brier"] };

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
        var fault = Assert.Single(MonitorConditions.Check(text, Flights));
        Assert.Equal((column, code), (fault.Column, fault.Code));
        if (help is not null)
            Assert.Equal(help, fault.Help);
    }

    [Fact]
    public void Inputs_and_outputs_may_be_named() => Assert.Empty(MonitorConditions.Check("drift.distance > 0.2 or drift.delayed.high > 0.5", Flights));

    [Fact]
    public void No_text_whatever_brings_the_parser_down()
    {
        string[] pieces = ["auc", "requests", "drift", ".", "delta", "max", "latency", "p99", "(", ")", ",", "s", "and", "or", "not", ">=", "<", "-", "*", "/", "0.5", "5 %", "'x'", " ", "§"];
        var texts = Arb.From(Gen.ArrayOf(Gen.Elements(pieces)).Select(string.Concat));
        Check.QuickThrowOnFailure(Prop.ForAll(texts, text =>
        {
            var faults = MonitorConditions.Check(text, new(["x"]));
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
