using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Registry;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Cards;

/// <summary>What a model card tells, in order; how it looks is its writers' matter.</summary>
internal static class CardContent
{
    public static ImmutableArray<CardSection> Of(BundleCard card) =>
    [
        new("What it is", [Facts(card)]),
        new("How good it is", [.. Quality(card)]),
        new("Its limits", [new CardList([.. CardLimits.Of(card.Evaluation, card.Gates?.Report, card.Sealed.Signature)])]),
        new("What goes in and comes out", [Signature(card.Sealed.Signature)]),
        new("What it was made from", [.. Origins(card)]),
        new("What it needs", [.. Needs(card)]),
        new("Who vouches for it", [Statements(card)]),
    ];

    private static CardTable Facts(BundleCard card) => new("The bundle",
        ["What", ""],
        [
            ["Model", card.Name],
            ["Bundle", card.Bundle.ToString()],
            ["Task", card.Sealed.Task],
            ["Licence", card.Sealed.License ?? "not told"],
            ["Hosted by", card.Sealed.IsOnnx ? "ONNX Runtime" : "a command of its own"],
            ["Size", new ByteSize(card.Size).ToString()],
            ["Seed", card.Sealed.Seed.ToString(CultureInfo.InvariantCulture)],
        ]);

    private static IEnumerable<CardPart> Quality(BundleCard card)
    {
        yield return Verdict(card.Gates);
        if (card.Gates is { } gates)
            yield return new CardTable("Gates", ["Gate", "Verdict", "Why", "Condition"], [.. gates.Report.Gates.Select(gate => ImmutableArray.Create(gate.Name, gate.Verdict.Word(), gate.Reason, gate.Require))]);
        if (card.Evaluation is not { } evaluation)
        {
            yield return new CardText("It was sealed without an evaluation: nothing is known of how good it is.");
            yield break;
        }

        yield return new CardText($"Measured on {CountText.Some(evaluation.Rows, "held-out row")}, {CountText.Count(evaluation.Positives)} of them positive{(card.MeasuredOn is { } table ? $": {table}" : "")}. "
            + $"Intervals of {NumberText.Short(evaluation.Confidence, ChartUnit.Share)} by bootstrap ({evaluation.Method}, {CountText.Some(evaluation.Resamples, "resample")}) over {(evaluation.Unit is { } unit ? $"{CountText.Count(evaluation.Units)} values of {unit}, each as a whole" : "rows as if they were independent")}.");
        yield return new CardTable("Metrics", ["Metric", "Value", "Interval", "Rows", "Meaning"],
            [.. evaluation.Metrics.Select(metric => ImmutableArray.Create(metric.Key, Exact(metric.Value.Value), Interval(metric.Value), CountText.Count(metric.Value.N), MetricMeaning.Of(metric.Key)))]);
        foreach (var chart in card.Curves is { } curves ? EvaluationCharts.Curves(evaluation, curves) : [])
            yield return new CardChart(chart);
        foreach (var chart in EvaluationCharts.Slices(evaluation))
            yield return new CardChart(chart);
    }

    private static CardText Verdict(GateVerdict? gates) => new(gates is null
        ? "No trusted key has attested a verdict of its gates, which is not a pass."
        : $"Gates: {gates.Report.Verdict.Word()}, judged {gates.Judged.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC, signed by key {gates.Signer}, "
            + (gates.Report.Baseline is { } baseline ? $"compared with {baseline}." : "without a baseline.") + (gates.Report.Note is { } note ? $" {note}." : ""));

    private static CardTable Signature(ModelSignature signature) => new("The signature: what breaks it is refused",
        ["Name", "Way", "Type", "Shape", "Range", "Unit"],
        [
            .. signature.Inputs.Select(input => Row(input, "in")),
            .. signature.Outputs.Select(output => Row(output, "out")),
        ]);

    private static ImmutableArray<string> Row(TensorSpec tensor, string way) =>
    [
        tensor.Name, way, tensor.Datatype.ToString().ToLowerInvariant(),
        string.Join(" × ", tensor.Shape.Select(size => size < 0 ? "any" : size.ToString(CultureInfo.InvariantCulture))),
        tensor.Range is { } range ? $"{Exact(range.Low)} to {Exact(range.High)}" : "any",
        tensor.Unit ?? "–",
    ];

