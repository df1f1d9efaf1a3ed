namespace Slipway.Stats.Metrics;

/// <summary>Errors of a regression as sums that merge and can be taken apart again; an error is the prediction minus what came true.</summary>
/// <param name="Absolute">Σ|e|; then the sums of its first, second and fourth power.</param>
public readonly record struct ErrorSums(long Count, double Absolute, double Plain, double Squares, double FourthPowers)
{
    /// <summary>Size of the errors that can be summed: the fourth power of larger ones could be infinite.</summary>
    public const double Largest = 1e70;

    /// <param name="error">At most <see cref="Largest"/> in size.</param>
    public static ErrorSums Of(double error) => new(1, Math.Abs(error), error, error * error, error * error * (error * error));

    public ErrorSums Add(in ErrorSums other) => new(
        Count + other.Count, Absolute + other.Absolute, Plain + other.Plain, Squares + other.Squares, FourthPowers + other.FourthPowers);

    /// <param name="part">Was added before.</param>
    public ErrorSums Without(in ErrorSums part) => new(
        Count - part.Count, Absolute - part.Absolute, Plain - part.Plain, Math.Max(0, Squares - part.Squares), Math.Max(0, FourthPowers - part.FourthPowers));
}
