using Slipway.Expressions.Syntax;

namespace Slipway.Expressions.Conditions;

/// <summary>Checks against what is known of live traffic: rates, latency, drift, and quality once labels are told.</summary>
internal sealed class AlertChecker(AlertVocabulary vocabulary) : Checker
{
    private static readonly string[] Parts = ["low", "high", "value", "n"];

    protected override bool IsText(Node node) => node is TextNode;

    protected override Condition? TextComparison(BinaryNode node) =>
        Refuse<Condition>("type-mismatch", node.Column, "a text has nothing to be compared with here", "compare figures with numbers: error_rate > 0.01");

    protected override Condition? Quantifier(CallNode call) =>
        Refuse<Condition>("unknown-function", call.Column, $"'{call.Source}' cannot be called", "live traffic is not sliced; write one condition a figure");

    protected override Quantity? Name(NameNode name)
    {
        Token[] parts = [.. name.Parts];
        switch (parts)
        {
            case [{ Source: var count }] when AlertVocabulary.Counts.Contains(count):
                return new Measure(count, count, Conditions.Part.Value, ofSlice: false, name.Column);
            case [{ Source: "error_rate" }, .. var rest]:
                return Part(name, "error_rate", rest, Parts);
            case [{ Source: "drift" }, { Kind: TokenKind.Name, Source: "max" }, .. var rest]:
                return Part(name, "drift.max", rest, Parts);
            case [{ Source: "drift" }, var feature, .. var rest] when IsKnown(feature):
                // Told apart from drift.max, since a feature may have that name.
                return Part(name, OfFeature(feature.Source), rest, Parts);
            case [{ Source: "drift" }, var feature, ..]:
                return Refuse<Quantity>("unknown-figure", feature.Column, $"the model has no input or output '{feature.Source}'", Names.Help(feature.Source, [.. vocabulary.Features!.Value, "max"]));
            case [{ Source: "latency" }, var quantile, .. var rest] when AlertVocabulary.Quantiles.Contains(quantile.Source):
                return Part(name, "latency." + quantile.Source, rest, Parts);
            case [{ Source: "latency" }, var quantile, ..]:
                return Refuse<Quantity>("unknown-figure", quantile.Column, $"there is no quantile '{quantile.Source}'", Names.Help(quantile.Source, AlertVocabulary.Quantiles));
            case [{ Source: "drift" or "latency" } alone]:
                return Refuse<Quantity>("unknown-figure", alone.Column, $"'{alone.Source}' alone is no figure", alone.Source == "drift" ? "write drift.max, or drift.FEATURE" : "write latency.p50, latency.p95 or latency.p99: seconds");
            case [{ Source: var metric }, { Source: "delta" }, .. var rest] when AlertVocabulary.Quality.Contains(metric):
                return Part(name, metric + ".delta", rest, Parts);
            case [{ Source: var metric }, .. var rest] when AlertVocabulary.Quality.Contains(metric):
                return Part(name, metric, rest, [.. Parts, "delta"]);
            case [{ Source: var count }, var part, ..] when AlertVocabulary.Counts.Contains(count):
                return Refuse<Quantity>("unknown-figure", part.Column, $"'{count}' is a count, and has no part '{part.Source}'");
            default:
                return Refuse<Quantity>("unknown-figure", name.Column, $"there is no figure '{name.Parts[0].Source}'",
                    Names.Help(name.Parts[0].Source, [.. AlertVocabulary.Counts, "error_rate", "drift", "latency", .. AlertVocabulary.Quality]));
        }
    }

    /// <summary>The measure of a feature's drift.</summary>
    public static string OfFeature(string feature) => $"drift.'{feature}'";

    private bool IsKnown(Token feature) => vocabulary.Features is not { } features || features.Contains(feature.Source);
}
