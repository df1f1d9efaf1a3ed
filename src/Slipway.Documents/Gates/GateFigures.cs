using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Evaluations;
using Slipway.Expressions.Figures;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Gates;

/// <summary>An evaluation as it lies in a bundle.</summary>
/// <param name="Bundle">The bundle's manifest digest.</param>
public sealed record SealedEvaluation(Digest Bundle, Evaluation Evaluation, EvaluationReplicates Replicates);

/// <summary>Lays an evaluation and its differences from the baseline out for conditions to read.</summary>
internal static class GateFigures
{
    public static FigureSet Of(SealedEvaluation candidate, SealedEvaluation? baseline)
    {
        var evaluation = candidate.Evaluation;
        var measures = ImmutableSortedDictionary.CreateBuilder<string, FigureReading>(StringComparer.Ordinal);
        foreach (var (name, figure) in evaluation.Metrics)
        {
            measures[name] = Reading(figure);
            measures[name + ".delta"] = baseline is null
                ? new FigureReading(null, null, null, evaluation.Rows, "there is no baseline")
                : Delta(name, candidate, baseline);
        }

        return new FigureSet(evaluation.Rows, evaluation.Units, Basis(evaluation), measures.ToImmutable(), evaluation.Slices.ToImmutableSortedDictionary(
            column => column.Key,
            column => column.Value.Select(slice => new SliceFigures(
                slice.Value,
                slice.N,
                slice.Metrics.ToImmutableSortedDictionary(metric => metric.Key, metric => Reading(metric.Value), StringComparer.Ordinal))).ToImmutableArray(),
            StringComparer.Ordinal));
    }

    private static FigureReading Delta(string metric, SealedEvaluation candidate, SealedEvaluation baseline)
    {
        var (delta, notComparable) = PairedReplicates.Difference(metric, candidate.Evaluation, candidate.Replicates, baseline.Evaluation, baseline.Replicates);
        return delta is not null ? Reading(delta) : new FigureReading(null, null, null, candidate.Evaluation.Rows, $"not comparable with the baseline: {notComparable}");
    }

    private static FigureReading Reading(Figure figure) => new(figure.Value, figure.Low, figure.High, figure.N, figure.Lacks);

    private static string Basis(Evaluation evaluation) =>
        $"{new Ratio(evaluation.Confidence)} over {evaluation.Units.ToString("N0", CultureInfo.InvariantCulture)} "
        + (evaluation.Unit is { } unit ? $"units of {unit}" : "rows");
}
