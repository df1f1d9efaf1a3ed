using Slipway.Stats.Distances;
using Slipway.Stats.Intervals;

namespace Slipway.Tests.Stats.Distances;

public sealed class PsiEstimateTests
{
    private const int Runs = 1_000;

    /// <summary>How much a part may differ from the others.</summary>
    private const double Bend = 1.5;

    /// <summary>Of the runs, 5 % and 2 standard errors more.</summary>
    private const double MostAlarms = 0.05 + (2 * 0.0069);

    /// <summary>Runs of the comparisons with known shares, some of which are small.</summary>
    private const int ManyRuns = 4_000;

    /// <summary>The hardest null there is: the true distance is exactly the limit. The expected shares are of 20,000 runs each; 5 % of alarms would be right.</summary>
    [Theory]
    [InlineData(2, 1.0, false, 200, 0.025, 0.934)]
    [InlineData(6, 0.7, true, 500, 0.027, 0.944)]
    [InlineData(11, 0.7, false, 2_000, 0.029, 0.955)]
    [InlineData(11, 0.7, true, 500, 0.013, 0.954)]
    [InlineData(21, 1.0, true, 500, 0.021, 0.964)]
    [InlineData(21, 0.8, false, 1_000, 0.012, 0.968)]
    public void A_distance_at_the_limit_raises_few_alarms_and_lies_in_its_interval(int bins, double skew, bool spike, int values, double expectedAlarms, double expectedCovered)
    {
        var reference = Shares(bins, skew);
        var (alarms, covered) = Simulate(reference, Tilted(reference, 0.2, spike), values, 0.2);
        Assert.InRange(alarms, expectedAlarms - Chance(expectedAlarms), Math.Min(0.05, expectedAlarms + Chance(expectedAlarms)));
        Assert.InRange(covered, expectedCovered - Chance(expectedCovered), expectedCovered + Chance(expectedCovered));
    }

    /// <summary>Intervals of no distance at all begin at 0, and are too wide rather than too narrow: 99.9 to 100 % of 20,000 runs.</summary>
    [Theory]
    [InlineData(2, 200)]
    [InlineData(11, 2_000)]
    [InlineData(21, 500)]
    public void No_distance_lies_in_its_interval(int bins, int values) => Assert.InRange(Simulate(Shares(bins, 0.8), Shares(bins, 0.8), values, 0).Covered, 0.995, 1);

    /// <summary>Two samples of 1,000 in ten bins have a PSI whose standard deviation is 0.0085 in 20,000 runs; the error was 0.0131 on average.</summary>
    [Fact]
    public void Where_the_two_agree_the_error_is_too_large_rather_than_too_small()
    {
        var (shares, random) = (Shares(10, 1), new Philox(9, 1));
        var (sum, squares, error) = (0.0, 0.0, 0.0);
        for (var run = 0; run < Runs; run++)
        {
            var (reference, current) = (Draw(ref random, shares, 1_000), Draw(ref random, shares, 1_000));
            var psi = Psi(current, reference);
            (sum, squares, error) = (sum + psi, squares + (psi * psi), error + PsiEstimate.Of(reference, [current])!.Error);
        }

        Assert.InRange(Math.Sqrt((squares / Runs) - (sum / Runs * (sum / Runs))), 0.0077, 0.0095);
        Assert.InRange(error / Runs, 0.0125, 0.0137);
    }

    [Fact]
    public void Twice_the_limit_is_found_and_half_of_it_is_not()
    {
        var reference = Shares(11, 0.8);
        Assert.InRange(Simulate(reference, Tilted(reference, 0.4, false), 2_000, 0.4).Alarms, 0.9, 1);
        Assert.Equal(0, Simulate(reference, Tilted(reference, 0.1, false), 2_000, 0.1).Alarms);
    }

    [Fact]
    public void What_the_size_of_samples_adds_is_taken_off()
    {
        var shares = Shares(11, 1);
        var random = new Philox(3, 1);
        var (plain, debiased) = (0.0, 0.0);
        for (var run = 0; run < Runs; run++)
        {
            var (reference, current) = (Draw(ref random, shares, 1_000), Draw(ref random, shares, 200));
            plain += Psi(current, reference) / Runs;
            debiased += PsiEstimate.Of(reference, [current])!.Value / Runs;
        }

        Assert.InRange(plain, 0.05, 0.08);      // 10 (1/200 + 1/1000) = 0.06
        Assert.InRange(debiased, 0, 0.02);
    }

    /// <summary>Each part has a distribution of its own, as hours of a day have: values that come together are alike, and fewer than they seem.</summary>
    [Fact]
    public void Parts_that_differ_are_as_many_values_as_they_are_parts()
    {
        var reference = Shares(6, 1);
        var shifted = Tilted(reference, 0.2, false);
        var mean = new double[6];
        for (var i = 0; i <= 1_000; i++)
            mean = [.. mean.Zip(Bent(shifted, ((i / 500.0) - 1) * Bend), (sum, share) => sum + (share / 1_001))];
        var truth = mean.Zip(reference, (p, q) => (p - q) * Math.Log(p / q)).Sum();
        var random = new Philox(5, 1);
        var (byParts, byValues) = (0, 0);
        for (var run = 0; run < Runs; run++)
        {
            var parts = Enumerable.Range(0, 20).Select(_ => Wandering(ref random, shifted)).ToArray();
            var sealedIn = Draw(ref random, reference, 5_000);
            byParts += PsiEstimate.Of(sealedIn, parts)!.AtMost(truth) <= 0.05 ? 1 : 0;
            byValues += PsiEstimate.Of(sealedIn, [[.. Enumerable.Range(0, 6).Select(bin => parts.Sum(part => part[bin]))]])!.AtMost(truth) <= 0.05 ? 1 : 0;
        }

        Assert.InRange(byParts / (double)Runs, 0, MostAlarms);
        Assert.InRange(byValues / (double)Runs, 0.1, 1);
    }

