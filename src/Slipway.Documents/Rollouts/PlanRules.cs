using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>What a release plan must be, whoever wrote it: a spec's reader gives these faults their places, a server refuses the plan.</summary>
public static class PlanRules
{
    /// <summary>A plan that somebody sent.</summary>
    /// <returns>Empty when it is sound.</returns>
    public static ImmutableArray<Fault> Check(ReleasePlan plan)
    {
        var channels = ReleasePlan.ChannelNames;
        if (plan.Channels.Count != channels.Length || channels.Any(channel => plan.Channels.GetValueOrDefault(channel) is null))
            return [new Fault("bad-plan", $"the release plan has the channels {string.Join(", ", plan.Channels.Keys)}; expected are {string.Join(" and ", channels)}")];
        return [.. Monitor(plan), .. plan.Channels.SelectMany(channel => Check(channel.Value).Select(broken => new Fault("bad-plan", $"{channel.Key}{(broken.Step is { } step ? $", step {step + 1}" : "")}: {broken.Message}", Help: broken.Help)))];
    }

    private static IEnumerable<Fault> Monitor(ReleasePlan plan) =>
        plan.Monitor is null ? [] : MonitorRules.Check(plan.Monitor).Concat(MonitorRules.Conditions(plan.Monitor)).Select(broken => new Fault("bad-plan", $"monitor{(broken.Step is { } index ? $", {broken.Key} {index + 1}" : "")}: {broken.Message}", Help: broken.Help));

    /// <summary>One channel's part.</summary>
    internal static ImmutableArray<BrokenRule> Check(ChannelPlan plan) => [.. Steps(plan), .. Rest(plan)];

    /// <param name="text">As in a spec: <c>request-id</c>, <c>header:NAME</c>, <c>body:FIELD</c>.</param>
    internal static bool IsKey(string text) =>
        text == ChannelPlan.RequestId
        || text.StartsWith(ChannelPlan.HeaderKey, StringComparison.Ordinal) && IsName(text[ChannelPlan.HeaderKey.Length..])
        || text.StartsWith(ChannelPlan.BodyKey, StringComparison.Ordinal) && IsName(text[ChannelPlan.BodyKey.Length..]);

    /// <summary>The same as a regular expression.</summary>
    internal const string KeyPattern = "^(request-id|(header|body):[A-Za-z0-9_.-]{1,100})$";

    private static bool IsName(string text) => text.Length is >= 1 and <= 100 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static IEnumerable<BrokenRule> Steps(ChannelPlan plan)
    {
        if (plan.Strategy != Strategy.Canary)
        {
            if (!plan.Steps.IsDefaultOrEmpty)
                yield return new("steps", null, $"steps stand with a {plan.Strategy.Word()}, and only a canary has steps", "Remove the steps, or write strategy: canary.");
            yield break;
        }

        if (plan.Steps.IsDefaultOrEmpty || plan.Steps.Length > RolloutStep.MostSteps || plan.Steps.Any(step => step is null))
        {
            yield return new("steps", null, $"a canary has {(plan.Steps.IsDefault ? 0 : plan.Steps.Length)} steps, allowed 1 to {RolloutStep.MostSteps}");
            yield break;
        }

        for (var i = 0; i < plan.Steps.Length; i++)
        {
            var (step, isLast, before) = (plan.Steps[i], i == plan.Steps.Length - 1, i == 0 ? 0 : plan.Steps[i - 1].Weight);
            if (step.Weight is < 1 or > Weight.All)
                yield return new("weight", i, $"the weight is {step.Weight}/10,000, allowed 1 to {Weight.All}");
            else if (step.Weight <= before)
                yield return new("weight", i, $"the weight is {Weight.Text(step.Weight)} after {Weight.Text(before)}, allowed only more than the step before");
            else if (isLast && step.Weight != Weight.All)
                yield return new("weight", i, $"the last step's weight is {Weight.Text(step.Weight)}, allowed 100 %: a release ends with all traffic", "Add a step { weight: 100 % }.");
            if (step.AtMost is { } atMost && (atMost.Value <= TimeSpan.Zero || atMost.Value < step.AtLeast.Value))
                yield return new("at-most", i, $"at-most is {atMost}, and at-least is {step.AtLeast}; allowed is at least that much");
            foreach (var broken in HoldBack(step, i, isLast, before))
                yield return broken;
        }
    }

