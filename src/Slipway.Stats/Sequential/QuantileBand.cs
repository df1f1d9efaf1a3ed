namespace Slipway.Stats.Sequential;

/// <summary>A band around a whole distribution that holds at all times together, n ≥ <see cref="FirstSize"/>, with probability 1 − α.</summary>
/// <remarks>
/// |F̂ₙ − F| ≤ 0.85 √((ln(1 + ln(n/m)) + C)/n). Source: Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
/// best-arm identification", Bernoulli 2022, theorem 2 with A = 0.85; their C at α = 5 % is 8.123.
/// </remarks>
public static class QuantileBand
{
    /// <summary>m: below so many values there is no band; it is narrowest, beside a band for one n alone, from here on.</summary>
    public const int FirstSize = 100;

    private const double A = 0.85;

    /// <summary>The largest difference between the observed and the true distribution function; null below <see cref="FirstSize"/>.</summary>
    /// <param name="count">n, not negative.</param>
    /// <param name="constant">See <see cref="Constant"/>.</param>
    public static double? Radius(long count, double constant)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return count < FirstSize ? null : A * Math.Sqrt((Math.Log(1 + Math.Log((double)count / FirstSize)) + constant) / count);
    }

    /// <summary>C for a level, to 1e-9: the smallest that the theorem allows.</summary>
    /// <param name="alpha">1e-12 to 0.5.</param>
    public static double Constant(double alpha)
    {
        if (alpha is not (>= 1e-12 and <= 0.5))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "allowed 1e-12 to 0.5");
        var (low, high) = (4.0, 40.0);
        while (high - low > 1e-9)
        {
            var middle = (low + high) / 2;
            (low, high) = Level(middle) > alpha ? (middle, high) : (low, middle);
        }

        return high;
    }

    /// <summary>α(A, C) of the theorem: the least over η of 4 e^(−γ²C) (1 + 1/((γ²−1) ln η)), γ² = (2/η)(A − √(2(η−1)/C))².</summary>
    private static double Level(double constant)
    {
        // The bound has one valley in η, so it is narrowed from both sides.
        var (low, high) = (1 + 1e-9, Math.Min(2 * A * A, 1 + A * A * constant / 2));
        for (var i = 0; i < 100; i++)
        {
            var (left, right) = (low + (high - low) * 0.382, low + (high - low) * 0.618);
            (low, high) = At(left) <= At(right) ? (low, right) : (left, high);
        }

        return At(low);

        double At(double eta)
        {
            var reach = A - Math.Sqrt(2 * (eta - 1) / constant);
            var gamma = 2 / eta * reach * reach;
            return reach <= 0 || gamma <= 1 ? double.PositiveInfinity : 4 * Math.Exp(-gamma * constant) * (1 + 1 / ((gamma - 1) * Math.Log(eta)));
        }
    }
}