    /// <summary>Of samples so large that they are as good as exact; the published value of these shares.</summary>
    [Fact]
    public void The_distance_is_the_population_stability_index()
    {
        const long many = 1_000_000_000;
        var estimate = PsiEstimate.Of([16 * many, 18 * many, 16 * many, 14 * many, 12 * many, 12 * many], [[16 * many, 16 * many, 16 * many, 16 * many, 16 * many, 8 * many]])!;
        Assert.Equal(0.0372184, estimate.Value, 7);
        Assert.Equal((0, 88 * many), (estimate.Supplemented, estimate.Count));
        Assert.Equal(0, PsiEstimate.Of([5, 6, 7], [[5, 6, 7]])!.Value);
    }

    [Fact]
    public void An_empty_bin_counts_a_half_and_says_so_and_one_that_both_lack_plays_no_part()
    {
        var estimate = PsiEstimate.Of([1_000_000, 1_000_000, 0, 0], [[1_000_000, 0, 1_000_000, 0]])!;
        Assert.Equal(2, estimate.Supplemented);
        Assert.InRange(estimate.Value, 0, 2 * 0.5 * Math.Log(2_000_000));      // a bin that one of the two lacks is nearly as far as can be told
        Assert.Equal(estimate.Value, PsiEstimate.Of([1_000_000, 1_000_000, 0], [[1_000_000, 0, 1_000_000]])!.Value);
        Assert.Throws<ArgumentException>(() => PsiEstimate.Of([1, 2, 3], [[1, 2]]));
    }

    [Fact]
    public void Fewer_than_ten_parts_are_taken_as_one_and_empty_ones_are_none()
    {
        long[] reference = [100, 100];
        Assert.Equal(0, PsiEstimate.Of(reference, [.. Enumerable.Repeat(new long[] { 5, 5 }, 9)])!.Parts);
        Assert.Equal(10, PsiEstimate.Of(reference, [.. Enumerable.Repeat(new long[] { 5, 5 }, 10), [0, 0]])!.Parts);
        Assert.Null(PsiEstimate.Of(reference, [[0, 0]]));
        Assert.Null(PsiEstimate.Of([0, 0], [[1, 1]]));
    }

    /// <summary>By its definition.</summary>
    private static double Psi(long[] current, long[] reference)
    {
        double n = current.Sum(), m = reference.Sum();
        return current.Zip(reference).Sum(bin => ((bin.First / n) - (bin.Second / m)) * Math.Log(bin.First / n / (bin.Second / m)));
    }

    /// <summary>Three standard errors of a share in <see cref="ManyRuns"/> runs.</summary>
    private static double Chance(double share) => 3 * Math.Sqrt(share * (1 - share) / ManyRuns);

    private static (double Alarms, double Covered) Simulate(double[] reference, double[] current, int values, double truth)
    {
        var (alarms, covered) = (0, 0);
        var random = new Philox(7, (ulong)values);
        for (var run = 0; run < ManyRuns; run++)
        {
            var estimate = PsiEstimate.Of(Draw(ref random, reference, 1_000), [Draw(ref random, current, values)])!;
            alarms += estimate.AtMost(0.2) <= 0.05 ? 1 : 0;
            var (low, high) = estimate.Interval(0.95);
            covered += low <= truth && high >= truth ? 1 : 0;
        }

        return (alarms / (double)ManyRuns, covered / (double)ManyRuns);
    }

    /// <summary>100 values of a distribution that is bent at random.</summary>
    private static long[] Wandering(ref Philox random, double[] shares) => Draw(ref random, Bent(shares, ((random.Next() / 4294967296.0 * 2) - 1) * Bend), 100);

    private static double[] Bent(double[] shares, double bend)
    {
        var bent = shares.Select((share, i) => share * Math.Exp(bend * ((2.0 * i / (shares.Length - 1)) - 1))).ToArray();
        return [.. bent.Select(share => share / bent.Sum())];
    }

    private static double[] Shares(int bins, double skew)
    {
        var shares = Enumerable.Range(0, bins).Select(i => Math.Pow(skew, i)).ToArray();
        return [.. shares.Select(share => share / shares.Sum())];
    }

    /// <summary>Bent away from a distribution until the distance is the limit.</summary>
    private static double[] Tilted(double[] q, double limit, bool spike)
    {
        double[] At(double t)
        {
            var p = q.Select((x, i) => x * Math.Exp(t * (spike ? (i == q.Length - 1 ? 1 : 0) : 2.0 * i / (q.Length - 1) - 1))).ToArray();
            var sum = p.Sum();
            return [.. p.Select(x => x / sum)];
        }

        var (low, high) = (0.0, 20.0);
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            var p = At(middle);
            var psi = p.Zip(q, (a, b) => (a - b) * Math.Log(a / b)).Sum();
            (low, high) = psi < limit ? (middle, high) : (low, middle);
        }

        return At(low);
    }

    private static long[] Draw(ref Philox random, double[] p, int n)
    {
        var counts = new long[p.Length];
        var cumulative = new double[p.Length];
        var sum = 0.0;
        for (var i = 0; i < p.Length; i++)
            cumulative[i] = sum += p[i];
        for (var i = 0; i < n; i++)
        {
            var u = random.Next() / 4294967296.0;
            var bin = 0;
            while (bin < p.Length - 1 && u >= cumulative[bin])
                bin++;
            counts[bin]++;
        }

        return counts;
    }
}
