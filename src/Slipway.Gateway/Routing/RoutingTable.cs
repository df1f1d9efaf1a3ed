using System.Collections.Frozen;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Routing;

/// <summary>Where requests go, at one moment. Immutable: a change is another table, put in force whole.</summary>
/// <param name="Revision">Of the state that it serves; 0 while there is none.</param>
/// <param name="Models">By name.</param>
internal sealed record RoutingTable(long Epoch, long Revision, FrozenDictionary<string, LiveRoute> Models)
{
    private readonly FrozenDictionary<string, LiveRoute>.AlternateLookup<ReadOnlySpan<char>> byName = Models.GetAlternateLookup<ReadOnlySpan<char>>();

    public static RoutingTable Empty { get; } = new(0, 0, FrozenDictionary<string, LiveRoute>.Empty);

    /// <summary>The only model, when there is just one: answers that name no model speak of its version.</summary>
    public LiveRoute? Only { get; } = Models.Count == 1 ? Models.Values[0] : null;

    public LiveRoute? Find(ReadOnlySpan<char> model) => byName.TryGetValue(model, out var route) ? route : null;
}

/// <param name="Stable">Null before a first release, and while the version that the state names is not ready here.</param>
/// <param name="Versions">All that are loaded, by number: for <c>/versions/V</c>.</param>
/// <param name="Unready">Why the stable version that the state names is not in the table, as a sentence for whoever asks; null when it is, or when the state names none.</param>
/// <param name="Monitor">What is told of its requests' values; null for nothing but counts.</param>
internal sealed record LiveRoute(
    string Model, ServedVersion? Stable, LiveRollout? Rollout, FrozenDictionary<int, ServedVersion> Versions, TimeSpan? LatencyBudget, string? Unready = null, RouteMonitor? Monitor = null)
{
    /// <summary>Whether a request that was read for one arm of the rollout is read for the other as well.</summary>
    public bool ArmsReadAlike { get; } = Rollout is not null && Stable is not null && Stable.Tensors.ReadsAlike(Rollout.Candidate.Tensors);
}

/// <param name="Candidate">Ready; a candidate that is not is not in the table, and the rollout's weight is then not in force here.</param>
/// <param name="Tally">From <see cref="RolloutRecorder.Follow"/> with this route.</param>
internal sealed record LiveRollout(RolloutRoute Route, ServedVersion Candidate, RolloutTally Tally)
{
    public KeySource Key { get; } = KeySource.Parse(Route.Key);

    public TrafficSplitter Splitter { get; } = new(Route.Salt, Route.Weight);

    /// <summary>Whether requests are assigned and taken down: not while the candidate only warms up.</summary>
    public bool IsObserved => Route.Weight > 0 || Route.Shadow;
}

/// <summary>Holds the table in force; a request reads it once, and again when the version that it found was retired meanwhile.</summary>
internal sealed class Router
{
    private volatile RoutingTable current = RoutingTable.Empty;

    public RoutingTable Current => current;

    public void Replace(RoutingTable table) => current = table;
}
