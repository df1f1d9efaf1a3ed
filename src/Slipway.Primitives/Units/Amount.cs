using System.Globalization;

namespace Slipway.Primitives.Units;

/// <summary>Splits what people write (<c>512MiB</c>, <c>10 ms</c>, <c>5%</c>) into a number and a unit.</summary>
internal static class Amount
{
    /// <summary>Plain decimal notation only: an optional sign, digits, an optional fraction; then optional blanks and the unit.</summary>
    public static bool TrySplit(string text, out decimal number, out string unit)
    {
        (number, unit) = (0, "");
        text = text.Trim();
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.' || (end == 0 && text[end] is '-' or '+')))
            end++;
        if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number))
            return false;
        unit = text[end..].Trim();
        return true;
    }
}
