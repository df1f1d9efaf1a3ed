using System.Collections.Frozen;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Routing;

/// <summary>Where requests go, at one moment. Immutable: a change is another table, put in force whole.</summary>
/// <param name="Models">By name.</param>
internal sealed record RoutingTable(long Epoch, long Revision, FrozenDictionary<string, LiveRoute> Models)
{
    public static RoutingTable Empty { get; } = new(0, 0, FrozenDictionary<string, LiveRoute>.Empty);
}

/// <param name="Stable">Null before a first release.</param>
/// <param name="Versions">All that are loaded, by number: for <c>/versions/V</c>.</param>
internal sealed record LiveRoute(
    string Model, ServedVersion? Stable, LiveRollout? Rollout, FrozenDictionary<int, ServedVersion> Versions, TimeSpan? LatencyBudget);

/// <param name="Candidate">Ready; a candidate that is not is not in the table, and the rollout's weight is then not in force here.</param>
internal sealed record LiveRollout(RolloutRoute Route, ServedVersion Candidate);

/// <summary>Holds the table in force; a request reads it once.</summary>
internal sealed class Router
{
    private volatile RoutingTable current = RoutingTable.Empty;

    public RoutingTable Current => current;

    public void Replace(RoutingTable table) => current = table;
}
