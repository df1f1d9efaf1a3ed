using System.Globalization;
using Slipway.Primitives.Units;

namespace Slipway.Expressions.Syntax;

/// <summary>Splits an expression's text into numbers, names, texts and symbols.</summary>
/// <remarks>
/// <c>&amp;&amp; || ! × ÷ − ≥ ≤ ≠</c> are other spellings of <c>and or not * / - >= &lt;= !=</c>. A <c>%</c> directly behind a number, or one
/// blank away, makes it a percentage; there is no modulo.
/// </remarks>
internal static class Tokens
{
    private static readonly string[] Symbols =
        [">=", "<=", "==", "!=", "&&", "||", ">", "<", "!", "+", "-", "*", "/", "(", ")", ",", ".", "≥", "≤", "≠", "−", "×", "÷"];

    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (at < text.Length)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
                at++;
            else if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
                tokens.Add(Number(text, ref at));
            else if (IsNameStart(c))
                tokens.Add(Name(text, ref at));
            else if (c is '\'' or '"')
                tokens.Add(Quoted(text, ref at));
            else
                tokens.Add(Symbol(text, ref at));
        }

        tokens.Add(new Token(TokenKind.End, text.Length + 1, ""));
        return tokens;
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static Token Name(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (IsNameStart(text[at]) || char.IsAsciiDigit(text[at])))
            at++;
        return new Token(TokenKind.Name, start + 1, text[start..at]);
    }

    private static Token Number(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
            at++;
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            var digits = at + 1 < text.Length && text[at + 1] is '+' or '-' ? at + 2 : at + 1;
            if (digits < text.Length && char.IsAsciiDigit(text[digits]))
            {
                at = digits;
                while (at < text.Length && char.IsAsciiDigit(text[at]))
                    at++;
            }
        }

        if (!double.TryParse(text.AsSpan(start, at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            throw new SyntaxFault("bad-number", start + 1, $"'{text[start..at]}' is no number that can be held; write one such as 0.05, 5 % or 1e-3");

        var percent = at < text.Length && text[at] == ' ' ? at + 1 : at;
        if (percent < text.Length && text[percent] == '%')
            (at, value) = (percent + 1, Hundredth(text.AsSpan(start, at - start), value));
        else if (TimeAt(text, start, at) is { } time)
            throw new SyntaxFault("bad-number", start + 1, $"'{time.Written}' has a unit; figures have none here, and times are in seconds", string.Create(CultureInfo.InvariantCulture, $"write {time.Seconds:0.#########}"));
        else if (at < text.Length && IsNameStart(text[at]))
            throw new SyntaxFault("bad-number", start + 1, $"a number is followed by '{text[at]}'; figures have no units here, only %");
        return new Token(TokenKind.Number, start + 1, text[start..at], value);
    }

    /// <summary>A time as people write it elsewhere, such as <c>50 ms</c>. No condition has a word behind a number.</summary>
    private static (string Written, double Seconds)? TimeAt(string text, int start, int end)
    {
        while (end < text.Length && text[end] == ' ')
            end++;
        while (end < text.Length && char.IsLetter(text[end]))
            end++;
        return Duration.TryParse(text[start..end], out var time) ? (text[start..end], time.Seconds) : null;
    }

    // 0.02 / 100 is one rounding away from 0.0002: shifting the written digits is not.
    private static double Hundredth(ReadOnlySpan<char> written, double value) =>
        written.IndexOfAny('e', 'E') >= 0 ? value / 100 : double.Parse($"{written}e-2", NumberStyles.Float, CultureInfo.InvariantCulture);

    private static Token Quoted(string text, ref int at)
    {
        var (start, quote) = (at, text[at]);
        var end = text.IndexOf(quote, start + 1);
        if (end < 0)
            throw new SyntaxFault("unclosed-text", start + 1, $"a text begins here and its closing {quote} is missing");
        at = end + 1;
        return new Token(TokenKind.Text, start + 1, text[(start + 1)..end]);
    }

    private static Token Symbol(string text, ref int at)
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, at, symbol, 0, symbol.Length) != 0)
                continue;
            var start = at;
            at += symbol.Length;
            return new Token(TokenKind.Symbol, start + 1, symbol switch { "≥" => ">=", "≤" => "<=", "≠" => "!=", "−" => "-", "×" => "*", "÷" => "/", _ => symbol });
        }

        var help = text[at] switch
        {
            '=' => "equality is written ==",
            '&' => "write 'and' or &&",
            '|' => "write 'or' or ||",
            _ => "conditions are made of figures, numbers, comparisons, and, or, not",
        };
        throw new SyntaxFault("unexpected-character", at + 1, $"'{text[at]}' has no meaning here", help);
    }
}
