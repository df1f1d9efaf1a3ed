using MathNet.Numerics;

namespace Slipway.Stats.Sequential;

/// <summary>Evidence about a rate p against a bound p*, from counts alone, that may be looked at after every request.</summary>
/// <remarks>
/// Each is the mean over 40 rates p_j on one side of p* of (p_j/p*)^x ((1−p_j)/(1−p*))^(n−x): a nonnegative supermartingale while each
/// request, given all before it, is bad with a probability on the other side. With k the ratio of the odds of p_j and p* a bad request's factor is
/// k/(1−p*+p*k) and a good one's 1/(1−p*+p*k), so it is a <see cref="ThinningProcess"/> at share p*.
/// </remarks>
public static class RateGuard
{
    /// <summary>ln E against p ≤ p*, over odds 1.1 to 100 times the bound's: large when the rate is above the bound.</summary>
    /// <param name="bound">p*, 0 to 1. At 0 a single bad request proves it (+∞); at 1 nothing does.</param>
    /// <param name="bad">x, 0 to <paramref name="requests"/>.</param>
    public static double LogEAbove(double bound, long bad, long requests)
    {
        Check(bound, bad, requests);
        return bound == 0 && bad > 0 ? double.PositiveInfinity : LogE(ThinningProcess.Harm(1), bound, bad, requests);
    }

    /// <summary>ln E against p ≥ p*, over odds 0.01 to 0.95 times the bound's: large when the rate is below the bound.</summary>
    /// <param name="bound">p*, 0 to 1. At 0 nothing proves it; at 1 a single good request does (+∞).</param>
    /// <param name="bad">x, 0 to <paramref name="requests"/>.</param>
    public static double LogEBelow(double bound, long bad, long requests)
    {
        Check(bound, bad, requests);
        return bound == 1 && bad < requests ? double.PositiveInfinity : LogE(ThinningProcess.Lower(), bound, bad, requests);
    }

    /// <summary>Every rate that the counts do not refute, at all times together with probability 1 − α: [0, 1] before the first request.</summary>
    /// <param name="alpha">In (0, 1).</param>
    /// <remarks>The rates at which the mixture of all likelihoods by Beta(½, ½), over the rate's own, is below 1/α. Source: Robbins, "Statistical methods related to the law of the iterated logarithm", 1970.</remarks>
    public static (double Low, double High) Interval(long bad, long requests, double alpha)
    {
        Check(0.5, bad, requests);
        if (alpha is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, null);
        if (requests == 0)
            return (0, 1);
        var good = requests - bad;
        var mixture = SpecialFunctions.BetaLn(bad + 0.5, good + 0.5) - SpecialFunctions.BetaLn(0.5, 0.5);
        var middle = (double)bad / requests;
        return (bad == 0 ? 0 : Edge(0, middle), good == 0 ? 1 : Edge(1, middle));

        // The refutation falls from the outer end to the estimate, so there is one edge between them.
        double Edge(double refuted, double kept)
        {
            for (var i = 0; i < 100 && (refuted + kept) / 2 is var rate && rate != refuted && rate != kept; i++)
                (refuted, kept) = mixture - bad * Math.Log(rate) - good * Math.Log(1 - rate) >= -Math.Log(alpha) ? (rate, kept) : (refuted, rate);
            return refuted;
        }
    }

    private static double LogE(ThinningProcess process, double bound, long bad, long requests)
    {
        process.Add(bound, bad, requests - bad);
        return process.LogE;
    }

    private static void Check(double bound, long bad, long requests)
    {
        if (bound is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(bound), bound, null);
        if (bad < 0 || bad > requests)
            throw new ArgumentOutOfRangeException(nameof(bad), bad, $"allowed 0 to {requests}");
    }
}
