using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Control;

/// <summary>Whether a state that the server sent can be served at all, and supersedes what was seen before.</summary>
internal static class StateCheck
{
    /// <summary>Models of one channel; more would not fit a gateway's memory either.</summary>
    private const int MaxModels = 1000;

    /// <summary>A longer lease would be none.</summary>
    private static readonly TimeSpan LongestLease = TimeSpan.FromHours(1);

    /// <param name="epochSeen">The highest.</param>
    /// <param name="target">What is served or prepared now; null for nothing.</param>
    /// <returns>Why it is refused; null when it is taken.</returns>
    public static string? Refuse(DesiredState state, string channel, long epochSeen, DesiredState? target)
    {
        if (state.Channel != channel)
            return $"is of channel '{state.Channel}'";
        if (state.Epoch < epochSeen)
            return $"is of epoch {state.Epoch}, and epoch {epochSeen} was seen before: a server that was superseded sent it, or its database went back in time (then restart this gateway with a new folder)";
        if (target is not null && state.Epoch == target.Epoch && state.Revision < target.Revision)
            return $"is revision {state.Revision} of epoch {state.Epoch}, and revision {target.Revision} was seen before";
        if (state.Lease.Value <= TimeSpan.Zero || state.Lease.Value > LongestLease)
            return $"has a lease of {state.Lease}, allowed more than 0 s and at most {LongestLease.TotalHours:0} h";
        if (state.Models.Length > MaxModels || state.Models.DistinctBy(model => model.Model).Count() != state.Models.Length)
            return $"names a model twice, or more than {MaxModels}";
        return state.Models.Select(Refuse).FirstOrDefault(why => why is not null);
    }

    private static string? Refuse(ModelRoute route)
    {
        if (Versions(route).Any(version => version.Number < 1))
            return $"names a version of '{route.Model}' below 1";
        if (Versions(route).Distinct().GroupBy(version => version.Number).Any(same => same.Count() > 1))
            return $"names two bundles for one version of '{route.Model}'";
        return route.Rollout is { Weight: < 0 or > Weight.All } rollout ? $"gives the candidate of '{route.Model}' a weight of {rollout.Weight}, allowed 0 to {Weight.All}" : null;
    }

    /// <summary>All that the route names: the stable version first, then the candidate.</summary>
    public static IEnumerable<VersionRef> Versions(ModelRoute route) =>
        new[] { route.Stable, route.Rollout?.Candidate }.OfType<VersionRef>().Concat(route.Warm);
}
