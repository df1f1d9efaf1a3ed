namespace Slipway.Stats.Distances;

/// <summary>The bins that at least one of two samples has, as counts of which none is 0, so that each share has a logarithm.</summary>
internal static class FilledBins
{
    /// <summary>What a bin counts that is empty in one of the two alone.</summary>
    private const double PseudoCount = 0.5;

    /// <param name="second">In the same bins as <paramref name="first"/>.</param>
    /// <param name="supplemented">How many bins were given the pseudo-count, in both samples together.</param>
    public static (double[] First, double[] Second) Of(ReadOnlySpan<long> first, ReadOnlySpan<long> second, out int supplemented)
    {
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

    public static double[] Shares(double[] counts)
    {
        var total = counts.Sum();
        return Array.ConvertAll(counts, count => count / total);
    }
}
