namespace Slipway.Expressions.Syntax;

internal enum TokenKind
{
    End,
    Number,
    Text,
    Name,
    Symbol,
}

/// <param name="Column">1-based, in UTF-16 units, of the first character.</param>
/// <param name="Source">As written; for a text, without its quotes.</param>
/// <param name="Number">A number's value; a percentage is already divided by 100.</param>
internal readonly record struct Token(TokenKind Kind, int Column, string Source, double Number = 0)
{
    public bool Is(string symbol) => Kind is TokenKind.Symbol && Source == symbol;

    public bool IsWord(string word) => Kind is TokenKind.Name && Source == word;

    public string Shown => Kind switch
    {
        TokenKind.End => "the end",
        TokenKind.Text => $"the text '{Source}'",
        _ => $"'{Source}'",
    };
}
