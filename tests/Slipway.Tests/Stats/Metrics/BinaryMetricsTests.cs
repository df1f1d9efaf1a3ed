using FsCheck;
using FsCheck.Fluent;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Tests.Stats.Metrics;

public class BinaryMetricsTests
{
    /// <summary>Numbers from scikit-learn 1.2.1: roc_auc_score, log_loss(eps=1e-15), brier_score_loss.</summary>
    [Fact]
    public void Twelve_rows_measure_as_scikit_learn_does()
    {
        var values = Measure([.1, .4, .35, .8, .4, .4, .2, .9, .35, .35, .05, .7], [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        Assert.Equal(0.8285714285714286, values[0], 1e-15);
        Assert.Equal(0.5139224397379537, values[1], 1e-15);
        Assert.Equal(0.17833333333333334, values[2], 1e-15);
    }

    /// <summary>Numbers from scikit-learn and numpy on the same rows; 119 of the scores are exactly 0, and eight distinct ones in all.</summary>
    [Fact]
    public void A_thousand_heavily_tied_rows_measure_as_scikit_learn_does()
    {
        var (scores, labels, units) = Tied();
        var rows = new LabelledScores(scores, labels, null, 1000);
        var metrics = new BinaryMetrics(rows, rows.Rank());
        var values = metrics.Measure();
        Assert.Equal(435, metrics.Positives);
        Assert.Equal(119, metrics.Clipped);
        Assert.Equal(0.7448296205879361, values[0], 1e-15);
        Assert.Equal(0.9784355054673061, values[1], 1e-13);
        Assert.Equal(0.207546875, values[2], 1e-15);
        Assert.Equal(0.0676631643040789, values[3], 1e-14);
        Assert.Equal(0.071625, values[4], 1e-15);

        var byUnit = new LabelledScores(scores, labels, units, 7);
        var clustered = new BinaryMetrics(byUnit, byUnit.Rank()).Measure();
        Assert.Equal(values[0], clustered[0]);
        Assert.Equal(0.06821402607531542, clustered[3], 1e-14);
    }

    /// <summary>By hand: of the twelve rows four are wrong: 0.4 twice and 0.35 once said 0, and it was 1; 0.7 said 1, and it was 0.</summary>
    [Fact]
    public void Accuracy_is_the_share_that_is_right_from_a_half_on()
    {
        Assert.Equal(8 / 12.0, Measure([.1, .4, .35, .8, .4, .4, .2, .9, .35, .35, .05, .7], [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0])[5]);
        Assert.Equal(1, Measure([.5, .49999], [1, 0])[5]);
        Assert.Equal(0, Measure([.5, .49999], [0, 1])[5]);
        var unit = Rows([.5, .2, .9, .6], [1, 1, 0, 1]);
        var values = new double[BinaryMetrics.Names.Length];
        new BinaryMetrics(unit, unit.Rank()).Measure([3, 1, 0, 2], Weighting.Resample, values);
        Assert.Equal(5 / 6.0, values[5]);
    }

    /// <summary>Number from scikit-learn's log_loss(eps=1e-15).</summary>
    [Fact]
    public void A_certain_and_wrong_score_is_clipped_and_counted()
    {
        var rows = Rows([0, .2, 1], [1, 0, 1]);
        var metrics = new BinaryMetrics(rows, rows.Rank());
        Assert.Equal(11.587306648741631, metrics.Measure()[1], 1e-14);
        Assert.Equal(2, metrics.Clipped);
    }

    [Fact]
    public void Weights_count_as_copies_of_the_rows() =>
        Check.QuickThrowOnFailure(Prop.ForAll(Samples(), sample =>
        {
            var metrics = new BinaryMetrics(sample.Rows, sample.Rows.Rank());
            var weighted = new double[BinaryMetrics.Names.Length];
            metrics.Measure(sample.Weights, Weighting.Sample, weighted);
            var copies = Enumerable.Range(0, sample.Rows.Rows).SelectMany(row => Enumerable.Repeat(row, sample.Weights[sample.Rows.UnitOf(row)])).ToArray();
            if (copies.Length == 0)
                return weighted.All(double.IsNaN);

            double[] scores = [.. copies.Select(row => sample.Rows.Scores[row])];
            bool[] labels = [.. copies.Select(row => sample.Rows.Labels[row])];
            var expected = Measure(scores, [.. labels.Select(label => label ? 1 : 0)]);
            return Same(BruteAuc(scores, labels), weighted[0])
                && Math.Abs(expected[1] - weighted[1]) < 1e-12
                && Math.Abs(expected[2] - weighted[2]) < 1e-12
                && Math.Abs(expected[4] - weighted[4]) < 1e-12
                && expected[5] == weighted[5];
        }));

    [Fact]
    public void The_matrix_and_the_walk_count_the_same_pairs() =>
        Check.QuickThrowOnFailure(Prop.ForAll(Samples(), sample =>
        {
            var order = sample.Rows.Rank();
            int[] unitOf = [.. order.Select(sample.Rows.UnitOf)];
            var matrix = new RankedPairs(sample.Rows, order, unitOf, sample.Rows.UnitCount, useMatrix: true);
            var walk = new RankedPairs(sample.Rows, order, unitOf, sample.Rows.UnitCount, useMatrix: false);
            return matrix.TwiceOrdered(sample.Weights) == walk.TwiceOrdered(sample.Weights);
        }));

    [Fact]
    public void One_class_has_no_auc_but_the_other_measures()
    {
        var values = Measure([.2, .4], [0, 0]);
        Assert.True(double.IsNaN(values[0]));
        Assert.Equal(0.1, values[2], 1e-15);
    }

    [Fact]
    public void A_slice_numbers_the_units_that_it_has()
    {
        var rows = new LabelledScores([.1, .2, .3, .4], [false, true, false, true], [9, 4, 4, 7], 10);
        var slice = new BinaryMetrics(rows, rows.Rank().AsSpan(1));
        Assert.Equal((2, 3, 2L), (slice.Units, slice.Rows, slice.Positives));
        var withoutFour = new double[BinaryMetrics.Names.Length];
        slice.Measure([0, 1], Weighting.LeaveOneOut, withoutFour);
        Assert.Equal(0.36, withoutFour[2], 1e-15);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1e-9)]
    [InlineData(1.0000001)]
    public void A_score_that_is_no_probability_is_refused(double score) =>
        Assert.Throws<ArgumentException>(() => Rows([score], [1]));

    [Theory]
    [InlineData(0.1 + 0.2, 0.3)]
    [InlineData(-123456.789012345, -123456.789012)]
    [InlineData(1.0 / 3e300, 3.33333333333e-301)]
    [InlineData(-0.0, 0.0)]
    public void Stored_figures_have_12_digits(double value, double stored) => Assert.Equal(stored, SignificantDigits.Round(value));

    /// <summary>(scores, labels, units): a linear congruential generator's, the same rows as the oracle's.</summary>
    internal static (double[] Scores, bool[] Labels, int[] Units) Tied()
    {
        var state = 12345L;
        var (scores, labels, units) = (new double[1000], new bool[1000], new int[1000]);
        for (var i = 0; i < 1000; i++)
        {
            scores[i] = (Next() >> 16) % 8 / 8.0;
            labels[i] = (Next() >> 16) % 100 / 100.0 < scores[i] * 0.8 + .1;
            units[i] = i % 7;
        }

        return (scores, labels, units);

        long Next() => state = (state * 1103515245 + 12345) % 2147483648;
    }

    private static LabelledScores Rows(double[] scores, int[] labels) =>
        new(scores, [.. labels.Select(label => label == 1)], null, scores.Length);

    private static double[] Measure(double[] scores, int[] labels)
    {
        var rows = Rows(scores, labels);
        return new BinaryMetrics(rows, rows.Rank()).Measure();
    }

    private static double BruteAuc(double[] scores, bool[] labels)
    {
        var (won, pairs) = (0.0, 0);
        for (var i = 0; i < scores.Length; i++)
        {
            for (var j = 0; j < scores.Length; j++)
            {
                if (!labels[i] || labels[j])
                    continue;
                pairs++;
                won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
            }
        }

        return pairs == 0 ? double.NaN : won / pairs;
    }

    private static bool Same(double a, double b) => a.Equals(b);

    private sealed record Sample(LabelledScores Rows, int[] Weights);

    private static Arbitrary<Sample> Samples() => Arb.From(
        from count in Gen.Choose(1, 40)
        from units in Gen.Choose(1, 6)
        from scores in Gen.ArrayOf(Gen.Choose(0, 7), count)
        from labels in Gen.ArrayOf(Gen.Elements(true, false), count)
        from unitOf in Gen.ArrayOf(Gen.Choose(0, units - 1), count)
        from weights in Gen.ArrayOf(Gen.Choose(0, 3), units)
        select new Sample(new LabelledScores([.. scores.Select(score => score / 7.0)], labels, unitOf, units), weights));
}
