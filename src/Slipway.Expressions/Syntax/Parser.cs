namespace Slipway.Expressions.Syntax;

/// <summary>Recursive descent over the tokens: or, and, not, comparison, sum, product, sign, primary.</summary>
/// <remarks>Comparisons do not chain. Depth is bounded, so that no text can exhaust the stack.</remarks>
internal sealed class Parser(IReadOnlyList<Token> tokens)
{
    /// <summary>Nested parentheses, signs, negations and quantifiers; a condition that people can read has fewer than ten.</summary>
    public const int MaxDepth = 64;

    private static readonly string[] Comparisons = [">=", "<=", ">", "<", "==", "!="];

    private int at;
    private int depth;

    private Token Next => tokens[at];

    public static Node Parse(string text)
    {
        var parser = new Parser(Tokens.Read(text));
        if (parser.Next.Kind is TokenKind.End)
            throw new SyntaxFault("empty-expression", 1, "the condition is empty; write one such as auc >= 0.60");
        var node = parser.Or();
        if (parser.Next.Kind is not TokenKind.End)
            throw new SyntaxFault("unexpected-token", parser.Next.Column, $"{parser.Next.Shown} is left over behind a complete condition", "join conditions by 'and' or 'or'");
        return node;
    }

    private Node Or() => Left(And, static token => token.IsWord("or") || token.Is("||"), "or");

    private Node And() => Left(Not, static token => token.IsWord("and") || token.Is("&&"), "and");

    private Node Not()
    {
        if (!Next.IsWord("not") && !Next.Is("!"))
            return Comparison();
        var column = Take().Column;
        return Deeper(column, () => new UnaryNode(column, "not", Not()));
    }

    private Node Comparison()
    {
        var left = Sum();
        if (!IsComparison(Next))
            return left;
        var symbol = Take();
        var right = Sum();
        return IsComparison(Next)
            ? throw new SyntaxFault("chained-comparison", Next.Column, "comparisons do not chain", "write two of them joined by 'and'")
            : new BinaryNode(symbol.Column, symbol.Source, left, right);
    }

    private static bool IsComparison(Token token) => token.Kind is TokenKind.Symbol && Comparisons.Contains(token.Source);

    private Node Sum()
    {
        var left = Product();
        while (Next.Is("+") || Next.Is("-"))
        {
            var symbol = Take();
            left = new BinaryNode(symbol.Column, symbol.Source, left, Product());
        }

        return left;
    }

    private Node Product()
    {
        var left = Sign();
        while (Next.Is("*") || Next.Is("/"))
        {
            var symbol = Take();
            left = new BinaryNode(symbol.Column, symbol.Source, left, Sign());
        }

        return left;
    }

    private Node Sign()
    {
        if (!Next.Is("-"))
            return Primary();
        var column = Take().Column;
        return Deeper(column, () => new UnaryNode(column, "-", Sign()));
    }

    private Node Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new NumberNode(token.Column, token.Number, token.Source);
            case TokenKind.Text:
                return new TextNode(token.Column, token.Source);
            case TokenKind.Name when token.Source is not ("and" or "or" or "not"):
                return NameOrCall(token);
            case TokenKind.Symbol when token.Source == "(":
                var inner = Deeper(token.Column, Or);
                Expect(")", token.Column);
                return inner;
            default:
                throw new SyntaxFault("unexpected-token", token.Column, $"found {token.Shown} where a figure, a number or '(' is due");
        }
    }

    private Node NameOrCall(Token first)
    {
        List<Token> parts = [first];
        while (Next.Is("."))
        {
            _ = Take();
            // A name that is no word is quoted: drift.'distance-km'.
            if (Next.Kind is not (TokenKind.Name or TokenKind.Text))
                throw new SyntaxFault("unexpected-token", Next.Column, $"found {Next.Shown} where a name is due behind the dot");
            parts.Add(Take());
        }

        if (!Next.Is("("))
            return new NameNode(first.Column, parts);
        var open = Take();
        if (Next.Kind is not TokenKind.Name)
            throw new SyntaxFault("unexpected-token", Next.Column, $"found {Next.Shown} where the name for one slice is due", "write slices.hour.all(s, s.auc > 0.55)");
        var variable = Take();
        if (!Next.Is(","))
            throw new SyntaxFault("unexpected-token", Next.Column, $"found {Next.Shown} where ',' is due", "write slices.hour.all(s, s.auc > 0.55)");
        _ = Take();
        var body = Deeper(open.Column, Or);
        Expect(")", open.Column);
        return new CallNode(first.Column, parts, variable, body);
    }

    private Node Left(Func<Node> operand, Func<Token, bool> isOperator, string name)
    {
        var left = operand();
        while (isOperator(Next))
        {
            var column = Take().Column;
            left = new BinaryNode(column, name, left, operand());
        }

        return left;
    }

    private Node Deeper(int column, Func<Node> inner)
    {
        if (++depth > MaxDepth)
            throw new SyntaxFault("too-deep", column, $"nested more than {MaxDepth} deep", "split the condition into several gates");
        var node = inner();
        depth--;
        return node;
    }

    private void Expect(string symbol, int opened)
    {
        if (!Next.Is(symbol))
            throw new SyntaxFault("unclosed-parenthesis", Next.Column, $"found {Next.Shown} where '{symbol}' is due for the one opened at {opened}");
        at++;
    }

    private Token Take()
    {
        var token = tokens[at];
        if (token.Kind is not TokenKind.End)
            at++;
        return token;
    }
}
