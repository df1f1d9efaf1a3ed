using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Attestations;

namespace Slipway.Pipeline.Sealing;

/// <summary>Evaluation and gates as in-toto test-result statements about a sealed bundle.</summary>
/// <remarks>
/// The predicate knows PASSED, WARNED and FAILED alone, and readers take WARNED for a pass with remarks; so insufficient evidence is
/// FAILED there, and the gate report that is carried along says what it was.
/// </remarks>
internal static class VerdictStatement
{
    /// <summary>The gates' verdict. PASSED only when every gate passed; WARNED when some were skipped as the spec allows.</summary>
    public static Statement OfGates(GateReport report, BundleDocuments documents, DateTimeOffset judged)
    {
        var skipped = report.Gates.Any(gate => gate.Verdict == Verdict.NotEvaluated);
        var result = report.Verdict switch
        {
            Verdict.Pass when !skipped => TestResult.Passed,
            Verdict.Pass => TestResult.Warned,
            _ => TestResult.Failed,
        };
        var predicate = new TestResult(
            result,
            [Configuration(documents)],
            Named(Verdict.Pass),
            [.. Named(Verdict.InsufficientEvidence), .. Named(Verdict.NotEvaluated)],
            Named(Verdict.Fail),
            StatementJson.Time(judged),
            GateReport: JsonSerializer.SerializeToElement(report, DocumentJson.Default.GateReport));
        return Statement.About(report.Bundle, documents.Spec.Name, TestResult.PredicateType, predicate.ToJson());

        ImmutableArray<string> Named(Verdict verdict) => [.. report.Gates.Where(gate => gate.Verdict == verdict).Select(gate => gate.Name)];
    }

    /// <summary>That the evaluation was made: a metric with an interval is a passed test, one without a warning, a missing one a failure.</summary>
    /// <param name="documents">With an evaluation.</param>
    public static Statement OfEvaluation(Digest bundle, BundleDocuments documents, DateTimeOffset judged)
    {
        var evaluation = documents.Evaluation ?? throw new ArgumentException("the bundle has no evaluation", nameof(documents));
        var asked = documents.Spec.Evaluate?.Metrics ?? [];
        var missing = asked.Where(metric => !evaluation.Metrics.ContainsKey(metric)).ToImmutableArray();
        var unsure = evaluation.Metrics.Where(metric => metric.Value.Low is null || metric.Value.High is null).Select(metric => metric.Key).ToImmutableArray();
        var predicate = new TestResult(
            !missing.IsEmpty ? TestResult.Failed : !unsure.IsEmpty ? TestResult.Warned : TestResult.Passed,
            [Configuration(documents)],
            [.. evaluation.Metrics.Keys.Except(unsure)],
            unsure,
            missing,
            StatementJson.Time(judged),
            Evaluation: new EvaluationSummary(Digest.Of(documents.ToFiles()["evaluation.json"]), evaluation.Predictions, evaluation.Rows, evaluation.Metrics));
        return Statement.About(bundle, documents.Spec.Name, TestResult.PredicateType, predicate.ToJson());
    }

    /// <summary>Whether a statement says that of this very evaluation.</summary>
    public static bool IsOfEvaluation(Statement statement, BundleDocuments documents) =>
        statement is { PredicateType: TestResult.PredicateType, Predicate: { ValueKind: JsonValueKind.Object } predicate }
        && predicate.TryGetProperty("slipway_evaluation", out var evaluation) && evaluation.ValueKind == JsonValueKind.Object
        && evaluation.TryGetProperty("document", out var document) && document.ValueEquals(Digest.Of(documents.ToFiles()["evaluation.json"]).ToString());

    private static ResourceDescriptor Configuration(BundleDocuments documents) =>
        ResourceDescriptor.SealedSpec(Digest.Of(documents.ToFiles()["spec.json"]));
}
