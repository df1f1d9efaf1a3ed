using System.Globalization;
using System.Text;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>Text by the columns that it takes on a terminal.</summary>
internal static class TerminalText
{
    private const char Instead = '\uFFFD';

    /// <summary>First and last code points of what takes two columns, the blocks as a whole where nearly all of it does.</summary>
    /// <remarks>Source: Unicode Standard Annex 11, East Asian Width W and F, and the pictures that terminals draw as such. What is taken for too wide is only cut too early.</remarks>
    private static readonly (int First, int Last)[] wide =
    [
        (0x1100, 0x115F), (0x231A, 0x231B), (0x23E9, 0x23F3), (0x25FD, 0x25FE), (0x2614, 0x2615), (0x2648, 0x2653), (0x26A1, 0x26A1), (0x2705, 0x2705), (0x2728, 0x2728), (0x274C, 0x274E),
        (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE10, 0xFE19), (0xFE30, 0xFE6F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6),
        (0x1F000, 0x1FAFF), (0x20000, 0x3FFFD),
    ];

    /// <summary>Columns that a text takes in one line.</summary>
    public static int Width(string text) => text.EnumerateRunes().Sum(Width);

    /// <summary>A text as one line of at most so many columns; what does not fit is an ellipsis, and nothing in it works on the terminal.</summary>
    /// <param name="columns">0 and above.</param>
    public static string Cut(string text, int columns)
    {
        var plain = text.Any(ForeignText.IsHidden) ? string.Concat(text.Select(c => ForeignText.IsHidden(c) ? Instead : c)) : text;
        if (Width(plain) <= columns)
            return plain;
        if (columns <= 0)
            return "";
        var cut = new StringBuilder();
        var left = columns - 1;
        foreach (var rune in plain.EnumerateRunes())
        {
            left -= Width(rune);
            if (left < 0)
                break;
            cut.Append(rune.ToString());
        }

        return cut.Append('…').ToString();
    }

    /// <summary>A text in exactly so many columns.</summary>
    public static string Fit(string text, int columns)
    {
        var cut = Cut(text, columns);
        return cut + new string(' ', Math.Max(0, columns - Width(cut)));
    }

    private static int Width(Rune rune) => rune switch
    {
        { IsAscii: true } => 1,
        _ when Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark => 0,
        _ => wide.Any(range => rune.Value >= range.First && rune.Value <= range.Last) ? 2 : 1,
    };
}
