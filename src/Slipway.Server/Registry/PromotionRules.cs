using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Registry;

/// <summary>Decides whether a version may go to a channel. Pure: the same facts give the same ruling, whoever asks and whenever.</summary>
/// <remarks>
/// The requester may approve: that a second person looks is what is wanted, and asking is not authorship. Each person counts once for each
/// rule that names a group of theirs, by their last vote; one last vote against blocks, whatever the others say.
/// </remarks>
internal static class PromotionRules
{
    public static PromotionRuling Judge(PromotionFacts facts)
    {
        var tightened = facts.Floor.Tighten(facts.Plan);
        var last = facts.Votes.GroupBy(vote => vote.By.Principal, StringComparer.Ordinal).Select(votes => votes.Last()).ToArray();
        var against = last.Where(vote => !vote.Vote.Approves).ToArray();
        var counted = last.Where(vote => vote.Vote.Approves && !facts.Authors.Wrote(vote.By)).ToArray();
        ImmutableArray<Fault> hard = [.. Gates(facts.Floor, facts.Gates, facts.Isolation), .. tightened.Faults, .. new[] { facts.Distrust, facts.Baseline, facts.Harm }.OfType<Fault>()];
        ImmutableArray<string> missing =
        [
            .. hard.Select(fault => fault.Message),
            .. against.Select(vote => $"{vote.Vote.ByName} rejects it: {vote.Vote.Reason}"),
            .. tightened.Approvals.Select(rule => Lacking(rule, counted)).OfType<string>(),
        ];
        var state = against.Length > 0 ? PromotionState.Rejected : missing.IsEmpty ? PromotionState.Approved : PromotionState.Waiting;
        return new PromotionRuling(state, tightened, hard, missing);
    }

    /// <summary>What no approval can mend.</summary>
    private static IEnumerable<Fault> Gates(ChannelPolicy floor, GateReport gates, Isolation? isolation)
    {
        if (gates.Verdict != Verdict.Pass)
        {
            var worst = gates.Gates.FirstOrDefault(gate => gate.Verdict == Verdict.Fail) ?? gates.Gates.FirstOrDefault(gate => gate.Verdict == Verdict.InsufficientEvidence);
            yield return new Fault("gates-not-passed", $"the gates' verdict is {gates.Verdict.Word()}: {(worst is null ? gates.Note : $"{worst.Name}: {worst.Reason}")}", Help: "train a better model, or gather the evidence that lacks; a verdict cannot be approved away");
        }

        if (floor.LeastIsolation is { } least && !(isolation >= least))
            yield return new Fault("policy-isolation", $"the policy wants stages run in the isolation {least.Word()}, and {(isolation is { } told ? $"the strongest that a trusted builder tells of is {told.Word()}" : "no trusted builder tells of any")}", Help: $"run again with --isolation {least.Word()}, and push again");

        foreach (var name in floor.RequiredGates)
        {
            var found = gates.Gates.FirstOrDefault(gate => gate.Name == name);
            if (found is not { Verdict: Verdict.Pass })
                yield return new Fault("policy-gate", $"the policy wants the gate '{name}' passed, and {(found is null ? "the bundle does not declare it" : $"its verdict is {found.Verdict.Word()}: {found.Reason}")}", Help: "declare the gate under gates: in the spec, and run again");
        }
    }

    private static string? Lacking(ApprovalRule rule, IEnumerable<CastVote> counted)
    {
        var have = Different(counted.Where(vote => rule.Group == ApprovalRule.Anyone || vote.Vote.Groups.Contains(rule.Group)));
        var lacks = rule.Count - have;
        var whose = rule.Group == ApprovalRule.Anyone ? "" : $" of the group '{rule.Group}'";
        return lacks <= 0 ? null : $"{lacks} more {(lacks == 1 ? "person" : "people")}{whose} must approve, who neither pushed nor signed it";
    }

    /// <summary>How many people they are at least: votes that one person may have cast count as one.</summary>
    private static int Different(IEnumerable<CastVote> votes)
    {
        var counted = new HashSet<string>(StringComparer.Ordinal);
        var people = 0;
        foreach (var vote in votes.Where(vote => !vote.By.People.Any(counted.Contains)))
        {
            counted.UnionWith(vote.By.People);
            people++;
        }

        return people;
    }
}

/// <param name="Floor">The policy as it is now.</param>
/// <param name="Plan">What was asked for.</param>
/// <param name="Gates">The server's own judgement of the bundle.</param>
/// <param name="Votes">Oldest first.</param>
/// <param name="Distrust">Why nobody vouches for the bundle any more; null while somebody does.</param>
/// <param name="Baseline">Why what its gates compared it with says nothing of the channel; null where it does, or nothing was compared.</param>
/// <param name="Harm">What harm its release did; null for none.</param>
internal sealed record PromotionFacts(ChannelPolicy Floor, ChannelPlan Plan, GateReport Gates, ImmutableArray<CastVote> Votes, Authors Authors, Fault? Distrust, Fault? Baseline, Fault? Harm)
{
    /// <summary>The strongest that a trusted builder tells of; null where none does.</summary>
    public Isolation? Isolation { get; init; }
}

/// <param name="By">Whoever voted, as the token tells.</param>
internal sealed record CastVote(Approval Vote, Actor By);

/// <summary>Whose work a version and its plan are: those never count as its approvers.</summary>
/// <param name="People">Who pushed it, whose keys signed it, who set the plan; and those who have held a token that one of these did it with.</param>
internal sealed record Authors(ImmutableHashSet<string> People)
{
    /// <summary>Whether one person may stand behind both, as an administrator does who made both tokens.</summary>
    public bool Wrote(Actor actor) => actor.People.Any(People.Contains);
}

/// <param name="Tightened">The plan under the policy.</param>
/// <param name="Hard">What approvals cannot mend: gates, a plan outside the policy, a revoked key. Empty when there is nothing of that.</param>
/// <param name="Missing">All that lacks, as sentences.</param>
internal sealed record PromotionRuling(PromotionState State, TightenedPlan Tightened, ImmutableArray<Fault> Hard, ImmutableArray<string> Missing);
