namespace Slipway.Documents.Reading;

/// <summary>What names may be.</summary>
/// <param name="Pattern">As a regular expression without anchors, for the schema; the same as <paramref name="Accepts"/>.</param>
/// <param name="IgnoresOwn">Whether keys that begin with <c>x-</c> are the user's own and not read.</param>
internal sealed record NameRule(string Pattern, string Allowed, Func<string, bool> Accepts, bool IgnoresOwn)
{
    /// <summary>Characters of a name, so that paths made of names stay far below the file system's 255.</summary>
    public const int Longest = 63;

    /// <summary>Names of stages, datasets, outputs, params, environments and hardware profiles.</summary>
    public static NameRule Identifier { get; } = new(
        "[a-z][a-z0-9_-]{0,62}", "a lower-case letter, then up to 62 lower-case letters, digits, - and _", IsIdentifier, IgnoresOwn: true);

    /// <summary>Names that data bring along: columns. Here <c>x-</c> means nothing, or an expectation would be lost in silence.</summary>
    public static NameRule Foreign { get; } = new(".{1,200}", "1 to 200 characters", text => text.Length is >= 1 and <= 200, IgnoresOwn: false);

    public static bool IsIdentifier(string text)
    {
        if (text.Length is 0 or > Longest || !char.IsAsciiLetterLower(text[0]))
            return false;
        foreach (var c in text)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
                return false;
        }

        return true;
    }
}
