using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Bytes;
using Slipway.Server.Web.Kit;
using Slipway.Server.Web.Pages;

namespace Slipway.Tests.Server.Web;

/// <summary>Whether a version is still as good as it was sealed, in sentences.</summary>
public sealed class QualityChangeTests
{
    private static Figure Of(double value, double reach) => new(value, value - reach, value + reach, 900);

    [Theory]
    [InlineData("auc", 0.60, 0.70, QualityVerdict.Worse, "auc fell by 0.1 against what was sealed (difference −0.114 to −0.0859): worse")]
    [InlineData("auc", 0.80, 0.70, QualityVerdict.Better, "auc rose by 0.1 against what was sealed (difference +0.0859 to +0.114): better")]
    [InlineData("log_loss", 0.80, 0.70, QualityVerdict.Worse, "log_loss rose by 0.1 against what was sealed (difference +0.0859 to +0.114): worse")]
    [InlineData("log_loss", 0.60, 0.70, QualityVerdict.Better, "log_loss fell by 0.1 against what was sealed (difference −0.114 to −0.0859): better")]
    [InlineData("accuracy", 0.695, 0.70, QualityVerdict.NotShown, "accuracy fell by 0.005 against what was sealed (difference −0.0191 to +0.00914): not shown to differ, and a fall of up to 0.0191 is not excluded")]
    [InlineData("rmse", 0.70, 0.70, QualityVerdict.NotShown, "rmse is the same against what was sealed (difference −0.0141 to +0.0141): not shown to differ, and a rise of up to 0.0141 is not excluded")]
    [InlineData("bias", 0.80, 0.70, QualityVerdict.Other, "bias rose by 0.1 against what was sealed (difference +0.0859 to +0.114): it differs")]
    public void A_metric_is_worse_on_its_worse_side_alone(string metric, double live, double held, QualityVerdict verdict, string sentence)
    {
        var change = new QualityChange(metric, Of(live, 0.01), Of(held, 0.01));
        Assert.Equal((verdict, sentence), (change.Verdict, change.Sentence));
    }

    /// <summary>Intervals that overlap may still differ: the difference is what alerts go by, and so do pages.</summary>
    [Fact]
    public void It_goes_by_the_difference_and_not_by_whether_intervals_meet()
    {
        var change = new QualityChange("auc", Of(0.68, 0.012), Of(0.70, 0.012));
        Assert.True(change.Live!.High > change.Sealed!.Low);
        Assert.Equal(QualityVerdict.Worse, change.Verdict);
    }

    [Fact]
    public void Without_an_interval_or_anything_sealed_nobody_can_tell()
    {
        Assert.Equal((QualityVerdict.Unknown, "auc fell by 0.1 against what was sealed: nobody can tell, there is no interval: too few units"), Told(new QualityChange("auc", new(0.6, null, null, 9, "too few units"), Of(0.7, 0.01))));
        Assert.Equal((QualityVerdict.Unknown, "auc is 0.6 [0.59, 0.61]; nothing is sealed to hold it against"), Told(new QualityChange("auc", Of(0.6, 0.01), null)));
        Assert.Equal((QualityVerdict.Unknown, "auc was sealed at 0.7 [0.69, 0.71]; no label has come that it could be held against"), Told(new QualityChange("auc", null, Of(0.7, 0.01))));

        static (QualityVerdict, string) Told(QualityChange change) => (change.Verdict, change.Sentence);
    }

    [Fact]
    public void Over_all_one_that_is_worse_decides_and_what_is_not_known_is_never_well()
    {
        var sealedMetrics = Metrics(("accuracy", Of(0.8, 0.01)), ("auc", Of(0.7, 0.01)));
        Assert.Equal((Mood.Bad, "does not hold"), Told(Metrics(("accuracy", Of(0.8, 0.01)), ("auc", Of(0.6, 0.01))), sealedMetrics));
        Assert.Equal((Mood.Plain, "no loss shown"), Told(Metrics(("accuracy", Of(0.8, 0.01)), ("auc", Of(0.7, 0.01))), sealedMetrics));
        Assert.Equal((Mood.Unsure, "not known"), Told(Metrics(), sealedMetrics));
        Assert.Equal((Mood.Unsure, "nothing to hold against"), Told(Metrics(("auc", Of(0.7, 0.01))), Metrics()));
        Assert.Equal((Mood.Unsure, "not known"), Told(Metrics(("brier", Of(0.1, 0.01))), sealedMetrics));
        Assert.Equal((Mood.Unsure, "not known"), Told(Metrics(("auc", new(0.7, null, null, 3, "too few"))), sealedMetrics));
        // The question that people come with leads.
        Assert.Equal("accuracy", Of(Metrics(("accuracy", Of(0.8, 0.01)), ("auc", Of(0.7, 0.01)), ("a", Of(1, 1))), sealedMetrics).Changes[0].Metric);

        static (Mood, string) Told(ImmutableSortedDictionary<string, Figure> live, ImmutableSortedDictionary<string, Figure> held) => Of(live, held) is var summary ? (summary.Mood, summary.Badge) : default;
    }

    private static ImmutableSortedDictionary<string, Figure> Metrics(params (string Name, Figure Figure)[] metrics) => metrics.ToImmutableSortedDictionary(metric => metric.Name, metric => metric.Figure, StringComparer.Ordinal);

    private static QualitySummary Of(ImmutableSortedDictionary<string, Figure> live, ImmutableSortedDictionary<string, Figure> held) => new(
        new VersionMonitoring(2, Digest.Of([1]), new WindowFigures(0, 1, 9, [], null, ImmutableSortedDictionary<string, Figure>.Empty, null, 9, 0, live, IntervalBasis.Rows), [], [], held, 0, 0, []), null);
}