    private static IEnumerable<BrokenRule> HoldBack(RolloutStep step, int index, bool isLast, int before)
    {
        if (step.HoldBack == 0 && step.For is null)
            yield break;
        if (!isLast)
            yield return new(step.HoldBack == 0 ? "for" : "hold-back", index, $"{(step.HoldBack == 0 ? "for" : "hold-back")} stands in a step that is not the last; a control is held back when all else has gone over", "Move it to the last step; how long another step takes is at-least and at-most.");
        else if (step.HoldBack == 0)
            yield return new("for", index, "for says how long a control is held back, and there is no hold-back", "Write hold-back: 2 %, or remove for.");
        else if (step.HoldBack is < 1 or > RolloutStep.MostHoldBack)
            yield return new("hold-back", index, $"hold-back is {Weight.Text(step.HoldBack)}, allowed {Weight.Text(1)} to {Weight.Text(RolloutStep.MostHoldBack)}");
        else if (step.For is not { Value.Ticks: > 0 })
            yield return new("hold-back", index, "a control is held back, and for how long is not said", "Write for: 1 h beside it.");
        else if (Weight.All - step.HoldBack <= before)
            yield return new("hold-back", index, $"with {Weight.Text(step.HoldBack)} held back the candidate would get {Weight.Text(Weight.All - step.HoldBack)} after {Weight.Text(before)}, allowed only more than the step before");
    }

    private static IEnumerable<BrokenRule> Rest(ChannelPlan plan)
    {
        if (!Enum.IsDefined(plan.Strategy))
            yield return new("strategy", null, $"the strategy is {plan.Strategy}, which is none");
        if (plan is { Strategy: Strategy.Shadow, Guard.ErrorRate: null })
            yield return new("strategy", null, "a shadow has no guard on the error rate, and nothing else could ever show that it is no worse", "Write guard: { error-rate: 1 % } beside it.");
        if (!IsKey(plan.Key))
            yield return new("key", null, "the key is allowed to be request-id, header:NAME or body:FIELD");
        if (plan.Guard.ErrorRate is { Value: not (>= Guard.LeastErrorRate and <= Guard.MostErrorRate) } rate)
            yield return new("error-rate", null, $"error-rate is {rate}, allowed {new Ratio(Guard.LeastErrorRate)} to {new Ratio(Guard.MostErrorRate)}");
        if (plan.Guard.Latency is { } latency && (latency.Limit.Value <= TimeSpan.Zero || LatencyGuard.Quantiles.All(known => known.Quantile != latency.Quantile)))
            yield return new("latency", null, $"the latency guard is {latency.Limit} at {latency.Quantile}, allowed a time above 0 at {string.Join(", ", LatencyGuard.Quantiles.Select(known => known.Name))}");
        var judge = plan.Judge;
        if (judge.FalseAlarm.Value is not (>= JudgeSettings.LeastFalseAlarm and <= JudgeSettings.MostFalseAlarm))
            yield return new("false-alarm", null, $"false-alarm is {judge.FalseAlarm}, allowed {new Ratio(JudgeSettings.LeastFalseAlarm)} to {new Ratio(JudgeSettings.MostFalseAlarm)}");
        if (judge.ToleratedRatio is not (>= JudgeSettings.LeastToleratedRatio and <= JudgeSettings.MostToleratedRatio))
            yield return new("tolerated-ratio", null, $"tolerated-ratio is {judge.ToleratedRatio}, allowed {JudgeSettings.LeastToleratedRatio} to {JudgeSettings.MostToleratedRatio}");
        if (!Enum.IsDefined(judge.OnInsufficient))
            yield return new("on-insufficient", null, $"on-insufficient is {judge.OnInsufficient}, allowed hold and rollback");
        if (judge.PromoteMargin is not (>= JudgeSettings.LeastPromoteMargin and <= JudgeSettings.MostPromoteMargin))
            yield return new("promote-margin", null, $"promote-margin is {judge.PromoteMargin}, allowed {JudgeSettings.LeastPromoteMargin} to {JudgeSettings.MostPromoteMargin}");
        foreach (var broken in Approvals(plan.Approvals))
            yield return broken;
        if (plan.KeepWarm.Value <= TimeSpan.Zero)
            yield return new("keep-warm", null, $"keep-warm is {plan.KeepWarm}, allowed a time above 0");
    }

    /// <summary>Rules of a plan or of a policy.</summary>
    internal static IEnumerable<BrokenRule> Approvals(ImmutableArray<ApprovalRule> rules)
    {
        if (rules.IsDefault || rules.Length > ApprovalRule.MostPeople || rules.Any(rule => rule is null))
        {
            yield return new("approvals", null, $"there are {(rules.IsDefault ? 0 : rules.Length)} approval rules, allowed 0 to {ApprovalRule.MostPeople}");
            yield break;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in rules)
        {
            if (rule.Group.Length is 0 or > ApprovalRule.LongestGroup || rule.Count is < 1 or > ApprovalRule.MostPeople)
                yield return new("approvals", null, $"an approval rule wants {rule.Count} people of a group whose name has {rule.Group.Length} characters, allowed 1 to {ApprovalRule.MostPeople} and 1 to {ApprovalRule.LongestGroup}");
            else if (!seen.Add(rule.Group))
                yield return new("approvals", null, $"the group '{rule.Group}' stands twice in approvals", "Keep one of the two.");
        }
    }
}

/// <param name="Key">As in a spec.</param>
/// <param name="Step">Index of the step that it is about; null for the whole.</param>
internal sealed record BrokenRule(string Key, int? Step, string Message, string? Help = null);
