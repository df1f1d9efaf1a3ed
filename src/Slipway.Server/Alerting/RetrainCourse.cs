using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions.Conditions;
using static Slipway.Documents.Monitoring.RetrainState;

namespace Slipway.Server.Alerting;

/// <summary>Whether a retraining rule starts its trigger now. Pure: no clock, no I/O.</summary>
/// <remarks>Only what is known to be true starts anything, once, and then not within the cool-down, not while it runs, and at most so often in 24 hours.</remarks>
internal static class RetrainCourse
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <param name="before">Null for a rule that is looked at for the first time.</param>
    /// <param name="runs">Of what the rule starts, by it or another rule of the channel, newest first: at least those of the last 24 hours.</param>
    /// <param name="hasTrigger">Whether this server has a trigger of the rule's name.</param>
    public static (Retraining State, bool Start) Decide(
        Retraining? before, string model, string channel, RetrainRule rule, ImmutableArray<RetrainRun> runs, Truth truth, string reason, bool hasTrigger, long now)
    {
        var (state, why) = Judge(rule, runs, truth, reason, hasTrigger, now);
        var start = state is null;
        var entered = state ?? Running;
        var since = before is { } known && known.State == entered && !start ? known.Since : now;
        return (new(model, channel, rule, entered, since, now, why, []), start);
    }

    /// <returns>A null state means: start.</returns>
    private static (RetrainState? State, string Why) Judge(RetrainRule rule, ImmutableArray<RetrainRun> runs, Truth truth, string reason, bool hasTrigger, long now)
    {
        if (runs.Any(run => run.Outcome == RetrainOutcome.Running))
            return (Running, $"{rule.Start} runs: {reason}");
        if (truth == Truth.Unknown)
            return (InsufficientEvidence, reason);
        if (truth == Truth.False)
            return (Inactive, reason);
        if (!hasTrigger)
            return (NoTrigger, $"it would start {rule.Start}, and this server has no trigger of that name: its operator sets it up with --trigger {rule.Start}=FILE; {reason}");
        // A start from the future is one from before the clock was set back: it counts as just now.
        if (runs is [var last, ..] && now - last.StartedAt < rule.CoolDown.Value.TotalMilliseconds)
            return (CoolingDown, $"{rule.Start} was started less than {rule.CoolDown} ago: {reason}");
        if (runs.Count(run => now - run.StartedAt < Day.TotalMilliseconds) >= rule.AtMost)
            return (Exhausted, $"{rule.Start} was started {rule.AtMost} times in 24 h, which is as often as it may be: {reason}");
        return (null, reason);
    }
}
