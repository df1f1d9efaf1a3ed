using System.Collections.Immutable;
using System.Globalization;
using Slipway.Expressions.Syntax;

namespace Slipway.Expressions.Conditions;

/// <summary>Checks against what is known of live traffic: rates, latency, drift, and quality once labels are told.</summary>
internal sealed class AlertChecker(AlertVocabulary vocabulary) : Checker
{
    private static readonly string[] Parts = ["low", "high", "value", "n"];

    protected override bool IsText(Node node) => node is TextNode;

    /// <summary>Below a sample that is asked for, traffic that dies must neither fire an alert nor resolve one. Counts alone compare as numbers do.</summary>
    protected override Condition Conjunction(ImmutableArray<Condition> parts)
    {
        if (!parts.Any(part => part.ReadsFigure))
            return base.Conjunction(parts);
        var samples = parts.Select(part => part.AsSample(isDenied: false)).OfType<Condition>().ToImmutableArray();
        return samples.IsEmpty ? base.Conjunction(parts) : new SampledConjunction(samples, [.. parts.Where(part => part.AsSample(isDenied: false) is null)]);
    }

    /// <summary>An alert on what no traffic can bring about would be silence taken for health. Sealed gates are judged as they are.</summary>
    protected override Condition? Comparison(BinaryNode node, Quantity left, string sign, Quantity right)
    {
        var (bounds, bound) = (left.Bounds, right.Bounds.Low);
        var foregone = right.IsConstant ? Conditions.Comparison.Decide(sign, bounds.Low, bounds.High, bound) : Truth.Unknown;
        if (foregone is Truth.Unknown)
            return base.Comparison(node, left, sign, right);
        var isPercent = bounds.High == 1 && Math.Abs(bound) is > 1 and <= 100;
        return Refuse<Condition>(
            "constant-condition", node.Column, $"{left.Source} {bounds}, and so {(foregone is Truth.True ? "always" : "never")} {sign} {right.Source}",
            isPercent ? string.Create(CultureInfo.InvariantCulture, $"{bound} % is {bound / 100:0.#########} or `{bound} %`")
            : foregone is Truth.True ? "leave out what always holds, or compare with a number that it can fall short of or exceed"
            : "what can never hold warns of nothing: compare with a number that it can have");
    }

    protected override Condition? TextComparison(BinaryNode node) =>
        Refuse<Condition>("type-mismatch", node.Column, "a text has nothing to be compared with here", "compare figures with numbers: error_rate > 0.01");

    protected override Condition? Quantifier(CallNode call) =>
        Refuse<Condition>("unknown-function", call.Column, $"'{call.Source}' cannot be called", "live traffic is not sliced; write one condition a figure");

    protected override Quantity? Name(NameNode name)
    {
        Token[] parts = [.. name.Parts];
        switch (parts)
        {
            case [{ Source: "labelled" }] when !vocabulary.HasLabels:
                return WithoutLabels("labelled", name.Column);
            case [{ Source: var count }] when AlertVocabulary.Counts.Contains(count):
                return new Measure(count, count, Conditions.Part.Value, ofSlice: false, name.Column);
            case [{ Source: var rate }, .. var rest] when AlertVocabulary.Rates.Contains(rate):
                return Part(name, rate, rest, Parts);
            case [{ Source: "drift" }, var what, ..] when !vocabulary.HasReference && (what.Source == "max" || IsKnown(what)):
                return Refuse<Quantity>("unknown-figure", name.Column, "drift is the distance from a sealed reference, and this model has none",
                    "name a dataset, or an output as stage.output, with a column by the name of each input: model.reference");
            case [{ Source: "drift" }, { Kind: TokenKind.Name, Source: "max" }, .. var rest]:
                return Part(name, "drift.max", rest, Parts);
            case [{ Source: "drift" }, var feature, ..] when vocabulary.Unprofiled.Contains(feature.Source):
                return Refuse<Quantity>("unknown-figure", feature.Column, $"'{feature.Source}' has more than one value a row, and no drift is told of it", Names.Help(feature.Source, [.. vocabulary.Features!.Value.Except(vocabulary.Unprofiled), "max"]));
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
            case [{ Source: var metric }, ..] when AlertVocabulary.Quality.Contains(metric) && !vocabulary.QualityOfTask.Contains(metric):
                return Refuse<Quantity>("unknown-figure", name.Column, $"labels do not give '{metric}' of a model whose task is {vocabulary.Task}",
                    vocabulary.QualityOfTask.IsEmpty ? "labels are taken of binary-classification and regression alone" : $"they give {string.Join(", ", vocabulary.QualityOfTask)}");
            case [{ Source: var metric }, ..] when AlertVocabulary.Quality.Contains(metric) && !vocabulary.HasLabels:
                return WithoutLabels(metric, name.Column);
            case [{ Source: var metric }, { Source: "delta" } delta, ..] when vocabulary.Evaluated is { } evaluated && AlertVocabulary.Quality.Contains(metric) && !evaluated.Contains(metric):
                return Refuse<Quantity>("unknown-figure", delta.Column, $"'{metric}' is not evaluated when this model is sealed, so there is nothing to take the difference from",
                    GateVocabulary.KnownMetrics.Contains(metric) ? $"add {metric} to evaluate.metrics, or compare {metric} itself" : $"compare {metric} itself");
            case [{ Source: var metric }, { Source: "delta" }, .. var rest] when AlertVocabulary.Quality.Contains(metric):
                return Part(name, metric + ".delta", rest, Parts);
            case [{ Source: var metric }, .. var rest] when AlertVocabulary.Quality.Contains(metric):
                return Part(name, metric, rest, [.. Parts, "delta"]);
            case [{ Source: var count }, var part, ..] when AlertVocabulary.Counts.Contains(count):
                return Refuse<Quantity>("unknown-figure", part.Column, $"'{count}' is a count, and has no part '{part.Source}'");
            default:
                return Refuse<Quantity>("unknown-figure", name.Column, $"there is no figure '{name.Parts[0].Source}'",
                    Names.Help(name.Parts[0].Source, [.. AlertVocabulary.Counts, .. AlertVocabulary.Rates, "drift", "latency", .. vocabulary.QualityOfTask]));
        }
    }

    private Quantity? WithoutLabels(string figure, int column) =>
        Refuse<Quantity>("unknown-figure", column, $"'{figure}' needs outcomes, and monitor asks for none", "add to monitor, say, labels: { within: 7 days }");

    /// <summary>The measure of a feature's drift.</summary>
    public static string OfFeature(string feature) => $"drift.'{feature}'";

    private bool IsKnown(Token feature) => vocabulary.Features is not { } features || features.Contains(feature.Source);
}
