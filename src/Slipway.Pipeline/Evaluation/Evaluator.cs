using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;
using EvaluationDocument = Slipway.Documents.Evaluations.Evaluation;

namespace Slipway.Pipeline.Evaluation;

/// <summary>What an evaluation gives: the three documents to seal, and what the reader should know.</summary>
/// <param name="Warnings">Such as a time column without <c>evaluate.unit</c>; none of them stops a run.</param>
internal sealed record EvaluationOutcome(EvaluationDocument Evaluation, EvaluationReplicates Replicates, EvaluationCurves Curves, ImmutableArray<Fault> Warnings);

/// <summary>Computes the metrics of a predictions table, each with a bootstrap interval over <c>evaluate.unit</c>, in whole and by slice.</summary>
/// <remarks>
/// The documents depend on the predictions, the spec and the seed alone; not on threads or the machine. Memory: some 25 bytes a row
/// where units are clusters, 80 where each row is a unit (and one integer a row and thread). Time: resamples × the smaller of rows and units².
/// </remarks>
internal static class Evaluator
{
    /// <summary>Rows below which a slice's metrics are left out: its count stays.</summary>
    public const int MinSliceRows = 20;

    /// <param name="seed">Of the spec's <c>determinism:</c>.</param>
    /// <param name="predictions">The table's absolute path: Parquet, CSV or JSON lines, by its extension.</param>
    /// <param name="digest">Of that file; goes into the evaluation.</param>
    /// <param name="scratchFolder">Where a private folder for spilled data may be made.</param>
    /// <param name="threads">Resamples computed at once; at least 1. The result does not depend on it.</param>
    /// <exception cref="SlipwayException">The table cannot be read or evaluated: <c>missing-column</c>, <c>bad-label</c>, <c>bad-score</c>, <c>null-unit</c>, <c>one-class</c>, <c>empty-predictions</c>, …</exception>
    public static EvaluationOutcome Evaluate(EvaluateSpec spec, long seed, string predictions, Digest digest, string scratchFolder, int threads, CancellationToken cancellation)
    {
        Predictions read;
        using (var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = scratchFolder, AllowedPaths = [predictions] }))
            read = new PredictionsReader(spec, predictions, database, cancellation).Read();
        return Evaluate(spec, seed, read, digest, threads, cancellation);
    }

    internal static EvaluationOutcome Evaluate(EvaluateSpec spec, long seed, Predictions predictions, Digest digest, int threads, CancellationToken cancellation)
    {
        var rows = predictions.Rows;
        var kept = spec.Metrics.ToImmutableHashSet();
        var plan = new AssessmentPlan(
            kept.Contains("ece") ? kept.Add("ece_plain") : kept, rows.UnitCount <= ClusterBootstrap.MaxJackknifeUnits, spec.Confidence.Value, spec.Resamples, seed, threads);
        var ranked = rows.Rank();
        var metrics = new BinaryMetrics(rows, ranked);
        var whole = Assessment.Of(metrics, plan, cancellation);
        var evaluation = new EvaluationDocument(
            digest,
            rows.Rows,
            metrics.Positives,
            spec.Unit,
            metrics.Units,
            UnitsFingerprint.Of(predictions),
            plan.UsesBca ? PairedReplicates.Bca : PairedReplicates.Percentile,
            plan.Confidence,
            plan.Resamples,
            seed,
            whole.Figures,
            predictions.Slices.ToImmutableSortedDictionary(column => column.Name, column => Slices(rows, column, ranked, plan, cancellation), StringComparer.Ordinal));
        return new EvaluationOutcome(evaluation, new EvaluationReplicates(whole.Replicates, whole.LeaveOneOut), EvaluationCurves.Of(ScoreCurves.Of(rows, ranked), rows.Rows, metrics.Positives, plan.Confidence), Warnings(spec, predictions, metrics));
    }

    private static ImmutableArray<SliceEvaluation> Slices(LabelledScores rows, SliceColumn column, int[] ranked, AssessmentPlan plan, CancellationToken cancellation) =>
    [
        .. column.Split(ranked)
            .Select((part, value) => new SliceEvaluation(
                column.Values[value],
                part.Length,
                part.Length < MinSliceRows
                    ? ImmutableSortedDictionary<string, Figure>.Empty
                    : Assessment.Of(new BinaryMetrics(rows, part), plan, cancellation).Figures))
            .OrderByDescending(slice => slice.N)
            .ThenBy(slice => slice.Value, StringComparer.Ordinal),
    ];

    private static ImmutableArray<Fault> Warnings(EvaluateSpec spec, Predictions predictions, BinaryMetrics metrics)
    {
        var warnings = ImmutableArray.CreateBuilder<Fault>();
        if (spec.Unit is null && !predictions.TimeColumns.IsEmpty)
            Warn("no-unit", $"rows are resampled as if independent, but the predictions have a time ({string.Join(", ", predictions.TimeColumns)}), and rows of one day seldom are: intervals may be far too narrow",
                $"name what is independent, such as a day: evaluate.unit: {predictions.TimeColumns[0]}");
        if (metrics.Units < ClusterBootstrap.MinUnits)
            Warn("few-units", $"{metrics.Units} units of {spec.Unit ?? "rows"} are too few for intervals, so no gate on a figure can pass; at least {ClusterBootstrap.MinUnits} are needed", null);
        if (metrics.Clipped > 0 && spec.Metrics.Contains("log_loss"))
            Warn("clipped-scores", $"{metrics.Clipped} scores are 0 or 1, or as good as; log-loss clips them at {BinaryMetrics.Clip} from either", null);
        return warnings.ToImmutable();

        void Warn(string code, string message, string? help) =>
            warnings.Add(spec.At.File is null ? new Fault(code, message, Help: help) : spec.At.Fault(code, message, help));
    }
}
