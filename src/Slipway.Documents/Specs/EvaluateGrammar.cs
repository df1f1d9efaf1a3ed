using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary>The keys below <c>evaluate:</c> and <c>gates:</c>.</summary>
internal static class EvaluateGrammar
{
    /// <summary>The word that means no column or no baseline.</summary>
    private const string Row = "row", None = "none";

    private static readonly string[] KnownMetrics = ["auc", "accuracy", "log_loss", "brier", "ece"];
    private static readonly Ratio DefaultConfidence = new(0.95);
    private const int DefaultResamples = 2000;

    private static readonly Key<Placed<string>> Predictions = new("predictions", Shapes.Reference, "The output with one row per example, as stage.output.", required: true);
    private static readonly Key<string> Label = new("label", Shapes.Line, "Column of 0 and 1.", required: true);
    private static readonly Key<string> Score = new("score", Shapes.Line, "Column of probabilities, 0 to 1.", required: true);
    private static readonly Key<string> Unit = new("unit", Shapes.Line, "What is independent and resampled as a whole: row, or a column to cluster by.");
    private static readonly Key<string> Baseline = new(
        "baseline", new TextShape("none, or a bundle: a digest, a tag, oci:DIR:TAG or registry/repo:tag", IsBundle, @"^\S{1,500}$"), "The bundle that it is compared with, or none; pinned by digest in slipway.lock.");
    private static readonly Key<ImmutableArray<string>> Metrics = new(
        "metrics", new ListShape<string>(new ChoiceShape<string>([.. KnownMetrics.Select(word => (word, word))]), atLeast: 1, distinct: true), "Of auc, accuracy, log_loss, brier, ece; all when left out.");
    private static readonly Key<ImmutableArray<string>> Slices = new("slices", new ListShape<string>(Shapes.Line, atMost: 100, distinct: true), "Columns by whose values the metrics are repeated.");
    private static readonly Key<Ratio> Confidence = new("confidence", new ShareShape(0.5, 0.9999), "Level of every interval; 95 % when left out.");
    private static readonly Key<long> Resamples = new("resamples", new WholeShape(100, 100_000), "Bootstrap resamples; 2000 when left out.");

    public static Shape<EvaluateDraft> Evaluate { get; } = new RecordShape<EvaluateDraft>(
        [Predictions, Label, Score, Unit, Baseline, Metrics, Slices, Confidence, Resamples],
        fields => new(
            fields.Value(Predictions),
            fields.Of(Label),
            fields.Of(Score),
            fields.Of(Unit) is { } unit && unit != Row ? unit : null,
            fields.Of(Baseline) is { } baseline && baseline != None ? baseline : null,
            fields.IsUnread(Baseline) || fields.Of(Baseline) is not (null or None),
            fields.Has(Metrics) ? fields.Items(Metrics) : [.. KnownMetrics],
            fields.Items(Slices),
            fields.Value(Confidence) ?? DefaultConfidence,
            (int)(fields.Value(Resamples) ?? DefaultResamples),
            fields.At));

    private static readonly Key<string> Name = new("name", Shapes.Line, "What people call it.", required: true);
    private static readonly Key<GateText> Require = new(
        "require", new MadeShape<string, GateText>(Shapes.Text, (text, node) => new(text, ((ScalarNode)node).TextAt)), "A condition over figures, such as auc >= 0.60.", required: true);
    private static readonly Key<WithoutBaseline> Without = new(
        "without-baseline", new ChoiceShape<WithoutBaseline>(("skip", WithoutBaseline.Skip)), "skip: recorded as not evaluated when there is no baseline. Left out, that is an error.");

    public static Shape<ImmutableArray<GateSpec>> Gates { get; } = new ListShape<GateSpec>(new RecordShape<GateSpec>(
        [Name, Require, Without],
        fields => new(fields.Of(Name) ?? "", fields.Of(Require)?.Text ?? "", fields.Value(Without) ?? WithoutBaseline.Refuse)
        {
            At = fields.At,
            RequireAt = fields.Of(Require)?.At ?? fields.At,
        }));

    private static bool IsBundle(string text) => text.Length <= 500 && !text.Any(char.IsWhiteSpace);

    private sealed record GateText(string Text, Place At);
}
