using System.Text.Json.Serialization;

namespace Slipway.Stats.Sketches;

/// <summary>Count, extremes, mean and central moments of numbers, as sums that merge: the moments of a whole are those of its parts merged.</summary>
/// <param name="Count">Of finite numbers; 0 makes every other member 0.</param>
/// <param name="M2">Σ(x−mean)²; likewise <paramref name="M3"/> and <paramref name="M4"/> of the third and fourth power.</param>
/// <remarks>
/// Floating-point sums depend on their order: merge parts in one fixed order where equal bytes are due. Source: Pébay, "Formulas for robust,
/// one-pass parallel computation of covariances and arbitrary-order statistical moments", SAND2008-6212.
/// </remarks>
public readonly record struct Moments(long Count, double Min, double Max, double Mean, double M2, double M3, double M4)
{
    /// <summary>Size of the numbers that have moments: sums of the fourth power of larger ones could be infinite.</summary>
    public const double Largest = 1e70;

    /// <summary>Of the sample, with n−1; null below two numbers.</summary>
    [JsonIgnore]
    public double? Variance => Count > 1 ? M2 / (Count - 1) : null;

    /// <param name="value">Of at most <see cref="Largest"/> in size.</param>
    public static Moments Of(double value) => new(1, value, value, value, 0, 0, 0);

    /// <summary>Merges with the moments of one number: the same to the bit, for half the work.</summary>
    /// <param name="value">Of at most <see cref="Largest"/> in size.</param>
    public Moments Add(double value)
    {
        if (Count == 0)
            return Of(value);
        double a = Count, n = a + 1;
        var delta = value - Mean;
        var part = delta / n;
        var cross = delta * part * a;
        return new(
            Count + 1,
            Math.Min(Min, value),
            Math.Max(Max, value),
            Mean + part,
            M2 + cross,
            M3 + (cross * part * (a - 1)) + (3 * part * -M2),
            M4 + (cross * part * part * ((a * a) - a + 1)) + (6 * part * part * M2) + (4 * part * -M3));
    }

    public Moments Merge(in Moments other)
    {
        if (other.Count == 0)
            return this;
        if (Count == 0)
            return other;
        double a = Count, b = other.Count, n = a + b;
        var delta = other.Mean - Mean;
        var part = delta / n;
        var cross = delta * part * a * b;
        return new(
            Count + other.Count,
            Math.Min(Min, other.Min),
            Math.Max(Max, other.Max),
            Mean + (part * b),
            M2 + other.M2 + cross,
            M3 + other.M3 + (cross * part * (a - b)) + (3 * part * ((a * other.M2) - (b * M2))),
            M4 + other.M4 + (cross * part * part * ((a * a) - (a * b) + (b * b))) + (6 * part * part * ((a * a * other.M2) + (b * b * M2))) + (4 * part * ((a * other.M3) - (b * M3))));
    }
}
