using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Web.Pages;

/// <summary>A version on a channel, from when to when: live, or getting a part of the requests in a rollout.</summary>
/// <param name="Rollout">That brought it there, or tried to.</param>
/// <param name="To">Unix milliseconds; null for until now.</param>
/// <param name="After">What took its place when it was live; null otherwise.</param>
public sealed record Stay(RolloutState Rollout, bool IsLive, long From, long? To, RolloutState? After)
{
    public string Path => PathOf(Rollout);

    public string? AfterPath => After is null ? null : PathOf(After);

    /// <summary>Whether somebody, or the judge, took the channel away from it: a later release that takes its place does not.</summary>
    public bool IsTakenBack => IsLive ? After?.Kind == RolloutKind.Return : Rollout.Phase is RolloutPhase.RollingBack or RolloutPhase.RolledBack;

    /// <summary>All stays of a version on a channel, the newest first.</summary>
    /// <param name="rollouts">Of that channel, newest first.</param>
    public static ImmutableArray<Stay> Of(ImmutableArray<RolloutState> rollouts, int version)
    {
        var stays = ImmutableArray.CreateBuilder<Stay>();
        RolloutState? after = null;
        foreach (var rollout in rollouts)
        {
            var wentLive = rollout is { Phase: RolloutPhase.Promoted, EndedAt: not null };
            if (rollout.Candidate.Number == version)
            {
                if (wentLive)
                    stays.Add(new(rollout, true, rollout.EndedAt!.Value, after?.EndedAt, after));
                else if (rollout.Weights.FirstOrDefault(weight => weight.Weight > 0) is { } first)
                    stays.Add(new(rollout, false, first.At, rollout.IsOver || rollout.Phase == RolloutPhase.RollingBack ? rollout.Weights[^1].At : null, null));
            }

            if (wentLive)
                after = rollout;
        }

        return stays.ToImmutable();
    }

    private static string PathOf(RolloutState s) => $"/models/{s.Model}/channels/{s.Channel}/rollouts/{s.Id}";
}

/// <summary>That a version was taken back from a channel, where it has not come again since.</summary>
/// <param name="At">When that was ordered, Unix milliseconds.</param>
/// <param name="Path">Of the rollout that ended so, or that led away from it.</param>
/// <param name="Requests">Of the version, that the judge had counted by then; null where none were judged.</param>
/// <param name="Incident">Its id; null where none was opened.</param>
public sealed record TakenBack(int Version, string Channel, long At, string Reason, string Path, long? Requests, string? Incident);
