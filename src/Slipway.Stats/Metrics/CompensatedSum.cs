namespace Slipway.Stats.Metrics;

/// <summary>A running sum whose error does not grow with the number of terms: about one rounding of the result.</summary>
/// <remarks>Source: Neumaier, 1974. Sums here run in a fixed order on one thread, so that they are the same on every machine.</remarks>
internal struct CompensatedSum
{
    private double sum, lost;

    public readonly double Value => sum + lost;

    public void Add(double term)
    {
        var next = sum + term;
        lost += Math.Abs(sum) >= Math.Abs(term) ? sum - next + term : term - next + sum;
        sum = next;
    }
}
