using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>What every gateway of a channel shall serve: from the server to gateways, and each gateway's last known good state on disk.</summary>
/// <param name="Epoch">Of the server that drives rollouts. A gateway refuses a state of a lower epoch than it has seen.</param>
/// <param name="Revision">Grows with every change of the channel's state.</param>
/// <param name="Lease">
/// How long a candidate's weight holds after the server was last heard from; then the stable version gets everything, until it is heard again.
/// </param>
public sealed record DesiredState(string Channel, long Epoch, long Revision, Duration Lease, ImmutableArray<ModelRoute> Models)
{
    public static Duration DefaultLease { get; } = new(TimeSpan.FromSeconds(30));
}

/// <param name="Stable">What answers when nothing else is said; null before a first release is live: nothing answers then.</param>
/// <param name="Rollout">Null when none runs.</param>
/// <param name="Warm">Further versions to hold loaded and warmed without traffic: the way back. Reachable by <c>/versions/V</c>.</param>
/// <param name="LatencyBudget">An answer that takes longer is a bad event; null for none.</param>
public sealed record ModelRoute(string Model, VersionRef? Stable, RolloutRoute? Rollout, ImmutableArray<VersionRef> Warm, Duration? LatencyBudget)
{
    /// <summary>What is told of its traffic; null counts it, and profiles none of its values.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RouteMonitor? Monitor { get; init; }
}

/// <summary>A rollout, as a gateway needs to know it.</summary>
/// <param name="Id">Of the rollout; events are sent under it.</param>
/// <param name="Weight">The candidate's share, in 1/10,000; 0 loads and warms it and sends it nothing.</param>
/// <param name="Shadow">The candidate gets a copy of every request that the stable version answers; its answers are compared and thrown away.</param>
/// <param name="WeightRevision">Grows with every change of <paramref name="Weight"/> within the rollout; events name the one that they were assigned under.</param>
/// <param name="Key">See <see cref="ChannelPlan.Key"/>.</param>
/// <param name="Salt">Differs in every rollout, so that not always the same callers go first; 32 hex digits.</param>
public sealed record RolloutRoute(string Id, VersionRef Candidate, int Weight, bool Shadow, long WeightRevision, string Key, string Salt);

/// <summary>What a gateway says of itself: on its start, whenever anything in it changes, and at least every 10 seconds.</summary>
/// <param name="Gateway">Name, stable over restarts.</param>
/// <param name="Boot">Differs at every start.</param>
/// <param name="Epoch">The highest seen.</param>
/// <param name="Revision">Of the state that is in force: every weight in it is what requests are assigned by. 0 before the first.</param>
/// <param name="Versions">Every version that the state names, and those quarantined here.</param>
/// <param name="LeaseLapses">How often in this boot candidates lost their weights because the server was not heard; their requests meanwhile are in no batch.</param>
public sealed record GatewayReport(
    string Gateway, string Boot, string Channel, long Epoch, long Revision, ImmutableArray<VersionReport> Versions, int LeaseLapses = 0);

/// <param name="Reason">Why it is refused or quarantined; else null.</param>
/// <param name="WeightRevision">
/// Of a rollout's candidate: the weight that requests are assigned by here, whatever is with other models of the state; null while none is in force.
/// </param>
public sealed record VersionReport(string Model, Digest Bundle, VersionState State, string? Reason, long? WeightRevision = null);

[JsonConverter(typeof(NamedEnum<VersionState>))]
public enum VersionState
{
    /// <summary>Being fetched, verified, loaded or warmed.</summary>
    [JsonStringEnumMemberName("preparing")] Preparing,

    /// <summary>Answered generated requests, and can take traffic.</summary>
    [JsonStringEnumMemberName("ready")] Ready,

    /// <summary>It did not verify, load or warm up; no traffic reaches it here.</summary>
    [JsonStringEnumMemberName("refused")] Refused,

    /// <summary>It ended this process before; counted as harm.</summary>
    [JsonStringEnumMemberName("quarantined")] Quarantined,
}

public static class VersionStateWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this VersionState state) => NamedEnum<VersionState>.Word(state);
}
