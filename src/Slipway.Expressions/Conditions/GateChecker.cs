using System.Collections.Immutable;
using Slipway.Expressions.Syntax;

namespace Slipway.Expressions.Conditions;

/// <summary>Checks against what an evaluation holds: metrics, their differences from the baseline, and slices.</summary>
internal sealed class GateChecker(GateVocabulary vocabulary) : Checker
{
    private string? variable;

    /// <summary>Whether any <c>.delta</c> is read.</summary>
    public bool ReadsBaseline { get; private set; }

    protected override Condition? TextComparison(BinaryNode node)
    {
        if (node.Operator is not ("==" or "!="))
            return Refuse<Condition>("type-mismatch", node.Column, $"texts have no order, so '{node.Operator}' means nothing here", "compare texts by == or !=");
        var (value, text) = IsSliceValue(node.Left) ? (node.Left, node.Right) : (node.Right, node.Left);
        return IsSliceValue(value) && text is TextNode literal
            ? new SliceValueIs(literal.Value, node.Operator == "==")
            : Refuse<Condition>("type-mismatch", node.Column, "a text compares only with a slice's value", $"write {variable ?? "s"}.value == 'ATL'");
    }

    protected override bool IsText(Node node) => node is TextNode || IsSliceValue(node);

    private bool IsSliceValue(Node node) => node is NameNode { Parts: [var first, var second] } && first.Source == variable && second.Source == "value";

    protected override Condition? Quantifier(CallNode call)
    {
        if (call.Parts is not [{ Source: "slices" }, var column, { Source: "all" or "any" } which])
            return Refuse<Condition>("unknown-function", call.Column, $"'{call.Source}' cannot be called", "write slices.hour.all(s, s.auc > 0.55), or .any");
        if (variable is not null)
            return Refuse<Condition>("nested-quantifier", call.Column, "a quantifier may not stand inside another one");
        if (IsReserved(call.Variable.Source))
            return Refuse<Condition>("reserved-name", call.Variable.Column, $"'{call.Variable.Source}' is a figure's name already", "name the slice s");
        var known = CheckColumn(column);
        variable = call.Variable.Source;
        var before = FaultCount;
        var body = Condition(call.Body);
        if (body is not null && FaultCount == before && !ReadsSlice(call.Body))
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

    protected override Quantity? Name(NameNode name)
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
        ReadsBaseline |= isDelta;
        return Part(name, metric.Source + (isDelta ? ".delta" : ""), [.. parts.Skip(isDelta ? 2 : 1)], ofSlice || isDelta ? ["low", "high", "value", "n"] : ["low", "high", "value", "n", "delta"], ofSlice);
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
}
