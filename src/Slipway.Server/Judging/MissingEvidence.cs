using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>What stands between the evidence and "no worse", as sentences; empty when nothing does.</summary>
internal static class MissingEvidence
{
    /// <summary>
    /// Requests that the candidate must have had under the weight now, since what an earlier weight showed may end with it: a candidate
    /// that fails 3 % of them has shown a failure with 95 %.
    /// </summary>
    public const int LeastRequests = 100;

    private const string TooMany = "no number of them in sight would do";

    public static ImmutableArray<string> Of(RolloutEvidence evidence, JudgeSettings settings, Guard guard, ImmutableArray<EvidenceMeasure> promotion)
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
            missing.AddRange(NearestFirst(promotion).Select(measure => Lacks(measure, measure.Name == PromotionMeasures.NonInferiority
                ? MoreEvents(evidence, settings, now, measure.LogThreshold)
                : MoreRequests(guard, Measures.Candidate(evidence), measure.LogThreshold))));
        return missing.ToImmutable();
    }

    public static ImmutableArray<string> OfShadow(RolloutEvidence evidence, Guard guard, ImmutableArray<EvidenceMeasure> promotion)
    {
        var missing = Common(evidence);
        var (compared, failed, skipped) = (evidence.Shadow?.Compared ?? 0, evidence.Shadow?.Failed ?? 0, evidence.Shadow?.Skipped ?? 0);
        if (compared == 0)
            missing.Add("no answer of the shadow was compared yet");
        else if (compared < LeastRequests)
            missing.Add($"{More(LeastRequests - compared)} that both versions answer: {compared} were, and {LeastRequests} are due");
        if (skipped > compared + failed)
            missing.Add($"{Measures.Count(skipped)} requests were not copied, because the shadow was busy: more than those that were");
        if (promotion.IsEmpty)
            missing.Add("the plan has no guard on the error rate that the shadow could be held to");
        else if (!promotion.Any(Measures.IsReached))
            missing.AddRange(NearestFirst(promotion).Select(measure => Lacks(measure, MoreRequests(
                guard with { Latency = null }, EvidenceTally.Empty with { Requests = compared + failed, BadRequests = failed }, measure.LogThreshold))));
        return missing.ToImmutable();
    }

    private static ImmutableArray<string>.Builder Common(RolloutEvidence evidence)
    {
        var missing = ImmutableArray.CreateBuilder<string>();
        if (evidence.Lost > 0)
            missing.Add($"what became of {Measures.Count(evidence.Lost)} or more requests is not known, so this evidence can show harm and nothing else: abort the rollout and release again to gather it anew");
        if (evidence.Waiting > 0)
            missing.Add($"{Measures.Count(evidence.Waiting)} bad events wait until every gateway has told as far");
        return missing;
    }

    /// <summary>Any of them suffices, so the one that is nearest is what to wait for.</summary>
    private static IEnumerable<EvidenceMeasure> NearestFirst(ImmutableArray<EvidenceMeasure> promotion) => promotion.OrderByDescending(measure => measure.LogE / measure.LogThreshold);

    private static string Lacks(EvidenceMeasure measure, string would) =>
        string.Create(CultureInfo.InvariantCulture, $"{measure.Reading}: ln E is {measure.LogE:0.00} of {measure.LogThreshold:0.00}; {would}");

    /// <summary>How many more bad events, split as between equals, would reach the threshold.</summary>
    private static string MoreEvents(RolloutEvidence evidence, JudgeSettings settings, EvidenceCell? now, double threshold)
    {
        if (now is null || !Measures.HasBothArms(now))
            return "at its weight now there is nothing to compare it with";
        var process = ThinningProcess.NonInferiority(settings.PromoteMargin);
        return Least(more =>
        {
            process.Clear();
            var candidate = (long)Math.Round(more * Measures.Share(now));
            process.Add(Measures.Share(now), candidate, more - candidate);
            return Measures.LogE(process, evidence, _ => true) >= threshold;
        }) is { } events ? $"about {Measures.Count(events)} more bad events at {Weight.Text(now.Weight)} would do, if the two are equal" : TooMany;
    }

    /// <summary>How many more requests, none of them bad, would reach the threshold.</summary>
    private static string MoreRequests(Guard guard, ArmEvidence candidate, double threshold) =>
        Least(more => PromotionMeasures.LogEBelow(guard, candidate with { Requests = candidate.Requests + more }) >= threshold) is { } requests
            ? $"{More(requests)} to the candidate would do, if none of them is bad"
            : TooMany;

    /// <summary>The smallest number that suffices; null beyond a thousand million.</summary>
    private static long? Least(Func<long, bool> suffices)
    {
        var (no, yes) = (0L, 1L);
        for (; !suffices(yes); yes *= 2)
        {
            if (yes > 1_000_000_000)
                return null;
            no = yes;
        }

        while (yes - no > 1)
        {
            var middle = (no + yes) / 2;
            (no, yes) = suffices(middle) ? (no, middle) : (middle, yes);
        }

        return yes;
    }

    private static string More(long count) => count == 1 ? "1 more request" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} more requests");
}
