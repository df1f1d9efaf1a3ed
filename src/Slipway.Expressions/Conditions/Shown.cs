using System.Globalization;

namespace Slipway.Expressions.Conditions;

/// <summary>Figures as people read them.</summary>
internal static class Shown
{
    /// <summary>Significant digits where nothing asks for more.</summary>
    private const int FewDigits = 3;

    /// <summary>What stored figures hold.</summary>
    private const int AllDigits = 12;

    public static string Number(double value, int digits = 6)
    {
        if (value == Math.Truncate(value) && Math.Abs(value) < 1e15)
            return value.ToString("#,##0", CultureInfo.InvariantCulture);
        return Rounded(value, digits).ToString(Math.Abs(value) is < 1e-5 or >= 1e15 ? "R" : "#,##0.#################", CultureInfo.InvariantCulture);
    }

    /// <summary>Behind a number, what attained it.</summary>
    public static string Of(string? attained) => attained is null ? "" : $" ({attained})";

    /// <summary>The fewest digits at which both ends still lie on the same side of the bound as they truly do.</summary>
    public static int DigitsThatTell(double bound, double low, double high)
    {
        for (var digits = FewDigits; digits < AllDigits; digits++)
        {
            if (Rounded(low, digits).CompareTo(bound) == low.CompareTo(bound) && Rounded(high, digits).CompareTo(bound) == high.CompareTo(bound))
                return digits;
        }

        return AllDigits;
    }

    public static string Sign(string sign) => sign switch { ">=" => "≥", "<=" => "≤", "!=" => "≠", "==" => "=", _ => sign };

    private static double Rounded(double value, int digits) =>
        double.Parse(value.ToString("E" + (digits - 1), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
