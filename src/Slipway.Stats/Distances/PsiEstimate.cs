using MathNet.Numerics.Distributions;

namespace Slipway.Stats.Distances;

/// <summary>The population stability index of two samples, freed of what the samples' size alone adds to it, with its standard error.</summary>
/// <param name="Value">Not below 0.</param>
/// <param name="Error">Standard error; both samples' noise is in it.</param>
/// <param name="Count">Values of the current sample.</param>
/// <param name="Parts">Parts of the current sample that were taken as independent of each other; 0 where its values were.</param>
/// <param name="Supplemented">Bins that were empty in one of the two and count ½.</param>
/// <remarks>
/// <para>
/// Two samples of one distribution have a PSI of about (bins − 1)(1/n + 1/m), not 0: the second-order term of its Taylor series, ½ Σ h_b Var(p_b) with
/// h = 1/p + q/p², is taken off. The error has the first-order term, Var(Σ g_b p_b) with g = ln(p/q) + 1 − q/p, and of the second ½ Σ (h_b Var(p_b))²;
/// likewise of q.
/// </para>
/// <para>
/// The second-order term of both together, Σ (1/p_b + 1/q_b)² Var(p_b) Var(q_b), is left out. It weighs only where the two are close, and there the first-order term is already
/// too large, since it is of the samples' own g, which chance keeps from being 0: of two samples of 1,000 in ten equal bins the PSI's standard deviation is
/// 0.0085; the second term alone makes 0.0057, with the one that is left out 0.0081, and the error here is 0.013. So intervals of what has hardly moved
/// are too wide.
/// </para>
/// <para>
/// Values that come together are alike: with at least <see cref="LeastParts"/> parts (windows of time) both variances are the parts' own, cluster-robust,
/// and never less than those of independent values. Parts that depend on each other still make it too sure.
/// </para>
/// </remarks>
public sealed record PsiEstimate(double Value, double Error, long Count, int Parts, int Supplemented)
{
    /// <summary>Parts from which on their spread says how much they vary.</summary>
    public const int LeastParts = 10;

    /// <summary>Values below which the approximations that the error rests on do not hold.</summary>
    public const int LeastCount = 100;

    /// <param name="reference">Counts by bin.</param>
    /// <param name="parts">Counts by bin of each part of the current sample, in the same bins.</param>
    /// <returns>Null where either has no value.</returns>
    public static PsiEstimate? Of(ReadOnlySpan<long> reference, IReadOnlyList<long[]> parts)
    {
        var current = new long[reference.Length];
        foreach (var part in parts)
        {
            if (part.Length != current.Length)
                throw new ArgumentException($"{part.Length} and {current.Length} bins cannot be compared", nameof(parts));
            for (var i = 0; i < current.Length; i++)
                current[i] += part[i];
        }

        if (current.Sum() is not (> 0 and var count) || Sum(reference) == 0)
            return null;
        var (a, b) = FilledBins.Of(current, reference, out var supplemented);
        var (n, m) = (a.Sum(), b.Sum());
        var (p, q) = (FilledBins.Shares(a), FilledBins.Shares(b));
        var filled = parts.Where(part => part.Any(bin => bin > 0)).ToArray();
        var isClustered = filled.Length >= LeastParts;
        var (plain, bias, first, second) = (0.0, 0.0, Slope(q, p, m), 0.0);
        var slopes = new double[p.Length];
        for (var i = 0; i < p.Length; i++)
        {
            plain += (p[i] - q[i]) * Math.Log(p[i] / q[i]);
            slopes[i] = Math.Log(p[i] / q[i]) + 1 - (q[i] / p[i]);
        }

        var (spread, linear) = isClustered ? Clustered(reference, current, filled, p, n, slopes) : (new double[p.Length], 0);
        first += Math.Max(linear, Slope(p, q, n));
        for (var i = 0; i < p.Length; i++)
        {
            var ofCurrent = ((1 / p[i]) + (q[i] / (p[i] * p[i]))) * Math.Max(spread[i], p[i] * (1 - p[i]) / n);
            var ofReference = ((1 / q[i]) + (p[i] / (q[i] * q[i]))) * (q[i] * (1 - q[i]) / m);
            bias += (ofCurrent + ofReference) / 2;
            second += ((ofCurrent * ofCurrent) + (ofReference * ofReference)) / 2;
        }

        return new(Math.Max(0, plain - bias), Math.Sqrt(first + second), count, isClustered ? filled.Length : 0, supplemented);
    }

    /// <summary>Ends of the interval that holds the true distance with a probability.</summary>
    /// <param name="confidence">Such as 0.95.</param>
    public (double Low, double High) Interval(double confidence)
    {
        var reach = Quantile((1 + confidence) / 2) * Error;
        return (Math.Max(0, Value - reach), Value + reach);
    }

    /// <summary>p-value of "the true distance is at most <paramref name="limit"/>".</summary>
    public double AtMost(double limit) => Error == 0 ? (Value > limit ? 0 : 1) : 1 - Cumulative((Value - limit) / Error);

    // With few parts their variance is itself uncertain.
    private double Quantile(double level) => Parts > 0 ? StudentT.InvCDF(0, 1, Parts - 1, level) : Normal.InvCDF(0, 1, level);

    private double Cumulative(double x) => Parts > 0 ? StudentT.CDF(0, 1, Parts - 1, x) : Normal.CDF(0, 1, x);

    /// <summary>Var(Σ g p) of n independent values.</summary>
    private static double Slope(double[] p, double[] q, double n)
    {
        var (mean, squares) = (0.0, 0.0);
        for (var i = 0; i < p.Length; i++)
        {
            var slope = Math.Log(p[i] / q[i]) + 1 - (q[i] / p[i]);
            mean += p[i] * slope;
            squares += p[i] * slope * slope;
        }

        return Math.Max(0, squares - (mean * mean)) / n;
    }

    /// <summary>Of the parts, the variance of each bin's share and that of Σ g p.</summary>
    private static (double[] Spread, double Linear) Clustered(ReadOnlySpan<long> reference, long[] current, long[][] parts, double[] p, double n, double[] slopes)
    {
        var (spread, linear) = (new double[p.Length], 0.0);
        var scale = parts.Length / (parts.Length - 1.0) / (n * n);
        foreach (var part in parts)
        {
            var (size, at, tilt) = (Sum(part), 0, 0.0);
            for (var i = 0; i < current.Length; i++)
            {
                if (current[i] == 0 && reference[i] == 0)
                    continue;
                var residual = part[i] - (size * p[at]);
                spread[at] += residual * residual * scale;
                tilt += residual * slopes[at];
                at++;
            }

            linear += tilt * tilt * scale;
        }

        return (spread, linear);
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts)
            sum += count;
        return sum;
    }
}
