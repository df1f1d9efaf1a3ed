using System.Text.Json;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Gates;

/// <summary>The verdict of the gates over a bundle, as a trusted key attested it.</summary>
/// <param name="Judged">As the signer says.</param>
/// <param name="Signer">Id of the key.</param>
public sealed record GateVerdict(GateReport Report, DateTimeOffset Judged, string Signer)
{
    /// <summary>The latest verdict among a verified bundle's statements; of two from the same second, the worse one.</summary>
    /// <returns>Null when no trusted key attested one, which is not a pass.</returns>
    public static GateVerdict? Find(VerifiedBundle bundle) => Find(bundle.Digest, bundle.Statements);

    /// <param name="statements">Those of a verified bundle whose signers may say so.</param>
    public static GateVerdict? Find(Digest bundle, IEnumerable<VerifiedStatement> statements) =>
        statements.Select(statement => Read(bundle, statement))
            .OfType<GateVerdict>()
            .OrderByDescending(verdict => verdict.Judged)
            .ThenByDescending(verdict => Badness(verdict.Report.Verdict))
            .FirstOrDefault();

    private static GateVerdict? Read(Digest bundle, VerifiedStatement signed)
    {
        if (signed.Statement is not { PredicateType: TestResult.PredicateType, Predicate: { } predicate })
            return null;
        try
        {
            // Another tool's test result has other members, and is none of ours.
            return predicate.Deserialize(StatementJson.Default.TestResult) is { GateReport: { } attested } result
                && attested.Deserialize(DocumentJson.Default.GateReport) is { } report
                && report.Bundle == bundle
                && StatementJson.Time(result.JudgedOn) is { } judged
                    ? new GateVerdict(report, judged, signed.Signer.KeyId)
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int Badness(Verdict verdict) => verdict switch
    {
        Verdict.Pass => 0,
        Verdict.NotEvaluated => 1,
        Verdict.InsufficientEvidence => 2,
        _ => 3,
    };
}
