using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

/// <summary>What stands between the evidence and "no worse", as sentences; empty when nothing does.</summary>
internal static class MissingEvidence
{
    /// <summary>
    /// Requests that the candidate must have had under the weight now, since what an earlier weight showed may end with it: a candidate
    /// that fails 3 % of them has shown a failure with 95 %.
    /// </summary>
    public const int LeastRequests = 100;

    public static ImmutableArray<string> Of(RolloutEvidence evidence, ImmutableArray<EvidenceMeasure> promotion)
    {
        var missing = Common(evidence);
        var now = evidence.Cells.IsEmpty ? null : evidence.Cells[^1];
        missing.AddRange(now switch
        {
            null or { Weight: 0 } => ["the candidate's weight is 0, so no request reaches it"],
            { Candidate.Requests: 0 } when evidence.Cells.All(cell => cell.Candidate.Requests == 0) => ["no request has reached the candidate yet"],
            { Candidate.Requests: 0 } => [$"no request has reached the candidate at {Weight.Text(now.Weight)} yet"],
            { Candidate.Requests: < LeastRequests and var few } => [$"{More(LeastRequests - few)} to the candidate at {Weight.Text(now.Weight)}: it has had {few}, and {LeastRequests} are due at each weight"],
            _ => Array.Empty<string>(),
        });
        if (promotion.IsEmpty)
            missing.Add("there is no stable version beside the candidate to compare it with, and the plan has no guard on the error rate that it could be held to");
        else if (!promotion.Any(Measures.IsReached))
            missing.AddRange(promotion.Select(measure => Lacks(measure, now)));
        return missing.ToImmutable();
    }

    public static ImmutableArray<string> OfShadow(RolloutEvidence evidence, ImmutableArray<EvidenceMeasure> promotion)
    {
        var missing = Common(evidence);
        var (compared, skipped) = (evidence.Shadow?.Compared ?? 0, evidence.Shadow?.Skipped ?? 0);
        if (compared == 0)
            missing.Add("no answer of the shadow was compared yet");
        else if (compared < LeastRequests)
            missing.Add($"{More(LeastRequests - compared)} that both versions answer: {compared} were, and {LeastRequests} are due");
        if (skipped > compared + (evidence.Shadow?.Failed ?? 0))
            missing.Add($"{Measures.Count(skipped)} requests were not copied, because the shadow was busy: more than those that were");
        if (promotion.IsEmpty)
            missing.Add("the plan has no guard on the error rate that the shadow could be held to");
        else if (!promotion.Any(Measures.IsReached))
            missing.AddRange(promotion.Select(measure => Lacks(measure, null)));
        return missing.ToImmutable();
    }

    private static ImmutableArray<string>.Builder Common(RolloutEvidence evidence)
    {
        var missing = ImmutableArray.CreateBuilder<string>();
        if (evidence.Lost > 0)
            missing.Add($"what became of {Measures.Count(evidence.Lost)} requests or more is not known, so this evidence can show harm and nothing else");
        if (evidence.Waiting > 0)
            missing.Add($"{Measures.Count(evidence.Waiting)} bad events wait until every gateway has told as far");
        return missing;
    }

    private static string Lacks(EvidenceMeasure measure, EvidenceCell? now) =>
        measure.Name == PromotionMeasures.NonInferiority && now is { Weight: Weight.All }
            ? $"{measure.Reading}; at {Weight.Text(Weight.All)} there is no stable version beside it to compare with"
            : string.Create(CultureInfo.InvariantCulture, $"{measure.Reading}: ln E is {measure.LogE:0.00} of {measure.LogThreshold:0.00}");

    private static string More(long count) => count == 1 ? "1 more request" : $"{count} more requests";
}
