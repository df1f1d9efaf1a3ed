namespace Slipway.Documents.Reading;

/// <summary>What a scalar is by YAML 1.2's core schema; a quoted one is always text.</summary>
internal enum ScalarKind
{
    Text,
    Nothing,
    Boolean,
    Integer,
    Number,

    /// <summary>Read differently by YAML 1.1 and 1.2, or by people and programs: <c>yes</c>, <c>010</c>, <c>1_000</c>, <c>.inf</c>. Refused everywhere.</summary>
    Unclear,
}

internal static class PlainScalar
{
    public static ScalarKind KindOf(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => ScalarKind.Nothing,
        "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ScalarKind.Boolean,
        "yes" or "Yes" or "YES" or "no" or "No" or "NO" or "on" or "On" or "ON" or "off" or "Off" or "OFF" => ScalarKind.Unclear,
        _ => OfNumber(text),
    };

    private static ScalarKind OfNumber(string text)
    {
        var i = text[0] is '-' or '+' ? 1 : 0;
        if (text.AsSpan(i) is ".inf" or ".Inf" or ".INF" or ".nan" or ".NaN" or ".NAN")
            return ScalarKind.Unclear;
        if (i == text.Length || !(char.IsAsciiDigit(text[i]) || text[i] == '.'))
            return ScalarKind.Text;
        if (text.Length > i + 1 && text[i] == '0' && HasUnclearZero(text.AsSpan(i + 1)))
            return ScalarKind.Unclear;

        var whole = Digits(text, ref i);
        if (i == text.Length)
            return ScalarKind.Integer;
        if (text[i] == '_' && !text.AsSpan(i).ContainsAnyExcept("0123456789_."))
            return ScalarKind.Unclear;
        var fraction = 0;
        if (text[i] == '.')
        {
            i++;
            fraction = Digits(text, ref i);
        }

        if (whole + fraction == 0)
            return ScalarKind.Text;
        if (i < text.Length && text[i] is 'e' or 'E')
        {
            i++;
            if (i < text.Length && text[i] is '-' or '+')
                i++;
            if (Digits(text, ref i) == 0)
                return ScalarKind.Text;
        }

        return i == text.Length ? ScalarKind.Number : ScalarKind.Text;
    }

    /// <param name="rest">What follows a leading zero.</param>
    private static bool HasUnclearZero(ReadOnlySpan<char> rest) => rest[0] switch
    {
        'x' or 'o' or 'b' => rest.Length > 1 && !rest[1..].ContainsAnyExcept("0123456789abcdefABCDEF_"),
        >= '0' and <= '9' => rest.Count('.') <= 1 && !rest.ContainsAnyExcept("0123456789_."),
        _ => false,
    };

    private static int Digits(string text, ref int i)
    {
        var start = i;
        while (i < text.Length && char.IsAsciiDigit(text[i]))
            i++;
        return i - start;
    }
}