    private static IEnumerable<CardPart> Origins(BundleCard card)
    {
        yield return card.Sealed.Snapshots.IsEmpty ? new CardText("It takes in no dataset.") : new CardTable("Data, each fixed by its digest",
            ["Dataset", "Rows", "Files", "Bytes", "Columns", "From", "Digest"],
            [.. card.Sealed.Snapshots.Select(data => Row(data, card.Sealed))]);
        yield return card.Origins.IsEmpty ? new CardText("No provenance of Slipway's form is attested.") : new CardTable("Runs that sealed these very outputs",
            ["Commit", "From", "Built by", "Isolation", "Finished", "Run", "Signed by key"],
            [
                .. card.Origins.Select(origin => ImmutableArray.Create(
                    origin.Commit is { } commit ? commit + (origin.IsDirty ? " and changes that were not committed" : "") : "no work tree",
                    origin.Remote ?? "–", origin.Builder + (origin.Version is { } version ? $" {version}" : ""), origin.Isolation?.Word() ?? "not told", origin.Finished, origin.Run, origin.Signer)),
            ]);
        yield return new CardTable("Stages", ["Stage", "Takes in", "Gives", "Step key"],
            [.. card.Stages.Select(stage => ImmutableArray.Create(stage.Name, string.Join(", ", stage.Inputs.Keys), string.Join(", ", stage.Outputs.Keys), stage.StepKey.ToString()))]);
        yield return new CardChart(LineageChart.Of(new Lineage.LineageGraph(card.Stages)));
    }

    private static ImmutableArray<string> Row(CardSnapshot data, SealedCard card) =>
    [
        data.Name, CountText.Count(data.Rows), CountText.Count(data.Files), CountText.Count(data.Bytes), string.Join(", ", data.Columns.Select(column => column.Name)),
        card.Sources.GetValueOrDefault(data.Name) is { } source ? $"{source.Url}{(source.License is { } license ? $" ({license})" : "")}" : "not told",
        data.Digest.ToString(),
    ];

    private static IEnumerable<CardPart> Needs(BundleCard card)
    {
        yield return card.Sealed.Hardware.IsEmpty ? new CardText("No hardware is asked for.") : new CardTable("Hardware", ["Profile", "Needs"],
            [.. card.Sealed.Hardware.Select(needs => ImmutableArray.Create(needs.Key, HardwareText.Of(needs.Value)))]);
        yield return card.Sealed.Environments.IsEmpty ? new CardText("No environment is declared: it ran with whatever its host had.") : new CardTable("Environments", ["Environment", "Packages", "Architecture", "Digest"],
            [.. card.Sealed.Environments.Select(environment => ImmutableArray.Create(environment.Name, CountText.Count(environment.Packages.Count), environment.Architecture, environment.Digest.ToString()))]);
    }

    private static CardTable Statements(BundleCard card) => new("What trusted signers said of it, and when they say that they did; what existed before a time, somebody else vouches for",
        ["Statement", "Said", "Existed before", "By"],
        [.. card.Statements.Select(statement => ImmutableArray.Create(statement.PredicateType, statement.Said ?? "–", statement.Before ?? "–", statement.SignedBy))]);

    private static string Exact(double value) => NumberText.Exact(value, ChartUnit.Number);

    private static string Interval(Figure figure) => figure is { Low: { } low, High: { } high } ? $"{Exact(low)} to {Exact(high)}" : $"none: {figure.Lacks ?? "it was not computed"}";
}

/// <summary>A part of a card under a heading.</summary>
internal sealed record CardSection(string Title, ImmutableArray<CardPart> Parts);

internal abstract record CardPart;

internal sealed record CardText(string Text) : CardPart;

internal sealed record CardList(ImmutableArray<string> Items) : CardPart;

/// <param name="Rows">Each with a cell for each column; the first names the row.</param>
internal sealed record CardTable(string Caption, ImmutableArray<string> Columns, ImmutableArray<ImmutableArray<string>> Rows) : CardPart;

internal sealed record CardChart(Chart Chart) : CardPart;
