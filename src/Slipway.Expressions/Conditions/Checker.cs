using System.Collections.Immutable;
using Slipway.Expressions.Figures;
using Slipway.Expressions.Syntax;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions.Conditions;

/// <summary>Looks up names and checks types, collecting every fault with its column; a checked condition cannot fail on a type later.</summary>
/// <remarks>
/// Two measured figures are never combined or compared: the bootstrap tells how each varies, not how they vary together. A part
/// that reads no figure is refused, since it would be the same for every model.
/// </remarks>
internal sealed class Checker(GateVocabulary vocabulary)
{
    private readonly List<Fault> faults = [];
    private string? variable;

    public ImmutableArray<Fault> Faults => [.. faults.OrderBy(fault => fault.Column)];

    /// <summary>Whether any <c>.delta</c> is read.</summary>
    public bool ReadsBaseline { get; private set; }

    /// <returns>Null when a fault was found in it.</returns>
    public Condition? Condition(Node node)
    {
        switch (node)
        {
            case UnaryNode { Operator: "not" } negation:
                return Condition(negation.Operand) is { } inner ? new Negation(inner) : null;
            case BinaryNode { Operator: "and" or "or" } junction:
                var (left, right) = (Condition(junction.Left), Condition(junction.Right));
                return left is null || right is null ? null
                    : new Junction([left, right], junction.Operator == "and" ? Truth.False : Truth.True);
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

    private Condition? Comparison(BinaryNode node)
    {
        if (node.Left is TextNode || node.Right is TextNode || IsSliceValue(node.Left) || IsSliceValue(node.Right))
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
            ? new Comparison(right, Conditions.Comparison.Swapped(node.Operator), left)
            : new Comparison(left, node.Operator, right);
    }

    private Condition? TextComparison(BinaryNode node)
    {
        if (node.Operator is not ("==" or "!="))
            return Refuse<Condition>("type-mismatch", node.Column, $"texts have no order, so '{node.Operator}' means nothing here", "compare texts by == or !=");
        var (value, text) = IsSliceValue(node.Left) ? (node.Left, node.Right) : (node.Right, node.Left);
        return IsSliceValue(value) && text is TextNode literal
            ? new SliceValueIs(literal.Value, node.Operator == "==")
            : Refuse<Condition>("type-mismatch", node.Column, "a text compares only with a slice's value", $"write {variable ?? "s"}.value == 'ATL'");
    }

    private bool IsSliceValue(Node node) => node is NameNode { Parts: [var first, var second] } && first.Source == variable && second.Source == "value";

    private Condition? Quantifier(CallNode call)
    {
        if (call.Parts is not [{ Source: "slices" }, var column, { Source: "all" or "any" } which])
            return Refuse<Condition>("unknown-function", call.Column, $"'{call.Source}' cannot be called", "write slices.hour.all(s, s.auc > 0.55), or .any");
        if (variable is not null)
            return Refuse<Condition>("nested-quantifier", call.Column, "a quantifier may not stand inside another one");
        if (IsReserved(call.Variable.Source))
            return Refuse<Condition>("reserved-name", call.Variable.Column, $"'{call.Variable.Source}' is a figure's name already", "name the slice s");
        var known = CheckColumn(column);
        variable = call.Variable.Source;
        var before = faults.Count;
        var body = Condition(call.Body);
        if (body is not null && faults.Count == before && !ReadsSlice(call.Body))
            _ = Refuse<Condition>("constant-condition", call.Body.Column, $"it does not read {variable}, so it is the same for every slice");
        variable = null;
        return body is null || !known ? null : new Quantifier(column.Source, call.Column, body, which.Source == "all" ? Truth.False : Truth.True);
    }

    private bool ReadsSlice(Node node) => node switch
    {
        NameNode name => name.Parts[0].Source == variable,
        UnaryNode unary => ReadsSlice(unary.Operand),
        BinaryNode binary => ReadsSlice(binary.Left) || ReadsSlice(binary.Right),
        _ => false,
    };

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

    private Quantity? Name(NameNode name)
    {
        var first = name.Parts[0];
        if (first.Source == variable)
            return OfSlice(name);
        if (name.Parts is [{ Source: "slices" }, var column, ..])
        {
            if (name.Parts is not [_, _, { Source: "count" }])
                return Refuse<Quantity>("unknown-figure", name.Column, $"'{name.Source}' is no figure", $"write slices.{column.Source}.count, or slices.{column.Source}.all(s, s.auc > 0.55)");
            return CheckColumn(column) ? new Count(name.Source, reading => Names.Slices(reading.Figures, column.Source, name.Column).Length) : null;
        }

        return name.Parts switch
        {
            [{ Source: "n" }] => new Count("n", static reading => reading.Figures.Rows),
            [{ Source: "units" }] => new Count("units", static reading => reading.Figures.Units),
            _ => Measure(name, name.Parts, ofSlice: false),
        };
    }

    private Quantity? OfSlice(NameNode name) => name.Parts switch
    {
        [_] => Refuse<Quantity>("type-mismatch", name.Column, $"{variable} is a slice where a number is due", $"read a figure of it, such as {variable}.auc or {variable}.n"),
        [_, { Source: "n" }] => new Count(name.Source, static reading => reading.Slice!.Rows),
        [_, { Source: "value" }] => Refuse<Quantity>("type-mismatch", name.Column, $"{name.Source} is a text", $"compare it as a text: {name.Source} == '7'"),
        _ => Measure(name, [.. name.Parts.Skip(1)], ofSlice: true),
    };

    /// <param name="parts"><c>metric [delta] [low|high|value|n]</c>.</param>
    private Quantity? Measure(NameNode name, IReadOnlyList<Token> parts, bool ofSlice)
    {
        var metric = parts[0];
        if (!vocabulary.Metrics.Contains(metric.Source))
        {
            if (GateVocabulary.KnownMetrics.Contains(metric.Source))
                return Refuse<Quantity>("unknown-figure", metric.Column, $"'{metric.Source}' is not evaluated here", $"add {metric.Source} to evaluate.metrics");
            string[] counts = ofSlice ? ["n", "value"] : ["n", "units", "slices"];
            return Refuse<Quantity>("unknown-figure", metric.Column, $"there is no figure '{metric.Source}'", Names.Help(metric.Source, vocabulary.Metrics.Concat(counts)));
        }

        var isDelta = !ofSlice && parts.Count > 1 && parts[1].Source == "delta";
        var rest = parts.Skip(isDelta ? 2 : 1).ToList();
        ReadsBaseline |= isDelta;
        Part? part = rest switch
        {
            [] => Part.Interval,
            [{ Source: "value" }] => Part.Value,
            [{ Source: "low" }] => Part.Low,
            [{ Source: "high" }] => Part.High,
            [{ Source: "n" }] => Part.Rows,
            _ => null,
        };
        string[] allowed = ofSlice || isDelta ? ["low", "high", "value", "n"] : ["low", "high", "value", "n", "delta"];
        return part is { } meant ? new Measure(name.Source, metric.Source + (isDelta ? ".delta" : ""), meant, ofSlice, name.Column)
            : rest.Count > 1 ? Refuse<Quantity>("unknown-figure", rest[1].Column, $"'{rest[0].Source}' has no part '{rest[1].Source}'")
            : Refuse<Quantity>("unknown-figure", rest[0].Column, $"a figure has no part '{rest[0].Source}'", Names.Help(rest[0].Source, allowed));
    }

    private bool CheckColumn(Token column)
    {
        if (vocabulary.SliceColumns is not { } columns || columns.Contains(column.Source))
            return true;
        _ = Refuse<Condition>("unknown-slice", column.Column, $"'{column.Source}' is not among evaluate.slices", Names.Help(column.Source, columns));
        return false;
    }

    private static bool IsReserved(string name) =>
        name is "n" or "units" or "slices" or "and" or "or" or "not" || GateVocabulary.KnownMetrics.Contains(name);

    private T? Refuse<T>(string code, int column, string message, string? help = null)
        where T : class
    {
        faults.Add(new Fault(code, message, Column: column, Help: help));
        return null;
    }
}
