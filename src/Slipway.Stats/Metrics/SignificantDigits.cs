using System.Globalization;

namespace Slipway.Stats.Metrics;

/// <summary>Stored figures have 12 significant digits, so that the last bits of a sum's rounding never reach a digest.</summary>
public static class SignificantDigits
{
    public const int Stored = 12;

    /// <summary>The nearest number of 12 significant decimal digits; NaN and infinities stay.</summary>
    public static double Round(double value) =>
        double.IsFinite(value) && value != 0
            ? double.Parse(value.ToString("E" + (Stored - 1), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
            : value + 0.0;      // −0 becomes 0
}
