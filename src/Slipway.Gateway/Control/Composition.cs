using System.Collections.Frozen;
using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Control;

/// <summary>What a state comes to with the versions that are ready. Pure, but for the tallies that it asks for.</summary>
/// <param name="InForce">Per model what requests are answered by now: the target's route once all of it is, and until then the one before.</param>
/// <param name="Settled">The models whose route in the target is what requests are assigned by, weight and all.</param>
internal sealed record Composition(RoutingTable Table, DesiredState InForce, IReadOnlySet<string> Settled)
{
    /// <param name="target">What shall be served.</param>
    /// <param name="before">What was in force before; null for nothing.</param>
    /// <param name="current">The table until now.</param>
    /// <param name="ready">The version, when it is ready; and why it is not, as a sentence.</param>
    /// <param name="leaseHolds">Whether the server was heard lately enough for candidates to have their weights.</param>
    /// <param name="follow">See <see cref="RolloutRecorder.Follow"/>.</param>
    public static Composition Of(
        DesiredState target,
        DesiredState? before,
        RoutingTable current,
        Func<string, VersionRef, (ServedVersion? Served, string? Unready)> ready,
        bool leaseHolds,
        Func<RolloutRoute, RolloutTally> follow)
    {
        var settled = new HashSet<string>(StringComparer.Ordinal);
        var (routes, inForce) = (new Dictionary<string, LiveRoute>(StringComparer.Ordinal), ImmutableArray.CreateBuilder<ModelRoute>());
        foreach (var route in target.Models)
        {
            var live = Live(route, current.Find(route.Model), ready, leaseHolds, follow);
            routes.Add(route.Model, live);
            if (IsInForce(route, live) && settled.Add(route.Model))
                inForce.Add(route);
            else if (before?.Models.FirstOrDefault(other => other.Model == route.Model) is { } still)
                inForce.Add(still);
        }

        var revision = settled.Count == target.Models.Length ? target.Revision : Math.Clamp(before?.Revision ?? 0, 0, Math.Max(0, target.Revision - 1));
        return new Composition(
            new RoutingTable(target.Epoch, target.Revision, routes.ToFrozenDictionary(StringComparer.Ordinal)),
            target with { Revision = revision, Models = inForce.ToImmutable() },
            settled);
    }

    private static LiveRoute Live(
        ModelRoute route, LiveRoute? before, Func<string, VersionRef, (ServedVersion? Served, string? Unready)> ready, bool leaseHolds, Func<RolloutRoute, RolloutTally> follow)
    {
        var (stable, unready) = route.Stable is { } named ? ready(route.Model, named) : (null, null);
        // A candidate's share is a share of what the stable version has: without that one, all the others would go unanswered. Where there is
        // none yet, a first release is all that answers, and nothing could take its place when the lease lapses.
        var candidate = route.Rollout is not null && (route.Stable is null || leaseHolds && stable is not null) ? ready(route.Model, route.Rollout.Candidate).Served : null;
        var versions = StateCheck.Versions(route).Distinct().Select(version => ready(route.Model, version).Served).OfType<ServedVersion>().ToDictionary(served => served.Version.Number);
        // Until the new stable version is ready the old one goes on, so that a switch loses no request.
        if (stable is null && route.Stable is not null && before?.Stable is { } old)
        {
            stable = old;
            versions.TryAdd(old.Version.Number, old);
        }

        return new LiveRoute(
            route.Model,
            stable,
            candidate is null ? null : new LiveRollout(route.Rollout!, candidate, follow(route.Rollout!)),
            versions.ToFrozenDictionary(),
            route.LatencyBudget?.Value,
            unready,
            route.Monitor);
    }

    /// <summary>A candidate without weight need not be ready: requests are assigned as the route says all the same.</summary>
    private static bool IsInForce(ModelRoute route, LiveRoute live) =>
        live.Stable?.Version == route.Stable && (route.Rollout is null or { Weight: 0, Shadow: false } || live.Rollout is not null);
}
