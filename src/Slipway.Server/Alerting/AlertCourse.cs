using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions.Conditions;
using static Slipway.Documents.Monitoring.AlertState;

namespace Slipway.Server.Alerting;

/// <summary>An alert as it is stored.</summary>
/// <param name="Progress">Milliseconds for which the condition has spoken for leaving the state: true while pending, false while firing, unjudged while neither.</param>
/// <param name="CountedAt">Up to when <paramref name="Progress"/> is counted, Unix milliseconds; null while nothing speaks for it.</param>
/// <param name="FiredAt">When it last began to fire; null for never.</param>
internal sealed record AlertMemory(Alert Alert, long Progress, long? CountedAt, long? FiredAt);

internal enum AlertAction
{
    None,
    Fire,
    Resolve,
}

/// <summary>What follows of a judgement for an alert. Pure: no clock, no I/O.</summary>
/// <remarks>
/// It fires once the condition was true for the rule's time, and is resolved once it was false for as long. While the condition cannot be judged that time
/// rests: it neither grows nor begins again. So between two notifications there is always at least that time, however the condition flaps.
/// </remarks>
internal static class AlertCourse
{
    /// <summary>Between two looks at most so much is counted: what a server that was away did not see is no evidence.</summary>
    public static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(30);

    private const string RestsPending = "cannot be judged, and so does not fire: ", RestsFiring = "still firing, since it cannot be judged now: ", Rests = "cannot be judged now: ";

    /// <summary>Whether an alert's condition could not be judged when it was last looked at, in whichever state it rests meanwhile.</summary>
    public static bool IsUnjudged(Alert alert) =>
        alert.State == InsufficientEvidence || new[] { RestsPending, RestsFiring, Rests }.Any(said => alert.Reason.StartsWith(said, StringComparison.Ordinal));

    /// <summary>A rule that is looked at for the first time.</summary>
    public static AlertMemory New(string model, string channel, AlertRule rule, long now) =>
        new(new Alert(model, channel, rule, InsufficientEvidence, now, now, "not judged yet", null), 0, null, null);

    public static (AlertMemory Memory, AlertAction Action) Decide(AlertMemory memory, AlertRule rule, Truth truth, string reason, long now)
    {
        if (memory.Alert.Rule != rule)
            memory = memory with { Alert = memory.Alert with { Rule = rule }, Progress = 0, CountedAt = null };
        var patience = (long)rule.For.Value.TotalMilliseconds;
        var seen = memory with { Alert = memory.Alert with { LookedAt = now, Reason = reason } };
        return (memory.Alert.State, truth) switch
        {
            (Pending, Truth.True) => Count(seen, now) is var counted && counted.Progress >= patience ? Fire(counted, now) : (counted, AlertAction.None),
            (Pending, Truth.False) => (Enter(seen, Inactive, now), AlertAction.None),
            (Pending, _) => (Wait(seen, RestsPending + reason), AlertAction.None),

            (Firing, Truth.False) => Count(seen, now) is var counted && counted.Progress >= patience ? (Enter(counted, Resolved, now), AlertAction.Resolve) : (counted, AlertAction.None),
            (Firing, Truth.True) => (seen with { Progress = 0, CountedAt = null }, AlertAction.None),
            (Firing, _) => (Wait(seen, RestsFiring + reason), AlertAction.None),

            (_, Truth.True) when patience == 0 => Fire(seen, now),
            (_, Truth.True) => (Enter(seen, Pending, now) with { CountedAt = now }, AlertAction.None),
            (Inactive or Resolved, Truth.False) => (seen with { Progress = 0, CountedAt = null }, AlertAction.None),
            (_, Truth.False) => (Enter(seen, Inactive, now), AlertAction.None),
            (InsufficientEvidence, _) => (seen, AlertAction.None),
            _ => Count(seen, now) is var counted && counted.Progress >= patience ? (Enter(counted, InsufficientEvidence, now), AlertAction.None)
                : (counted with { Alert = counted.Alert with { Reason = Rests + reason } }, AlertAction.None),
        };
    }

    private static (AlertMemory, AlertAction) Fire(AlertMemory memory, long now) => (Enter(memory, Firing, now) with { FiredAt = now }, AlertAction.Fire);

    private static AlertMemory Enter(AlertMemory memory, AlertState state, long now) =>
        memory with { Alert = memory.Alert with { State = state, Since = now }, Progress = 0, CountedAt = null };

    /// <summary>A clock that was set back counts nothing.</summary>
    private static AlertMemory Count(AlertMemory memory, long now) =>
        memory with { Progress = memory.Progress + Math.Clamp(now - (memory.CountedAt ?? now), 0, (long)LongestGap.TotalMilliseconds), CountedAt = now };

    private static AlertMemory Wait(AlertMemory memory, string reason) => memory with { Alert = memory.Alert with { Reason = reason }, CountedAt = null };
}
