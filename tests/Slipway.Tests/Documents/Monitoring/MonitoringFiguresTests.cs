using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Documents.Monitoring;

public sealed class MonitoringFiguresTests
{
    private static readonly Digest Bundle = Digest.Of([]);

    private static readonly WindowFigures Total = new(
        0, 3_600_000, 12_000, [120, 0, 0, 0, 0], new(0.01, 0.008, 0.012, 12_000),
        Figures(("p50", new(0.01, 0.008, 0.012, 12_000)), ("p99", new(40, 30, null, 12_000, "it may lie beyond"))),
        null, 900, 300,
        Figures(("auc", new(0.64, 0.62, 0.66, 900)), ("accuracy", new(0.8, 0.77, 0.83, 900)), ("ece", new(0.02, null, null, 900, "too few"))), IntervalBasis.Rows)
    { Refused = 4_000 };

    private static readonly ImmutableSortedDictionary<string, Figure> Sealed = Figures(("auc", new(0.70, 0.69, 0.72, 9_000)), ("ece", new(0.01, 0.0, 0.02, 9_000)));

    [Theory]
    [InlineData("requests == 16000", Truth.True)]
    [InlineData("labelled >= 900 and labelled / requests < 10 %", Truth.True)]
    [InlineData("error_rate > 0.5 %", Truth.True)]
    [InlineData("refused_rate > 10 %", Truth.True)]
    [InlineData("refused_rate > 50 %", Truth.False)]
    [InlineData("latency.p50 < 0.02", Truth.True)]
    [InlineData("auc < 0.67", Truth.True)]
    [InlineData("auc.delta < -0.03", Truth.True)]
    [InlineData("auc.delta < -0.05", Truth.Unknown)]
    [InlineData("auc.delta > 0", Truth.False)]
    public void What_is_known_is_compared(string condition, Truth truth) => Assert.Equal(truth, Judge(condition).Truth);

    /// <summary>Worked out by hand: −0.06, and to each side √(0.02² + 0.02²) and √(0.02² + 0.01²).</summary>
    [Fact]
    public void The_difference_from_what_was_sealed_has_the_interval_of_both()
    {
        var delta = MonitoringFigures.Of(View(Total), isHeard: true).Measures["auc.delta"];
        Assert.Equal((-0.06, -0.0883, -0.0376, 900), (Math.Round(delta.Value!.Value, 4), Math.Round(delta.Low!.Value, 4), Math.Round(delta.High!.Value, 4), delta.Rows));
    }

    [Theory]
    [InlineData("latency.p99 > 20", Truth.True)]
    [InlineData("latency.p99 > 35", Truth.Unknown)]
    [InlineData("latency.p99 < 20", Truth.False)]
    public void A_latency_beyond_the_last_bucket_is_known_to_be_high(string condition, Truth truth) => Assert.Equal(truth, Judge(condition).Truth);

    [Theory]
    [InlineData("drift.max > 0.2", "no feature's drift is known")]
    [InlineData("drift.distance > 0.2", "version 1 tells no such figure")]
    [InlineData("brier > 0.2", "the labels do not give it")]
    [InlineData("ece < 0.1", "too few")]
    [InlineData("ece.delta < 0.1", "too few")]
    [InlineData("accuracy.delta < 0.1", "the sealed evaluation has no accuracy")]
    [InlineData("brier.delta < 0.1", "no labels are told, or they do not give it")]
    [InlineData("latency.p95 < 0.1", "there were no answers")]
    public void What_is_not_known_decides_nothing_and_says_why(string condition, string why)
    {
        var judgement = Judge(condition);
        Assert.Equal(Truth.Unknown, judgement.Truth);
        Assert.Contains(why, judgement.Reason);
        Assert.Equal(Truth.Unknown, Judge($"not ({condition})").Truth);
    }

    [Fact]
    public void Nothing_live_and_nobody_heard_decide_nothing()
    {
        Assert.Equal("requests could not be had: nothing is live", Judge("requests == 0", View(Total) with { Live = null }).Reason);
        Assert.Equal("requests could not be had: no gateway is there to tell what happens", Judge("requests == 0", View(Total), isHeard: false).Reason);
    }

    [Fact]
    public void No_requests_while_gateways_are_there_is_known()
    {
        var silent = View(Total) with { Versions = [] };
        Assert.Equal(Truth.True, Judge("requests == 0", silent).Truth);
        Assert.Equal((Truth.Unknown, "error_rate could not be had: there were no requests"), (Judge("error_rate > 1 %", silent).Truth, Judge("error_rate > 1 %", silent).Reason));
        // A version that is not live any more says nothing of the one that is.
        Assert.Equal(Truth.True, Judge("requests == 0", View(Total) with { Live = new(2, Bundle) }).Truth);
    }

    [Fact]
    public void Drift_that_was_not_judged_is_no_drift_either()
    {
        var (few, distance) = (new Figure(0.9, null, null, 12, "12 values were profiled"), new Figure(0.9, 0.5, 1.3, 1_200));
        FeatureDrift Drift(string name, Figure distance, DriftVerdict verdict) => new(name, false, "psi", distance, 0.2, verdict, null, new(name, Sensitivity.Public, [1], null, new(1, 0, [1, 0], null)), new(12, 0, [1, 11], null), []);
        var view = View(Total);
        view = view with { Versions = [view.Versions[0] with { Drift = [Drift("distance", few, DriftVerdict.InsufficientEvidence), Drift("max", distance, DriftVerdict.Drift), Drift("hour", distance, DriftVerdict.InsufficientEvidence)] }] };
        Assert.Equal(Truth.Unknown, Judge("drift.distance > 0.2", view).Truth);
        Assert.Equal(Truth.True, Judge("drift.'max' > 0.2", view).Truth);
        Assert.Equal(Truth.Unknown, Judge("drift.max > 0.2", view).Truth);
        // The plan's limit lies in its interval; the condition asks about another one.
        Assert.Equal(Truth.True, Judge("drift.hour > 0.4", view).Truth);
    }

    [Fact]
    public void The_largest_drift_is_told_with_the_feature_that_has_it() =>
        Assert.Equal("drift.max = 0.31 [0.27, 0.35] (distance), over 1 h, is wholly > 0.2", Judge("drift.max > 0.2", View(Total with { DriftMax = new(0.31, 0.27, 0.35, 1_200), DriftMaxOf = "distance" })).Reason);

    [Fact]
    public void The_reason_tells_of_requests_that_were_lost() =>
        Assert.Equal("error_rate = 0.01 [0.008, 0.012], over 1 h, without 7 requests that gateways could not tell, is wholly > 0.005", Judge("error_rate > 0.005", View(Total) with { Lost = 7 }).Reason);

    private static Judgement Judge(string condition, MonitoringView? view = null, bool isHeard = true)
    {
        Assert.True(AlertCondition.TryParse(condition, AlertVocabulary.Any, out var parsed, out _));
        return parsed.Judge(MonitoringFigures.Of(view ?? View(Total), isHeard));
    }

    private static MonitoringView View(WindowFigures total) =>
        new("flight-delay", "production", 0, 3_600_000, 10_000, MonitorPlan.Default, new(1, Bundle), [new(1, Bundle, total, [], [], Sealed, 0, 0, [])], [], 0);

    private static ImmutableSortedDictionary<string, Figure> Figures(params (string Name, Figure Figure)[] figures) =>
        figures.ToImmutableSortedDictionary(figure => figure.Name, figure => figure.Figure, StringComparer.Ordinal);
}
