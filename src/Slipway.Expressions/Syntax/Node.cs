namespace Slipway.Expressions.Syntax;

/// <summary>An expression as it is written; names are not looked up yet.</summary>
/// <param name="Column">1-based, where a fault of this node is shown.</param>
internal abstract record Node(int Column);

internal sealed record NumberNode(int Column, double Value, string Source) : Node(Column);

internal sealed record TextNode(int Column, string Value) : Node(Column);

/// <summary>A dotted name: <c>auc</c>, <c>auc.delta.low</c>, <c>s.n</c>, <c>slices.hour.count</c>.</summary>
internal sealed record NameNode(int Column, IReadOnlyList<Token> Parts) : Node(Column)
{
    public string Source => string.Join('.', Parts.Select(part => part.Source));
}

/// <summary><c>slices.hour.all(s, condition)</c>.</summary>
/// <param name="Parts">The dotted name before the parenthesis.</param>
internal sealed record CallNode(int Column, IReadOnlyList<Token> Parts, Token Variable, Node Body) : Node(Column)
{
    public string Source => string.Join('.', Parts.Select(part => part.Source));
}

/// <param name="Operator"><c>-</c> or <c>not</c>.</param>
internal sealed record UnaryNode(int Column, string Operator, Node Operand) : Node(Column);

/// <param name="Column">Of the operator.</param>
/// <param name="Operator">One of <c>+ - * / >= &lt;= > &lt; == != and or</c>.</param>
internal sealed record BinaryNode(int Column, string Operator, Node Left, Node Right) : Node(Column);
