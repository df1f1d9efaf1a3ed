namespace Slipway.Stats.Distances;

/// <summary>Which of many tests may be called found, so that of those so called no more than a share is wrong on average.</summary>
public static class FalseDiscovery
{
    /// <summary>Benjamini and Yekutieli: whatever way the tests depend on each other.</summary>
    /// <param name="pValues">Of every test that was made, in any order.</param>
    /// <param name="rate">The largest share of false discoveries, such as 0.05.</param>
    /// <returns>By test, whether it is a discovery.</returns>
    /// <remarks>Source: Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under dependency", Annals of Statistics 29 (2001).</remarks>
    public static bool[] BenjaminiYekutieli(ReadOnlySpan<double> pValues, double rate)
    {
        var sorted = pValues.ToArray();
        Array.Sort(sorted);
        var harmonic = 0.0;
        for (var i = 1; i <= sorted.Length; i++)
            harmonic += 1.0 / i;
        var cut = -1.0;
        for (var i = 0; i < sorted.Length; i++)
        {
            if (sorted[i] <= (i + 1) * rate / (sorted.Length * harmonic))
                cut = sorted[i];
        }

        var found = new bool[pValues.Length];
        for (var i = 0; i < found.Length; i++)
            found[i] = pValues[i] <= cut;
        return found;
    }
}
