namespace Slipway.Stats.Sequential;

/// <summary>E-values as logarithms.</summary>
public static class EValues
{
    /// <summary>
    /// ln of the mean: the mean of e-processes over the same events is one itself, for the hypothesis that all theirs hold. It reaches
    /// 1/α at the latest when one of n reaches n/α, so it finds no less than Bonferroni's correction does.
    /// </summary>
    /// <param name="logs">At least one; none NaN. +∞ is a proof, −∞ the contrary.</param>
    public static double LogMean(ReadOnlySpan<double> logs)
    {
        if (logs.IsEmpty)
            throw new ArgumentException("no e-value is given", nameof(logs));
        var largest = double.NegativeInfinity;
        foreach (var log in logs)
            largest = Math.Max(largest, log);
        if (double.IsInfinity(largest))
            return largest;
        var sum = 0.0;
        foreach (var log in logs)
            sum += Math.Exp(log - largest);
        return largest + Math.Log(sum / logs.Length);
    }
}
