using MathNet.Numerics;

namespace Slipway.Stats.Distances;

/// <summary>How far apart two samples are whose values were counted in the same bins: p are the first one's shares, q the second one's.</summary>
/// <remarks>Bins that are empty in both play no part. None of these numbers says how sure it is: see <see cref="PsiEstimate"/>.</remarks>
public static class BinDistances
{
    /// <summary>What a bin counts that is empty in one of the two alone, where a logarithm of its share is due.</summary>
    public const double PseudoCount = 0.5;

    /// <summary>Population stability index: Σ (p − q) ln(p/q). An empty bin counts <see cref="PseudoCount"/>.</summary>
    /// <param name="supplemented">How many bins were given the pseudo-count, in both samples together.</param>
    public static double Psi(ReadOnlySpan<long> first, ReadOnlySpan<long> second, out int supplemented)
    {
        var (a, b) = Supplement(first, second, out supplemented);
        var (p, q) = (Shares(a), Shares(b));
        var sum = 0.0;
        for (var i = 0; i < p.Length; i++)
            sum += (p[i] - q[i]) * Math.Log(p[i] / q[i]);
        return sum;
    }

    /// <summary>Jensen–Shannon divergence: the mean of the two divergences from the mean of the two distributions.</summary>
    /// <param name="logBase">Such as <see cref="Math.E"/> for nats, 2 for bits; in bits it is 0 to 1.</param>
    public static double JensenShannonDivergence(ReadOnlySpan<long> first, ReadOnlySpan<long> second, double logBase)
    {
        var (p, q) = (Shares(first), Shares(second));
        var sum = 0.0;
        for (var i = 0; i < p.Length; i++)
        {
            var mean = (p[i] + q[i]) / 2;
            sum += (Term(p[i], mean) + Term(q[i], mean)) / 2;
        }

        return Math.Max(0, sum / Math.Log(logBase));

        static double Term(double share, double mean) => share == 0 ? 0 : share * Math.Log(share / mean);
    }

    /// <summary>Square root of <see cref="JensenShannonDivergence"/>: a metric.</summary>
    public static double JensenShannonDistance(ReadOnlySpan<long> first, ReadOnlySpan<long> second, double logBase) => Math.Sqrt(JensenShannonDivergence(first, second, logBase));

    /// <summary>max |p − q|.</summary>
    public static double LInfinity(ReadOnlySpan<long> first, ReadOnlySpan<long> second)
    {
        var (p, q) = (Shares(first), Shares(second));
        var largest = 0.0;
        for (var i = 0; i < p.Length; i++)
            largest = Math.Max(largest, Math.Abs(p[i] - q[i]));
        return largest;
    }

    /// <summary>√(1 − Σ √(p q)): 0 to 1.</summary>
    public static double Hellinger(ReadOnlySpan<long> first, ReadOnlySpan<long> second)
    {
        var (p, q) = (Shares(first), Shares(second));
        var overlap = 0.0;
        for (var i = 0; i < p.Length; i++)
            overlap += Math.Sqrt(p[i] * q[i]);
        return Math.Sqrt(Math.Max(0, 1 - overlap));
    }

    /// <summary>Pearson's χ² p-value that a sample comes from a distribution that is known exactly.</summary>
    /// <param name="reference">Taken as exact; a bin that it does not have proves the opposite (0) when the sample has it.</param>
    public static double ChiSquareAgainst(ReadOnlySpan<long> reference, ReadOnlySpan<long> sample)
    {
        var (q, total) = (Shares(reference), Total(sample));
        var (statistic, bins) = (0.0, 0);
        for (var i = 0; i < q.Length; i++)
        {
            if (q[i] == 0 && sample[i] > 0)
                return 0;
            if (q[i] == 0)
                continue;
            var expected = q[i] * total;
            statistic += (sample[i] - expected) * (sample[i] - expected) / expected;
            bins++;
        }

        return ChiSquareAbove(statistic, bins - 1);
    }

    /// <summary>Pearson's χ² p-value that two samples come from one distribution.</summary>
    public static double ChiSquareBetween(ReadOnlySpan<long> first, ReadOnlySpan<long> second)
    {
        double a = Total(first), b = Total(second);
        var (statistic, bins) = (0.0, 0);
        for (var i = 0; i < first.Length; i++)
        {
            double both = first[i] + second[i];
            if (both == 0)
                continue;
            var (expectedA, expectedB) = (both * a / (a + b), both * b / (a + b));
            statistic += ((first[i] - expectedA) * (first[i] - expectedA) / expectedA) + ((second[i] - expectedB) * (second[i] - expectedB) / expectedB);
            bins++;
        }

        return ChiSquareAbove(statistic, bins - 1);
    }

    /// <summary>The bins that at least one has, as counts of which none is 0.</summary>
    internal static (double[] First, double[] Second) Supplement(ReadOnlySpan<long> first, ReadOnlySpan<long> second, out int supplemented)
    {
        CheckLengths(first, second);
        var (a, b) = (new List<double>(first.Length), new List<double>(first.Length));
        supplemented = 0;
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i] == 0 && second[i] == 0)
                continue;
            supplemented += first[i] == 0 || second[i] == 0 ? 1 : 0;
            a.Add(first[i] == 0 ? PseudoCount : first[i]);
            b.Add(second[i] == 0 ? PseudoCount : second[i]);
        }

        return ([.. a], [.. b]);
    }

    internal static double[] Shares(double[] counts)
    {
        var total = counts.Sum();
        return Array.ConvertAll(counts, count => count / total);
    }

    private static double[] Shares(ReadOnlySpan<long> counts)
    {
        var (total, shares) = (Total(counts), new double[counts.Length]);
        for (var i = 0; i < shares.Length; i++)
            shares[i] = counts[i] / total;
        return shares;
    }

    private static double Total(ReadOnlySpan<long> counts)
    {
        var total = 0L;
        foreach (var count in counts)
            total += count >= 0 ? count : throw new ArgumentOutOfRangeException(nameof(counts), count, "a bin counts less than nothing");
        return total > 0 ? total : throw new ArgumentException("a sample without values has no distance from anything", nameof(counts));
    }

    private static void CheckLengths(ReadOnlySpan<long> first, ReadOnlySpan<long> second)
    {
        if (first.Length != second.Length)
            throw new ArgumentException($"{first.Length} and {second.Length} bins cannot be compared", nameof(second));
        Total(first);
        Total(second);
    }

    private static double ChiSquareAbove(double statistic, int degrees) => degrees < 1 ? 1 : SpecialFunctions.GammaUpperRegularized(degrees / 2.0, statistic / 2);
}
