using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Policies;

/// <summary>What a release to one channel is held to. What is null is not said.</summary>
/// <remarks>Compares collections by identity.</remarks>
/// <param name="Approvals">At least these; empty for none, which only an administrator can say.</param>
/// <param name="Strategies">Those that are allowed.</param>
/// <param name="WidestFirstStep">Largest share of the first traffic that a version gets, in 1/10,000. A blue-green's is all of it.</param>
/// <param name="ShortestAtLeast">Every step but the last takes at least that long.</param>
/// <param name="LongestAtMost">Every step but the last ends after that at the latest; one without an at-most would wait for ever.</param>
/// <param name="RequiredGates">Names of gates that the bundle must declare, and pass.</param>
public sealed record ChannelPolicy(
    ImmutableArray<ApprovalRule>? Approvals,
    ImmutableArray<Strategy>? Strategies,
    int? WidestFirstStep,
    Duration? ShortestAtLeast,
    Duration? LongestAtMost,
    ImmutableArray<string> RequiredGates)
{
    /// <summary>Bounds <see cref="Guard.ErrorRate"/>; a plan without one gets it.</summary>
    public Ratio? LargestErrorRate { get; init; }

    /// <summary>Bounds <see cref="JudgeSettings.FalseAlarm"/>: what a promotion is shown by.</summary>
    public Ratio? LargestFalseAlarm { get; init; }

    /// <summary>Bounds <see cref="JudgeSettings.ToleratedRatio"/>.</summary>
    public double? LargestToleratedRatio { get; init; }

    /// <summary>Bounds <see cref="JudgeSettings.PromoteMargin"/>.</summary>
    public double? LargestPromoteMargin { get; init; }

    /// <summary>The weakest isolation that stages may have run in, as provenance by a trusted builder says.</summary>
    public Isolation? LeastIsolation { get; init; }

    /// <summary>Says nothing.</summary>
    public static ChannelPolicy Silent { get; } = new(null, null, null, null, null, []);

    /// <summary>What is wanted where a policy does not speak of approvals: one person for production, who is neither pusher nor signer.</summary>
    public static ImmutableArray<ApprovalRule> DefaultApprovals(string channel) =>
        channel == ReleasePlan.Production ? [new ApprovalRule(ApprovalRule.Anyone, 1)] : [];

    public static ChannelPolicy StricterOf(ChannelPolicy a, ChannelPolicy b) => new(
        a.Approvals is { } first && b.Approvals is { } second ? Unite(first, second) : a.Approvals ?? b.Approvals,
        a.Strategies is { } these && b.Strategies is { } those ? [.. these.Intersect(those)] : a.Strategies ?? b.Strategies,
        Least(a.WidestFirstStep, b.WidestFirstStep),
        Most(a.ShortestAtLeast, b.ShortestAtLeast),
        Least(a.LongestAtMost, b.LongestAtMost),
        [.. a.RequiredGates.Union(b.RequiredGates, StringComparer.Ordinal).Order(StringComparer.Ordinal)])
    {
        LargestErrorRate = Least(a.LargestErrorRate, b.LargestErrorRate),
        LargestFalseAlarm = Least(a.LargestFalseAlarm, b.LargestFalseAlarm),
        LargestToleratedRatio = Least(a.LargestToleratedRatio, b.LargestToleratedRatio),
        LargestPromoteMargin = Least(a.LargestPromoteMargin, b.LargestPromoteMargin),
        LeastIsolation = a.LeastIsolation is { } weak && b.LeastIsolation is { } strong ? (Isolation)Math.Max((int)weak, (int)strong) : a.LeastIsolation ?? b.LeastIsolation,
    };

    /// <summary>Every group that either names, with the larger of the two numbers.</summary>
    public static ImmutableArray<ApprovalRule> Unite(ImmutableArray<ApprovalRule> a, ImmutableArray<ApprovalRule> b) =>
    [
        .. a.Concat(b).GroupBy(rule => rule.Group, StringComparer.Ordinal)
            .Select(group => new ApprovalRule(group.Key, group.Max(rule => rule.Count)))
            .OrderBy(rule => rule.Group, StringComparer.Ordinal),
    ];

    /// <summary>A release plan, made as strict as this policy is.</summary>
    /// <remarks>
    /// Approvals are united, a longer or missing at-most is cut, a shorter at-least is raised, what the judge would let pass is bounded. Refused are a strategy that is not allowed,
    /// a first step that is too wide, and a step that no longer fits: what traffic a version gets is never changed silently.
    /// </remarks>
    public TightenedPlan Tighten(ChannelPlan plan)
    {
        var faults = ImmutableArray.CreateBuilder<Fault>();
        var notes = ImmutableArray.CreateBuilder<string>();
        if (Strategies is { } allowed && !allowed.Contains(plan.Strategy))
            faults.Add(new Fault("policy-strategy", $"the plan's strategy is {plan.Strategy.Word()}, and the policy allows {(allowed.IsEmpty ? "none" : string.Join(", ", allowed.Select(strategy => strategy.Word())))}", Help: "change strategy in the spec's release, and push again"));
        if (WidestFirstStep is { } widest && FirstShare(plan) is var first && first > widest)
            faults.Add(new Fault("policy-first-step", $"the first traffic that the plan gives is {Weight.Text(first)}, and the policy allows {Weight.Text(widest)}", Help: plan.Strategy == Strategy.Canary ? "begin with a smaller weight" : "write strategy: canary, and begin with a smaller weight"));

        var steps = plan.Steps;
        for (var i = 0; i < steps.Length - 1; i++)
        {
            var step = steps[i];
            if (ShortestAtLeast is { } shortest && step.AtLeast.Value < shortest.Value)
            {
                notes.Add($"step {i + 1} takes at least {shortest}, as the policy wants; the plan says {step.AtLeast}");
                step = step with { AtLeast = shortest };
            }

            if (LongestAtMost is { } longest && (step.AtMost is not { } atMost || atMost.Value > longest.Value))
            {
                notes.Add($"step {i + 1} takes at most {longest}, as the policy wants; the plan says {step.AtMost?.ToString() ?? "nothing"}");
                step = step with { AtMost = longest };
            }

            if (step.AtMost is { } end && end.Value < step.AtLeast.Value)
                faults.Add(new Fault("policy-step", $"step {i + 1} would take at least {step.AtLeast} and at most {end} under the policy", Help: $"the policy's shortest at-least is {ShortestAtLeast?.ToString() ?? "not set"}, its longest at-most {LongestAtMost?.ToString() ?? "not set"}"));
            steps = steps.SetItem(i, step);
        }

        var approvals = Unite(Approvals ?? [], plan.Approvals);
        var tightened = plan with
        {
            Steps = steps,
            Approvals = approvals,
            Guard = plan.Guard with { ErrorRate = Bounded("error-rate", plan.Guard.ErrorRate, LargestErrorRate, notes) },
            Judge = plan.Judge with
            {
                FalseAlarm = Bounded("false-alarm", plan.Judge.FalseAlarm, LargestFalseAlarm, notes)!.Value,
                ToleratedRatio = Bounded("tolerated-ratio", plan.Judge.ToleratedRatio, LargestToleratedRatio, notes)!.Value,
                PromoteMargin = Bounded("promote-margin", plan.Judge.PromoteMargin, LargestPromoteMargin, notes)!.Value,
            },
        };
        return new TightenedPlan(faults.Count > 0 ? null : tightened, approvals, faults.ToImmutable(), notes.ToImmutable());
    }

    private static T? Bounded<T>(string key, T? planned, T? largest, ImmutableArray<string>.Builder notes) where T : struct, IComparable<T>
    {
        if (largest is not { } bound || planned is { } value && value.CompareTo(bound) <= 0)
            return planned;
        notes.Add(string.Create(CultureInfo.InvariantCulture, $"{key} is at most {bound}, as the policy wants; the plan says {planned?.ToString() ?? "nothing"}"));
        return bound;
    }

    /// <summary>A shadow's answers reach nobody, so it has no first traffic.</summary>
    private static int FirstShare(ChannelPlan plan) => plan.Strategy switch
    {
        Strategy.Canary => plan.Steps[0].Weight,
        Strategy.Shadow => 0,
        _ => Weight.All,
    };

    private static T? Least<T>(T? a, T? b) where T : struct, IComparable<T> => a is { } x && b is { } y ? x.CompareTo(y) <= 0 ? x : y : a ?? b;

    private static T? Most<T>(T? a, T? b) where T : struct, IComparable<T> => a is { } x && b is { } y ? x.CompareTo(y) >= 0 ? x : y : a ?? b;
}

/// <param name="Plan">What is done; null when there are faults.</param>
/// <param name="Approvals">What policy and plan want together.</param>
/// <param name="Faults">Where the plan is outside the policy.</param>
/// <param name="Notes">Where the policy made it stricter, as sentences.</param>
public sealed record TightenedPlan(ChannelPlan? Plan, ImmutableArray<ApprovalRule> Approvals, ImmutableArray<Fault> Faults, ImmutableArray<string> Notes);
