using Slipway.Stats.Distances;

namespace Slipway.Tests.Stats.Distances;

/// <summary>Expected values: scipy 1.10.</summary>
public sealed class DistanceTests
{
    private static readonly long[] Reference = [16, 18, 16, 14, 12, 12], Current = [16, 16, 16, 16, 16, 8];
    private static readonly double[] A = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58], B = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];

    [Fact]
    public void Distances_of_binned_samples_have_their_published_values()
    {
        Assert.Equal(0.0372184, BinDistances.Psi(Current, Reference, out var supplemented), 7);
        Assert.Equal(0, supplemented);
        Assert.Equal(0.0680482, BinDistances.JensenShannonDistance(Current, Reference, Math.E), 7);
        Assert.Equal(0.0817342, BinDistances.JensenShannonDistance(Current, Reference, 2), 7);
        Assert.Equal(0.00668048, BinDistances.JensenShannonDivergence(Current, Reference, 2), 8);
        Assert.Equal(0.0454545, BinDistances.LInfinity(Current, Reference), 7);
        Assert.Equal(0.0681277, BinDistances.Hellinger(Current, Reference), 7);
        Assert.Equal(0.673088, BinDistances.ChiSquareAgainst(Reference, Current), 6);
        Assert.Equal(0.898526, BinDistances.ChiSquareBetween(Reference, Current), 6);
    }

    [Fact]
    public void Distances_of_two_samples_have_their_published_values()
    {
        Assert.Equal(0.625, SampleDistances.KolmogorovSmirnov(A, B));
        Assert.Equal(0.087024, SampleDistances.KolmogorovSmirnovExact(0.625, 8, 8)!.Value, 6);
        Assert.Equal(0.049316, SampleDistances.KolmogorovSmirnovAsymptotic(0.625, 8, 8), 6);
        Assert.Equal(4.1625, SampleDistances.Wasserstein(A, B), 10);
        Assert.Equal(5, SampleDistances.Wasserstein([0, 1, 3], [5, 6, 8]), 10);
    }

    [Fact]
    public void The_asymptotic_p_value_goes_over_into_its_limit_without_a_step()
    {
        var before = SampleDistances.KolmogorovSmirnovAsymptotic(0.04, 1998, 1998);     // an effective size of 999
        var after = SampleDistances.KolmogorovSmirnovAsymptotic(0.04, 2000, 2000);
        Assert.InRange(after / before, 0.95, 1.05);
    }

    [Fact]
    public void Exact_and_asymptotic_p_values_agree_for_large_samples_and_none_is_counted_out_for_huge_ones()
    {
        Assert.InRange(SampleDistances.KolmogorovSmirnovExact(0.1, 500, 500)!.Value / SampleDistances.KolmogorovSmirnovAsymptotic(0.1, 500, 500), 0.9, 1.1);
        Assert.Null(SampleDistances.KolmogorovSmirnovExact(0.1, 5_000, 5_000));
    }

    [Fact]
    public void Samples_that_are_the_same_have_no_distance()
    {
        Assert.Equal(0, BinDistances.Psi(Reference, Reference, out _));
        Assert.Equal(0, BinDistances.JensenShannonDistance(Reference, Reference, 2));
        Assert.Equal(0, BinDistances.Hellinger(Reference, Reference), 7);
        Assert.Equal(1, BinDistances.ChiSquareBetween(Reference, Reference));
        Assert.Equal(0, SampleDistances.KolmogorovSmirnov(A, A));
        Assert.Equal(0, SampleDistances.Wasserstein(A, A));
        Assert.Equal(1, SampleDistances.KolmogorovSmirnovExact(0, 8, 8)!.Value);
    }

    [Fact]
    public void An_empty_bin_counts_a_half_and_says_so_and_one_that_both_lack_plays_no_part()
    {
        var psi = BinDistances.Psi([10, 0, 10, 0], [10, 10, 0, 0], out var supplemented);
        Assert.Equal(2, supplemented);
        Assert.Equal(2 * (9.5 / 20.5) * Math.Log(20), psi, 10);
        Assert.Equal(psi, BinDistances.Psi([10, 0, 10], [10, 10, 0], out _));
    }

    [Fact]
    public void Different_bins_and_empty_samples_are_no_distance()
    {
        Assert.Throws<ArgumentException>(() => BinDistances.Psi([1, 2], [1, 2, 3], out _));
        Assert.Throws<ArgumentException>(() => BinDistances.Psi([0, 0], [1, 2], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => BinDistances.Hellinger([-1, 2], [1, 2]));
        Assert.Throws<ArgumentException>(() => SampleDistances.Wasserstein([], [1]));
        Assert.Throws<ArgumentException>(() => SampleDistances.KolmogorovSmirnov([double.NaN], [1]));
    }

    [Fact]
    public void Discoveries_are_those_of_Benjamini_and_Yekutieli()
    {
        // The 15 p-values of Benjamini and Hochberg's example (1995): at 0.05 the dependent procedure finds the first three.
        double[] p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1];
        Assert.Equal([0, 1, 2], Enumerable.Range(0, p.Length).Where(i => FalseDiscovery.BenjaminiYekutieli(p, 0.05)[i]));
        Assert.Empty(FalseDiscovery.BenjaminiYekutieli([], 0.05));
        Assert.Equal([false], FalseDiscovery.BenjaminiYekutieli([0.06], 0.05));
    }
}
