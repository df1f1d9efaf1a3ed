using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Judges a bundle's gates anew, from what is sealed in it: no verdict that somebody attested is believed.</summary>
internal static class GateReview
{
    /// <summary>What the bundle's lock names as baseline, as far as it is registered here as a version of the same model.</summary>
    /// <returns>Null and no reason where none is named; null and the reason why it is not at hand.</returns>
    public static async Task<(SealedEvaluation? Baseline, string? Missing)> BaselineAsync(Session session, string model, BundleDocuments documents)
    {
        if (documents.Lock.Baseline is not { } digest)
            return (null, null);
        if (await VersionTable.FindAsync(session, digest) is not { } version || version.Model != model)
            return (null, $"the baseline {digest} is no registered version of {model}");
        return await VersionTable.EvidenceAsync(session, digest) is { Evaluation: { } evaluation, Replicates: { } replicates }
            ? (new SealedEvaluation(digest, evaluation, replicates), null)
            : (null, $"the baseline {digest} (version {version.Number}) holds no evaluation");
    }

    /// <exception cref="SlipwayException">A sealed condition cannot be read, or names a figure that is not there (exit 2).</exception>
    public static GateReport Judge(Digest bundle, BundleDocuments documents, SealedEvaluation? baseline, string? missing) =>
        documents is { Evaluation: { } evaluation, Replicates: { } replicates }
            ? GateJudge.Judge(documents.Spec.Gates, new SealedEvaluation(bundle, evaluation, replicates), baseline, missing)
            : new GateReport(bundle, null, Verdict.InsufficientEvidence, [], "the bundle holds no evaluation, so there is nothing that the model was held to");

    /// <summary>Where the verdict that was attested is another than the server's own; null where they agree, or nothing was attested.</summary>
    /// <remarks>Figures may differ in their last digits between machines; verdicts are what is compared.</remarks>
    public static Fault? Contradiction(GateReport own, GateVerdict? attested)
    {
        if (attested is null)
            return null;
        var (ours, theirs) = (Shown(own), Shown(attested.Report));
        return ours == theirs
            ? null
            : new Fault("verdict-contradicts-evidence", $"key {attested.Signer[..12]} attests: {theirs}; the sealed evaluation says: {ours}", Help: "run the gates again with this version of Slipway; if they still differ, somebody sealed or signed by hand");
    }

    private static string Shown(GateReport report) =>
        string.Join(", ", report.Gates.OrderBy(gate => gate.Name, StringComparer.Ordinal).Select(gate => $"{gate.Name} ({gate.Require}) {gate.Verdict.Word()}").Prepend(report.Verdict.Word()));
}
