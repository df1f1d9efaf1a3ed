using System.Globalization;

namespace Slipway.Primitives.Faults;

/// <summary>Text that somebody else wrote, as it may stand before a person's eyes.</summary>
public static class ForeignText
{
    private const int Longest = 120;

    /// <summary>Whether a character works on what stands around it, or is not seen: control characters, and those of formatting such as marks of direction and joiners of no width.</summary>
    /// <remarks>Source: the Unicode Character Database's categories Cc, Cf, Zl and Zp; why it matters, Unicode Technical Report 36, section 2.</remarks>
    public static bool IsHidden(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>As it may stand in a message: at most 120 characters, and none that is hidden.</summary>
    public static string Shown(string text) =>
        string.Concat((text.Length <= Longest ? text : text[..Longest] + "…").Select(c => IsHidden(c) || char.IsSurrogate(c) ? '?' : c));
}
