using Slipway.Documents.Monitoring;
using Slipway.Server.Monitoring;

namespace Slipway.Tests.Server.Monitoring;

public sealed class QualityFiguresTests
{
    private const string Task = WatchedVersion.BinaryClassification;

    [Fact]
    public void A_few_of_a_class_have_no_auc_and_the_rest_has_its_figures()
    {
        var few = QualityFigures.Of(Window(100, QualityFigures.LeastOfClass - 1), []).Figures;
        Assert.DoesNotContain("auc", few.Keys);
        Assert.NotNull(few["accuracy"].Low);
        Assert.Contains("auc", QualityFigures.Of(Window(100, QualityFigures.LeastOfClass), []).Figures.Keys);
    }

    [Fact]
    public void A_class_that_one_window_has_alone_leaves_auc_without_an_interval()
    {
        QualitySum[] parts = [Window(40, 20), .. Enumerable.Range(0, 11).Select(_ => Window(40, 0))];
        var (figures, basis) = QualityFigures.Of(Whole(parts), parts);
        Assert.Equal(IntervalBasis.Windows, basis);
        Assert.Equal((null, null), (figures["auc"].Low, figures["auc"].High));
        Assert.Contains("one window", figures["auc"].Lacks, StringComparison.Ordinal);
        Assert.NotNull(figures["brier"].Low);
    }

    [Fact]
    public void Few_labels_in_many_windows_still_rest_on_windows()
    {
        QualitySum[] parts = [.. Enumerable.Range(0, 10).Select(i => Window(2, 1, (i % 5) / 10.0))];
        var (figures, basis) = QualityFigures.Of(Whole(parts), parts);
        Assert.Equal((IntervalBasis.Windows, 20), (basis, figures["auc"].N));
        Assert.NotNull(figures["auc"].Low);
    }

    /// <param name="shift">Added to the scores of those that were 0: 0.1, where others have 0.1 to 0.9.</param>
    private static QualitySum Window(int labels, int positives, double shift = 0)
    {
        var sum = new QualitySum();
        for (var i = 0; i < labels; i++)
            sum.Add(Task, i < positives ? 0.1 + (0.08 * (i % 10)) : 0.1 + shift + (0.04 * (i % 10)), i < positives ? 1 : 0);
        return sum;
    }

    private static QualitySum Whole(IEnumerable<QualitySum> parts)
    {
        var whole = new QualitySum();
        foreach (var part in parts)
            whole.Add(part);
        return whole;
    }
}
