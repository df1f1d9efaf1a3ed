using MathNet.Numerics.Distributions;

namespace Slipway.Stats.Intervals;

/// <summary>A confidence interval from bootstrap replicates, or the reason why they give none.</summary>
/// <param name="Low">Null together with <paramref name="High"/>.</param>
/// <param name="Lacks">Why there is no interval; null where there is one.</param>
public sealed record BootstrapInterval(double? Low, double? High, string? Lacks)
{
    public static BootstrapInterval None(string lacks) => new(null, null, lacks);

    /// <summary>The quantiles of the replicates themselves.</summary>
    /// <param name="replicates">At least one, all finite; in any order.</param>
    /// <param name="confidence">In (0, 1), such as 0.95.</param>
    public static BootstrapInterval Percentile(ReadOnlySpan<double> replicates, double confidence)
    {
        var sorted = Sorted(replicates);
        return new BootstrapInterval(Quantile(sorted, (1 - confidence) / 2), Quantile(sorted, (1 + confidence) / 2), null);
    }

    /// <summary>Bias-corrected and accelerated: the quantiles moved for the replicates' bias and skewness.</summary>
    /// <param name="leaveOneOut">The estimate without each unit: what the acceleration is computed from.</param>
    /// <remarks>
    /// Source: Efron and Tibshirani, "An introduction to the bootstrap", 14.3. The bias is counted in mid-ranks, so that replicates that all
    /// equal the estimate have none. With every replicate on one side of the estimate the correction is infinite: no interval.
    /// </remarks>
    public static BootstrapInterval Bca(double estimate, ReadOnlySpan<double> replicates, ReadOnlySpan<double> leaveOneOut, double confidence)
    {
        var (below, equal) = (0L, 0L);
        foreach (var replicate in replicates)
        {
            below += replicate < estimate ? 1 : 0;
            equal += replicate == estimate ? 1 : 0;
        }

        var share = (below + 0.5 * equal) / replicates.Length;
        if (share is <= 0 or >= 1)
            return None($"all {replicates.Length} resamples lie {(share <= 0 ? "above" : "below")} the estimate, so their bias cannot be corrected");

        var bias = Normal.InvCDF(0, 1, share);
        var acceleration = Acceleration(leaveOneOut);
        var (low, high) = (Level(bias, acceleration, (1 - confidence) / 2), Level(bias, acceleration, (1 + confidence) / 2));
        if (low is not { } lower || high is not { } upper)
            return None("the estimate leans too much on single units for its skewness to be corrected");
        var sorted = Sorted(replicates);
        return new BootstrapInterval(Quantile(sorted, lower), Quantile(sorted, upper), null);
    }

    /// <summary>a = Σd³ / (6 (Σd²)^1.5), d the mean of the leave-one-out estimates minus each; 0 where they are all equal.</summary>
    internal static double Acceleration(ReadOnlySpan<double> leaveOneOut)
    {
        var mean = 0.0;
        foreach (var value in leaveOneOut)
            mean += value / leaveOneOut.Length;
        var (squares, cubes) = (0.0, 0.0);
        foreach (var value in leaveOneOut)
        {
            var d = mean - value;
            (squares, cubes) = (squares + d * d, cubes + d * d * d);
        }

        // Rounding alone can leave a spread of 1e-16 among equal values, whose skewness would be noise.
        return Math.Sqrt(squares) <= 1e-14 * Math.Abs(mean) || squares == 0 ? 0 : cubes / (6 * Math.Pow(squares, 1.5));
    }

    /// <summary>Linear between order statistics: R's type 7, numpy's default.</summary>
    internal static double Quantile(ReadOnlySpan<double> sorted, double level)
    {
        var at = level * (sorted.Length - 1);
        var index = Math.Clamp((int)Math.Floor(at), 0, sorted.Length - 1);
        var next = Math.Min(index + 1, sorted.Length - 1);
        return sorted[index] + (at - index) * (sorted[next] - sorted[index]);
    }

    // The map from level to moved level turns back where a(z0 + z) reaches 1: beyond it, quantiles would be nonsense.
    private static double? Level(double bias, double acceleration, double level)
    {
        var moved = bias + Normal.InvCDF(0, 1, level);
        var stretch = 1 - acceleration * moved;
        return stretch <= 0 ? null : Normal.CDF(0, 1, bias + moved / stretch);
    }

    private static double[] Sorted(ReadOnlySpan<double> replicates)
    {
        var sorted = replicates.ToArray();
        Array.Sort(sorted);
        return sorted;
    }
}
