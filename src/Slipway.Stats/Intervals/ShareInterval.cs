using MathNet.Numerics.Distributions;

namespace Slipway.Stats.Intervals;

/// <summary>Intervals of a share of independent things.</summary>
public static class ShareInterval
{
    /// <summary>Standard normal quantile of 97.5 %: of two-sided intervals of 95 %.</summary>
    public const double Z95 = 1.959963984540054;

    /// <summary>Standard normal quantile of two-sided intervals.</summary>
    /// <param name="confidence">Above 0 and below 1.</param>
    public static double ZOf(double confidence) => Normal.InvCDF(0, 1, 0.5 + (confidence / 2));

    /// <summary>Wilson's score interval: it has about its level for shares near 0 and 1 too, and never leaves [0, 1].</summary>
    /// <param name="count">0 to <paramref name="of"/>.</param>
    /// <param name="of">At least 1.</param>
    /// <param name="z">Standard normal quantile, such as <see cref="Z95"/>.</param>
    /// <remarks>Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).</remarks>
    public static (double Low, double High) Wilson(double count, double of, double z)
    {
        var share = count / of;
        var centre = share + (z * z / (2 * of));
        var half = z * Math.Sqrt((share * (1 - share) / of) + (z * z / (4 * of * of)));
        var scale = 1 + (z * z / of);
        return (count <= 0 ? 0 : Math.Max(0, (centre - half) / scale), count >= of ? 1 : Math.Min(1, (centre + half) / scale));
    }
}
