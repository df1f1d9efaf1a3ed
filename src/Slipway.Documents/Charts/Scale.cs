using System.Collections.Immutable;

namespace Slipway.Documents.Charts;

/// <summary>A straight scale from numbers to pixels, with ticks at round numbers.</summary>
/// <param name="Low">Below <paramref name="High"/>, both finite.</param>
/// <param name="Start">Pixel of <paramref name="Low"/>; may be above that of <paramref name="End"/>.</param>
internal sealed record Scale(double Low, double High, double Start, double End, ImmutableArray<double> Ticks)
{
    /// <summary>Numbers beyond are drawn at the border: pictures of anything larger say nothing.</summary>
    private const double Largest = 1e300;

    /// <summary>Covers all finite values among these, ends at ticks, and is never empty.</summary>
    /// <param name="most">Ticks, or so.</param>
    public static Scale Over(IEnumerable<double> values, double start, double end, int most)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values.Where(double.IsFinite))
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            (low, high) = (0, 1);
        (low, high) = (Math.Clamp(low, -Largest, Largest), Math.Clamp(high, -Largest, Largest));
        // What hardly differs is one value to the eye, and to doubles.
        if (high - low <= Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-9)
            (low, high) = low == 0 ? (0, 1) : (low - Math.Abs(low) * 0.1, high + Math.Abs(high) * 0.1);
        var step = RoundStep((high - low) / Math.Max(1, most));
        var (first, last) = (Math.Floor(low / step), Math.Ceiling(high / step));
        var ticks = ImmutableArray.CreateBuilder<double>();
        for (var i = first; i <= last && ticks.Count <= 2 * most + 2; i++)
            ticks.Add(i * step == 0 ? 0 : i * step);
        return new(ticks[0], ticks[^1], start, end, ticks.ToImmutable());
    }

    /// <summary>1, 2 or 5 times a power of ten: the smallest such that is no less.</summary>
    public static double RoundStep(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(least, 1e-300))));
        var times = least / power;
        return power * (times <= 1 + 1e-9 ? 1 : times <= 2 + 1e-9 ? 2 : times <= 5 + 1e-9 ? 5 : 10);
    }

    /// <summary>The pixel of a number; at the border for what lies beyond.</summary>
    public double At(double value) => Start + (End - Start) * ((Math.Clamp(value, Low, High) - Low) / (High - Low));
}
