using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Stats.Metrics;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>How e-values and counts become what a report holds.</summary>
internal static class Measures
{
    public static EvidenceMeasure Of(string name, double logE, double logThreshold, string reading) =>
        new(name, SignificantDigits.Round(Math.Clamp(logE, -EvidenceMeasure.Proof, EvidenceMeasure.Proof)), SignificantDigits.Round(logThreshold), reading);

    public static bool IsReached(EvidenceMeasure measure) => measure.LogE >= measure.LogThreshold;

    /// <summary>ρ of a cell; an event of a cell without either arm says nothing.</summary>
    public static double Share(EvidenceCell cell) => cell.Weight / (double)Weight.All;

    public static bool HasBothArms(EvidenceCell cell) => cell.Weight is > 0 and < Weight.All;

    /// <summary>First bad events of users in cells with both arms, and how many of them an equal candidate would have had.</summary>
    public static (long Candidate, long All, double Expected) Firsts(RolloutEvidence evidence, Func<BadKind, bool> counts)
    {
        var (candidate, all, expected) = (0L, 0L, 0.0);
        foreach (var cell in evidence.Cells.Where(HasBothArms))
        {
            var mine = cell.Bad.Where(bad => counts(bad.Kind)).ToArray();
            candidate += mine.Sum(bad => bad.Candidate);
            all += mine.Sum(bad => bad.Candidate + bad.Stable);
            expected += Share(cell) * mine.Sum(bad => bad.Candidate + bad.Stable);
        }

        return (candidate, all, expected);
    }

    public static double LogE(ThinningProcess process, RolloutEvidence evidence, Func<BadKind, bool> counts)
    {
        foreach (var cell in evidence.Cells)
        {
            foreach (var bad in cell.Bad.Where(bad => counts(bad.Kind)))
                process.Add(Share(cell), bad.Candidate, bad.Stable);
        }

        return process.LogE;
    }

    public static ArmEvidence Candidate(RolloutEvidence evidence) => evidence.Cells.Select(cell => cell.Candidate).Aggregate(EvidenceTally.Empty, EvidenceTally.Plus);

    public static string Of(long count, long all) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} of {all:N0}") + (all > 0 ? $" ({Percent((double)count / all)})" : "");

    public static string Percent(double share) => new Ratio(share).ToString();

    public static string Count(double count) => count.ToString(count < 10 ? "0.#" : "N0", CultureInfo.InvariantCulture);
}
