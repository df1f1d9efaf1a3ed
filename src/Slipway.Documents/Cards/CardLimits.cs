using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Serving;

namespace Slipway.Documents.Cards;

/// <summary>What the sealed documents themselves say against a model; what nobody measured is a limit too.</summary>
public static class CardLimits
{
    /// <param name="gates">Null where no trusted key attested a verdict.</param>
    public static IEnumerable<string> Of(Evaluation? evaluation, GateReport? gates, ModelSignature? signature)
    {
        if (evaluation is null)
            yield return "Nobody measured it on held-out data.";
        foreach (var limit in evaluation is null ? [] : Of(evaluation))
            yield return limit;
        foreach (var gate in (gates?.Gates ?? []).Where(gate => gate.Verdict != Verdict.Pass))
            yield return $"Gate {gate.Name}: {gate.Verdict.Word().Replace('-', ' ')}. {gate.Reason}";
        if (signature is not null && signature.Inputs.Any(input => input.Range is not null))
            yield return $"It answers within the declared ranges of {string.Join(", ", signature.Inputs.Where(input => input.Range is not null).Select(input => input.Name))} alone.";
    }

    private static IEnumerable<string> Of(Evaluation evaluation)
    {
        yield return $"Measured on {CountText.Some(evaluation.Rows, "held-out row")}, of which {CountText.Count(evaluation.Positives)} are positive: it may be otherwise on other data.";
        foreach (var (name, figure) in evaluation.Metrics.Where(metric => metric.Value.Low is null))
            yield return $"{name} has no interval: {figure.Lacks ?? "it was not computed"}.";
        var thin = evaluation.Slices.SelectMany(column => column.Value.Where(slice => slice.Metrics.IsEmpty).Select(slice => $"{column.Key} = {slice.Value}")).ToArray();
        if (thin.Length > 0)
            yield return $"Too few rows to measure {thin.Length} of the slices, such as {thin[0]}.";
        if (evaluation.Slices.IsEmpty)
            yield return "Nobody looked at how it does by group: no slice is declared.";
    }
}
