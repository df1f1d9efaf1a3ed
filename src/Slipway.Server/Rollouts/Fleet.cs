using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Rollouts;

/// <summary>What a channel's gateways say of one rollout at one moment. Pure.</summary>
/// <remarks>
/// Conditions are read off the state of things, not off what changed: whoever looks next, after a crash too, sees the same. No gateway
/// at all is no agreement of all gateways.
/// </remarks>
internal sealed class Fleet(StoredRollout rollout, ImmutableArray<SeenGateway> gateways, long now)
{
    /// <summary>Characters of what a gateway gives as its reason.</summary>
    private const int LongestReason = 1_000;

    /// <summary>Live ones, and those that were lost since the rollout began.</summary>
    public ImmutableArray<GatewayStatus> Gateways { get; } =
    [
        .. gateways.Where(gateway => gateway.IsLive(now) || gateway.SeenAt >= rollout.State.StartedAt).Select(gateway =>
        {
            var candidate = gateway.Report.Versions.FirstOrDefault(version => version.Model == rollout.State.Model && version.Bundle == rollout.State.Candidate.Bundle);
            return new GatewayStatus(
                gateway.Report.Gateway, gateway.Report.Boot, gateway.SeenAt, gateway.IsLive(now), candidate?.State, Shortened(candidate?.Reason),
                candidate is not null && IsInForceAt(rollout.State, candidate));
        }),
    ];

    private IEnumerable<GatewayStatus> Live => Gateways.Where(gateway => gateway.Live);

    /// <summary>Those that send the candidate its share; a gateway that refuses it sends it nothing, whatever the weight.</summary>
    private IEnumerable<GatewayStatus> Takers => Live.Where(gateway => gateway.Candidate is not (VersionState.Refused or VersionState.Quarantined));

    /// <summary>Whether this very process of the gateway is there.</summary>
    public bool IsLive(string gateway, string boot) => Live.Any(live => live.Gateway == gateway && live.Boot == boot);

    /// <summary>Gateways that send requests to the candidate now: their events belong to the evidence.</summary>
    public IEnumerable<GatewayStatus> Serving => Takers.Where(gateway => gateway.InForce && (rollout.State.Weight > 0 || Course.Of(rollout.State).IsShadow));

    /// <summary>What follows from it for the rollout, the gravest first.</summary>
    public IEnumerable<RolloutEvent> Events()
    {
        foreach (var lost in Gateways.Where(gateway => !gateway.Live && gateway.SeenAt < now))
            yield return new Noted(now, $"gateway {lost.Gateway} was last heard of at {Time(lost.SeenAt)}: what it did not tell by then is missing from the evidence, and it leaves the candidate by itself");
        // A person's way back is not cut off by one gateway that the version once died in: the others take it.
        if (rollout.State.Kind == RolloutKind.Release && Live.FirstOrDefault(gateway => gateway.Candidate == VersionState.Quarantined) is { } crashed)
            yield return new CandidateQuarantined(now, crashed.Gateway, crashed.Reason ?? "it gives no reason");
        if (Live.Any() && !Takers.Any())
            yield return new CandidateRefused(now, Live.First().Reason ?? "it gives no reason");
        if (IsReady)
            yield return new GatewaysReady(now);
        if (IsInForce)
            yield return new WeightInForce(now, rollout.State.WeightRevision);
    }

    /// <summary>What the rollout waits for at its gateways, as sentences.</summary>
    public IEnumerable<string> Waiting()
    {
        if (rollout.State.IsOver || rollout.State.Phase == RolloutPhase.Paused)
            yield break;
        if (!Live.Any())
            yield return $"no gateway of {rollout.State.Channel} is live: start one with `slipway gateway`, or `slipway up`";
        foreach (var gateway in Live)
        {
            if (rollout.State.Phase == RolloutPhase.Preparing && gateway.Candidate != VersionState.Ready)
                yield return $"gateway {gateway.Gateway} {Word(gateway)}";
            else if (rollout.State.Phase != RolloutPhase.Preparing && !gateway.InForce && Takers.Contains(gateway))
                yield return $"gateway {gateway.Gateway} does not yet assign requests by {Weight.Text(rollout.State.Weight)}";
        }
    }

    /// <summary>A way back is not blocked by a gateway that cannot take the version: it stays with what it has.</summary>
    private bool IsReady => rollout.State.Kind == RolloutKind.Return
        ? Takers.Any() && Takers.All(gateway => gateway.Candidate == VersionState.Ready)
        : Live.Any() && Live.All(gateway => gateway.Candidate == VersionState.Ready);

    private bool IsInForce => Takers.Any() ? Takers.All(gateway => gateway.InForce) : Live.Any() && rollout.State.Weight == 0;

    /// <summary>Where the candidate is not even loaded, it gets nothing: that is all that a way back wants.</summary>
    private static bool IsInForceAt(RolloutState s, VersionReport candidate) =>
        candidate.WeightRevision == s.WeightRevision
        || s.Phase == RolloutPhase.RollingBack && candidate is { WeightRevision: null, State: not VersionState.Ready };

    /// <summary>A gateway's words go into sentences and the ledger.</summary>
    private static string? Shortened(string? reason) => reason is { Length: > LongestReason } ? reason[..LongestReason] + "…" : reason;

    private static string Word(GatewayStatus gateway) => gateway.Candidate switch
    {
        VersionState.Refused => $"refuses the candidate: {gateway.Reason}",
        VersionState.Quarantined => $"has quarantined the candidate: {gateway.Reason}",
        VersionState.Preparing => "is fetching, verifying, loading or warming the candidate",
        _ => "has not said anything of the candidate yet",
    };

    private static string Time(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
}
