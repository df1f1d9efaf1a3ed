using System.Collections.Immutable;

namespace Slipway.Documents.Rollouts;

/// <summary>The judge's evidence at one moment, in short: a point of the curves that a rollout's page draws.</summary>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Weight">The candidate's then, in 1/10,000.</param>
/// <param name="Harm">Natural logarithm of the e-value for harm; likewise <paramref name="NoWorse"/> of the stronger way to promotion, null where there is none.</param>
/// <param name="HarmAt">Where it decides; likewise <paramref name="NoWorseAt"/>.</param>
/// <param name="Candidate">Requests resolved by then.</param>
public sealed record EvidencePoint(
    long At, int Step, int Weight, JudgeVerdict Verdict, double Harm, double HarmAt, double? NoWorse, double? NoWorseAt, long Candidate, long CandidateBad, long Stable, long StableBad)
{
    /// <param name="weights">As ordered, oldest first.</param>
    public static EvidencePoint Of(JudgeReport report, ImmutableArray<WeightChange> weights)
    {
        var best = report.Promotion.MaxBy(measure => measure.LogE - measure.LogThreshold);
        var cells = report.Evidence.Cells;
        return new(
            report.At, report.Step, weights.LastOrDefault(weight => weight.At <= report.At)?.Weight ?? 0, report.Verdict,
            report.Harm.LogE, report.Harm.LogThreshold, best?.LogE, best?.LogThreshold,
            cells.Sum(cell => cell.Candidate.Requests), cells.Sum(cell => cell.Candidate.BadRequests), cells.Sum(cell => cell.Stable.Requests), cells.Sum(cell => cell.Stable.BadRequests));
    }
}
