using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Rollouts;

/// <summary>The steps that a rollout really takes: its plan's, or the one switch of what has nothing to be compared with.</summary>
internal readonly record struct Course
{
    /// <summary>How long a switch without steps is watched, where the plan names a guard to watch by.</summary>
    public static TimeSpan Watch { get; } = TimeSpan.FromSeconds(10);

    private readonly ImmutableArray<RolloutStep> steps;

    private Course(ImmutableArray<RolloutStep> steps, bool isShadow) => (this.steps, IsShadow) = (steps, isShadow);

    /// <summary>
    /// A first release is a blue-green one whatever the plan says: nothing serves beside it that it could be compared with. So is a return,
    /// which a person answers for.
    /// </summary>
    public static Course Of(RolloutState s) => s switch
    {
        { Kind: RolloutKind.Release, Stable: not null } => Of(s.Plan),
        _ => new([First(s.Plan)], false),
    };

    /// <summary>Of a release beside a live version.</summary>
    public static Course Of(ChannelPlan plan) => plan.Strategy switch
    {
        Strategy.Canary => new(plan.Steps, false),
        Strategy.Shadow => new([First(plan) with { Weight = 0 }], true),
        _ => new([First(plan)], false),
    };

    /// <summary>At least 1.</summary>
    public int Count => steps.Length;

    /// <summary>Takes copies, and no traffic.</summary>
    public bool IsShadow { get; }

    /// <summary>The candidate's weight in a step, less what is held back for a control.</summary>
    public int WeightOf(int step) => Math.Min(steps[step].Weight, Weight.All - steps[step].HoldBack);

    public bool HoldsBack(int step) => steps[step].HoldBack > 0;

    /// <summary>Whether the stable version answers beside the candidate, so that the two can be compared.</summary>
    public bool HasControl(int step) => IsShadow || WeightOf(step) < Weight.All;

    /// <summary>A step is not left before that.</summary>
    public TimeSpan StayOf(int step) => steps[step].For is { } control && control.CompareTo(steps[step].AtLeast) > 0 ? control.Value : steps[step].AtLeast.Value;

    /// <summary>After that a step is given up for want of evidence; never before it might have been left. Null waits for ever.</summary>
    public TimeSpan? PatienceOf(int step) => steps[step].AtMost is not { } most ? null : most.Value > StayOf(step) ? most.Value : StayOf(step);

    /// <summary>The one step of what has no steps, or must not take them: as long as the plan's first, where it has one.</summary>
    private static RolloutStep First(ChannelPlan plan) => plan switch
    {
        { Steps: [var first, ..] } => new(Weight.All, first.AtLeast, first.AtMost, 0, null),
        { Guard: { ErrorRate: null, Latency: null } } => new(Weight.All, default, null, 0, null),
        _ => new(Weight.All, new(Watch), null, 0, null),
    };
}
