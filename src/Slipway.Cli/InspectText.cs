using System.Globalization;
using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>What a bundle is, on one screen.</summary>
internal static class InspectText
{
    public static void Write(TextPage page, BundleCard card)
    {
        page.Line("bundle", $"{card.Name} {card.Bundle}");
        page.Line("", $"{new ByteSize(card.Size)} in {string.Join(", ", card.Layers.Select(layer => layer.Path))}; {card.Sealed.Task}, hosted by {(card.Sealed.IsOnnx ? "ONNX Runtime" : "a command of its own")}; licence {card.Sealed.License ?? "not told"}");
        Signers(page, card);
        Gates(page, card);
        if (card.Evaluation is { } evaluation)
            RunReport.Evaluation(page, evaluation);
        else
            page.Line("evaluated", "not at all: it was sealed without an evaluation");
        foreach (var data in card.Sealed.Snapshots)
        {
            page.Line("data", $"{data.Name}: {CountText.Some(data.Rows, "row")}, {new ByteSize(data.Bytes)} in {CountText.Some(data.Files, "file")}, {data.Digest}");
            if (card.Sealed.Sources.GetValueOrDefault(data.Name) is { } source)
                page.Line("", $"from {source.Url}{(source.License is { } license ? $" ({license})" : "")}");
        }

        Origins(page, card);
        page.Line("stages", string.Join(", ", card.Stages.Select(stage => stage.Name)));
        foreach (var input in card.Sealed.Signature.Inputs)
            page.Line("takes", Tensor(input));
        foreach (var output in card.Sealed.Signature.Outputs)
            page.Line("gives", Tensor(output));
        foreach (var (name, needs) in card.Sealed.Hardware)
            page.Line("hardware", $"{name}: {HardwareText.Of(needs)}");
        foreach (var environment in card.Sealed.Environments)
            page.Line("environment", $"{environment.Name}: {CountText.Some(environment.Packages.Count, "Debian package")} for {environment.Architecture}, {environment.Digest}");
    }

    private static void Signers(TextPage page, BundleCard card)
    {
        foreach (var (signer, statements) in card.Statements.GroupBy(statement => statement.SignedBy).Select(group => (group.Key, group)))
        {
            page.Line("signed by", signer);
            foreach (var statement in statements)
                page.Line("", $"{statement.PredicateType}{(statement.Said is { } said ? $", {said}" : "")}{(statement.Before is { } before ? $", before {before}" : "")}");
        }
    }

    private static void Gates(TextPage page, BundleCard card)
    {
        if (card.Gates is not { } gates)
        {
            page.Line("gates", "no trusted key has attested a verdict");
            return;
        }

        page.Line("gates", $"{gates.Report.Verdict.Word()}, judged {gates.Judged.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}{(gates.Report.Baseline is { } baseline ? $", compared with {baseline}" : ", without a baseline")}");
        RunReport.Gates(page, gates.Report.Gates);
    }

    private static void Origins(TextPage page, BundleCard card)
    {
        if (card.Origins.IsEmpty)
            page.Line("made by", "nobody says: no provenance of Slipway's form is attested");
        foreach (var origin in card.Origins)
        {
            page.Line("commit", origin.Commit is { } commit
                ? $"{commit}{(origin.IsDirty ? ", with changes that were not committed" : "")}{(origin.Remote is { } remote ? $", of {remote}" : "")}"
                : "none: it was made outside a work tree");
            page.Line("", $"built by {origin.Builder}{(origin.Version is { } version ? $", Slipway {version}" : "")}, run {origin.Run}, finished {origin.Finished}, isolation {origin.Isolation?.Word() ?? "not told"}");
        }
    }

    private static string Tensor(TensorSpec tensor) =>
        $"{tensor.Name}: {tensor.Datatype.ToString().ToLowerInvariant()} [{string.Join(", ", tensor.Shape.Select(size => size < 0 ? "any" : size.ToString(CultureInfo.InvariantCulture)))}]"
        + (tensor.Range is { } range ? string.Create(CultureInfo.InvariantCulture, $", {range.Low} to {range.High}") : "") + (tensor.Unit is { } unit ? $" {unit}" : "");
}
