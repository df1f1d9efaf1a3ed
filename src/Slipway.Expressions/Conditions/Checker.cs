using System.Collections.Immutable;
using Slipway.Expressions.Syntax;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions.Conditions;

/// <summary>Looks up names and checks types, collecting every fault with its column; a checked condition cannot fail on a type later.</summary>
/// <remarks>
/// Two measured figures are never combined or compared: the bootstrap tells how each varies, not how they vary together. A part
/// that reads no figure is refused, since it would be the same for every model.
/// </remarks>
internal abstract class Checker
{
    private readonly List<Fault> faults = [];

    public ImmutableArray<Fault> Faults => [.. faults.OrderBy(fault => fault.Column)];

    protected int FaultCount => faults.Count;

    /// <returns>Null when a fault was found in it.</returns>
    public Condition? Condition(Node node)
    {
        switch (node)
        {
            case UnaryNode { Operator: "not" } negation:
                return Condition(negation.Operand) is { } inner ? new Negation(inner) : null;
            case BinaryNode { Operator: "and" }:
                Condition?[] parts = [.. Conjuncts(node).Select(Condition)];
                return parts.Contains(null) ? null : Conjunction([.. parts.OfType<Condition>()]);
            case BinaryNode { Operator: "or" } choice:
                var (left, right) = (Condition(choice.Left), Condition(choice.Right));
                return left is null || right is null ? null : new Junction([left, right], Truth.True);
            case BinaryNode { Operator: ">=" or ">" or "<=" or "<" or "==" or "!=" } comparison:
                return Comparison(comparison);
            case CallNode call:
                return Quantifier(call);
            default:
                var quantity = Quantity(node);
                return quantity is null ? null
                    : Refuse<Condition>("type-mismatch", node.Column, $"{quantity.Source} is a number where a condition is due", $"compare it: {quantity.Source} >= 0.60");
        }
    }

    /// <param name="parts">All that one <c>and</c> after the other joins.</param>
    protected virtual Condition Conjunction(ImmutableArray<Condition> parts) => new Junction(parts, Truth.False);

    private static IEnumerable<Node> Conjuncts(Node node) => node is BinaryNode { Operator: "and" } both ? [.. Conjuncts(both.Left), .. Conjuncts(both.Right)] : [node];

    private Condition? Comparison(BinaryNode node)
    {
        if (IsText(node.Left) || IsText(node.Right))
            return TextComparison(node);
        var (left, right) = (Quantity(node.Left), Quantity(node.Right));
        if (left is null || right is null)
            return null;
        if (left.IsConstant && right.IsConstant)
            return Refuse<Condition>("constant-condition", node.Column, "neither side reads a figure, so it is the same for every model");
        if (left.IsMeasured && right.IsMeasured)
            return Refuse<Condition>("type-mismatch", node.Column, $"{left.Source} and {right.Source} are both measured, and how they vary together is not known",
                "compare with a number, or use .delta for a difference from the baseline");
        return right.IsMeasured || (left.IsConstant && !right.IsConstant)
            ? Comparison(node, right, Conditions.Comparison.Swapped(node.Operator), left)
            : Comparison(node, left, node.Operator, right);
    }

    /// <param name="node">As it is written, with its sides in either order.</param>
    /// <param name="left">The measured side, if there is one; else one that reads something.</param>
    protected virtual Condition? Comparison(BinaryNode node, Quantity left, string sign, Quantity right) => new Comparison(left, sign, right);

    private Quantity? Quantity(Node node)
    {
        switch (node)
        {
            case NumberNode number:
                return new Constant(number.Source, number.Value);
            case NameNode name:
                return Name(name);
            case UnaryNode { Operator: "-" } sign when Quantity(sign.Operand) is { } operand:
                return operand is Constant constant ? new Constant("-" + constant.Source, -constant.Value) : new Arithmetic("*", new Constant("-1", -1), operand);
            case UnaryNode { Operator: "-" }:
                return null;
            case BinaryNode { Operator: "+" or "-" or "*" or "/" } operation:
                return Operation(operation);
            case TextNode text:
                return Refuse<Quantity>("type-mismatch", text.Column, $"the text '{text.Value}' stands where a number is due");
            default:
                return Refuse<Quantity>("type-mismatch", node.Column, "a condition stands where a number is due", "join conditions by 'and' or 'or'");
        }
    }

    private Quantity? Operation(BinaryNode node)
    {
        var (left, right) = (Quantity(node.Left), Quantity(node.Right));
        if (left is null || right is null)
            return null;
        if (left.IsMeasured && right.IsMeasured)
            return Refuse<Quantity>("type-mismatch", node.Column, $"{left.Source} and {right.Source} are both measured, and how they vary together is not known",
                "use .delta for a difference from the baseline, or .low and .high for the ends");
        if (node.Operator == "/" && right.IsMeasured)
            return Refuse<Quantity>("type-mismatch", node.Column, $"cannot divide by {right.Source}: its interval may hold zero", "multiply the other side instead");
        if (node.Operator == "/" && right is Constant { Value: 0 })
            return Refuse<Quantity>("division-by-zero", node.Column, "a division by zero");
        return new Arithmetic(node.Operator, left, right);
    }

    /// <summary>A name that the vocabulary knows.</summary>
    protected abstract Quantity? Name(NameNode name);

    /// <summary>A comparison in which a text takes part.</summary>
    protected abstract Condition? TextComparison(BinaryNode node);

    protected abstract bool IsText(Node node);

    protected abstract Condition? Quantifier(CallNode call);

    /// <param name="rest">What stands behind a measure's name: nothing, or one of <c>low high value n</c>.</param>
    /// <param name="measure">As the figures have it.</param>
    /// <param name="allowed">Parts that there are, for the help.</param>
    protected Quantity? Part(NameNode name, string measure, IReadOnlyList<Token> rest, IReadOnlyList<string> allowed, bool ofSlice = false)
    {
        Part? part = rest switch
        {
            [] => Conditions.Part.Interval,
            [{ Source: "value" }] => Conditions.Part.Value,
            [{ Source: "low" }] => Conditions.Part.Low,
            [{ Source: "high" }] => Conditions.Part.High,
            [{ Source: "n" }] => Conditions.Part.Rows,
            _ => null,
        };
        return part is { } meant ? new Measure(name.Source, measure, meant, ofSlice, name.Column)
            : rest.Count > 1 ? Refuse<Quantity>("unknown-figure", rest[1].Column, $"'{rest[0].Source}' has no part '{rest[1].Source}'")
            : Refuse<Quantity>("unknown-figure", rest[0].Column, $"a figure has no part '{rest[0].Source}'", Names.Help(rest[0].Source, allowed));
    }

    protected T? Refuse<T>(string code, int column, string message, string? help = null)
        where T : class
    {
        faults.Add(new Fault(code, message, Column: column, Help: help));
        return null;
    }
}
