using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Control;

/// <summary>What a gateway has in force at one moment.</summary>
/// <param name="Target">What shall be; null before anything is known.</param>
/// <param name="InForce">What is: the target once all of it is, else what of it is and of what was before. Null before anything was.</param>
internal sealed record GatewayStanding(DesiredState? Target, DesiredState? InForce, int LeaseLapses, ImmutableArray<VersionReport> Versions);

/// <summary>Brings what is served to what shall be: holds the versions that the state names, and puts a table in force after every change.</summary>
/// <remarks>One loop that looks at everything each time, so that an event that comes twice, late or together with others is the same. It does no I/O.</remarks>
internal sealed class Reconciler(
    GatewayOptions options, StateFollower follower, WeightLease lease, HeldVersions versions, CrashReports crashes, Router router, RolloutRecorder recorder)
{
    private volatile GatewayStanding current = new(null, null, 0, []);
    private readonly HashSet<string> uncaptured = new(StringComparer.Ordinal);
    private bool heldBefore = true;

    public GatewayStanding Current => current;

    /// <param name="changed">Set whenever something may have changed.</param>
    /// <param name="settled">Called whenever <see cref="Current"/> is another.</param>
    public async Task RunAsync(DesiredState? lastKnown, Signal changed, Action settled, CancellationToken cancellation)
    {
        current = current with { InForce = lastKnown };
        while (!cancellation.IsCancellationRequested)
        {
            var known = follower.Target;
            current = known is { } target ? Settle(target) : current with { Versions = versions.Reports(null, ImmutableHashSet<string>.Empty) };
            settled();
            try
            {
                // By what the look has used: a lease that lapsed since then is looked at now, or nobody would ever take the weights back.
                await changed.WaitAsync(known is not null && heldBefore ? lease.Left : Timeout.InfiniteTimeSpan, options.Time, cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private GatewayStanding Settle(DesiredState target)
    {
        var holds = lease.Holds;
        versions.Hold(target);
        var composed = Composition.Of(target, current.InForce, router.Current, versions.Find, holds, recorder.Follow);
        router.Replace(composed.Table);
        recorder.Retain([.. target.Models.Select(model => model.Rollout?.Id).OfType<string>()]);
        versions.Retire(target, composed.Table);
        crashes.Tell(target);
        if (holds != heldBefore && target.Models.Any(model => model.Rollout is not null))
            options.Log(holds ? "the server is heard: candidates have their weights" : "the server is not heard: stable versions get everything until it is");
        heldBefore = holds;
        foreach (var model in target.Models.Where(model => options.CaptureKey is null && model.Monitor?.Capture is not null && uncaptured.Add(model.Model)))
            options.Log($"the plan of {model.Model} asks for captured requests, and this gateway has no --capture-key: none is captured");
        return new GatewayStanding(target, composed.InForce, lease.Lapses, versions.Reports(target, composed.Settled));
    }
}
