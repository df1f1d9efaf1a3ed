using Slipway.Documents.Rollouts;
using Slipway.Gateway.Control;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.Control.ScriptedServer;

namespace Slipway.Tests.Gateway.Control;

public sealed class CompositionTests
{
    private static readonly VersionRef one = Version(1), two = Version(2), three = Version(3);

    private readonly Dictionary<VersionRef, ServedVersion> ready = [];
    private readonly RolloutRecorder recorder = new("edge-1", "boot", "production", TimeProvider.System);

    [Fact]
    public void A_state_is_in_force_once_every_version_with_traffic_is_ready()
    {
        var target = State(7, Route(one, Canary(two, 500, 3)));
        Assert.Equal(0, Compose(target).InForce.Revision);

        Make(two);      // a candidate alone: its share is a share of nothing
        var composed = Compose(target);
        Assert.Equal((0, null, null), (composed.InForce.Revision, composed.Table.Models["flight-delay"].Rollout, composed.Table.Models["flight-delay"].Stable));
        Assert.Equal("version 1 is being prepared", composed.Table.Models["flight-delay"].Unready);

        Make(one);
        composed = Compose(target);
        Assert.Equal((7, two, one), (composed.InForce.Revision, composed.Table.Models["flight-delay"].Rollout?.Candidate.Version, composed.Table.Models["flight-delay"].Stable?.Version));
        Assert.Equal([1, 2], composed.Table.Models["flight-delay"].Versions.Keys.Order());
        Assert.Equal(target, composed.InForce with { Models = target.Models });
    }

    [Fact]
    public void A_candidate_without_weight_need_not_be_ready_but_a_shadow_must()
    {
        Make(one);
        Assert.Equal(7, Compose(State(7, Route(one, Canary(two, 0, 1)))).InForce.Revision);
        Assert.Equal(0, Compose(State(7, Route(one, Canary(two, 0, 1) with { Shadow = true }))).InForce.Revision);
        Assert.Equal(0, Compose(State(7, Route(one, Canary(two, 1, 1)))).InForce.Revision);
    }

    [Fact]
    public void Without_the_lease_no_candidate_is_in_the_table_and_the_state_is_not_in_force()
    {
        Make(one, two);
        var target = State(7, Route(one, Canary(two, 500, 3)));
        var held = Compose(target);
        var lapsed = Compose(target, held, leaseHolds: false);
        Assert.Null(lapsed.Table.Models["flight-delay"].Rollout);
        Assert.Equal(one, lapsed.Table.Models["flight-delay"].Stable!.Version);
        Assert.Equal((6, false), (lapsed.InForce.Revision, lapsed.Settled.Contains("flight-delay")));
        Assert.Equal(7, Compose(target, lapsed).InForce.Revision);

        // A weight of nothing needs no lease.
        Assert.Equal(8, Compose(State(8, Route(one, Canary(two, 0, 4))), held, leaseHolds: false).InForce.Revision);
    }

    [Fact]
    public void A_first_release_answers_without_the_lease_too_for_nothing_else_could()
    {
        Make(two);
        var composed = Compose(State(8, Route(null, Canary(two, Weight.All, 4))), leaseHolds: false);
        Assert.Equal((two, 8), (composed.Table.Models["flight-delay"].Rollout!.Candidate.Version, composed.InForce.Revision));
    }

    [Fact]
    public void The_old_stable_version_answers_until_the_new_one_is_ready()
    {
        Make(one);
        var before = Compose(State(1, Route(one)));
        var waiting = Compose(State(2, Route(three)), before);
        Assert.Equal((one, 1), (waiting.Table.Models["flight-delay"].Stable!.Version, waiting.InForce.Revision));
        Assert.Equal([one], waiting.InForce.Models.Select(model => model.Stable));
        Assert.Contains(1, waiting.Table.Models["flight-delay"].Versions.Keys);
        Make(three);
        var after = Compose(State(2, Route(three)), waiting);
        Assert.Equal((three, 2), (after.Table.Models["flight-delay"].Stable!.Version, after.InForce.Revision));
        Assert.DoesNotContain(1, after.Table.Models["flight-delay"].Versions.Keys);
    }

    [Fact]
    public void One_model_that_is_not_ready_keeps_no_other_from_its_weights()
    {
        Make(one, two);
        var composed = Compose(State(7, Route(one, Canary(two, 500, 3)), Route(three, model: "other")));
        Assert.Equal(["flight-delay"], composed.Settled);
        Assert.NotNull(composed.Table.Models["flight-delay"].Rollout);
        Assert.Equal((0, 1), (composed.InForce.Revision, composed.InForce.Models.Length));
    }

    [Fact]
    public void A_state_that_could_not_be_served_is_refused()
    {
        var state = State(7, Route(one));
        Assert.Null(StateCheck.Refuse(state, "production", 1, null));
        Assert.Null(StateCheck.Refuse(state, "production", 1, state));
        Assert.NotNull(StateCheck.Refuse(state, "staging", 1, null));
        Assert.NotNull(StateCheck.Refuse(state, "production", 2, null));
        Assert.NotNull(StateCheck.Refuse(state, "production", 1, State(8)));
        Assert.NotNull(StateCheck.Refuse(state with { Lease = new Duration(TimeSpan.Zero) }, "production", 1, null));
        Assert.NotNull(StateCheck.Refuse(State(7, Route(one), Route(two)), "production", 1, null));
        Assert.NotNull(StateCheck.Refuse(State(7, Route(one with { Number = 0 })), "production", 1, null));
        Assert.NotNull(StateCheck.Refuse(State(7, Route(one, Canary(two with { Number = 1 }, 1, 1))), "production", 1, null));
        Assert.NotNull(StateCheck.Refuse(State(7, Route(one, Canary(two, 10_001, 1))), "production", 1, null));
    }

    private static VersionRef Version(int number) => new(number, Digest.Of([(byte)number]));

    private static DesiredState State(long revision, params ModelRoute[] models) => new("production", 1, revision, DesiredState.DefaultLease, [.. models]);

    private void Make(params VersionRef[] versions)
    {
        foreach (var version in versions)
            ready[version] = new ServedVersion(version, new Idle(HostedModels.Onnx("/model.onnx", version.Bundle, HostedModels.Late)));
    }

    private Composition Compose(DesiredState target, Composition? before = null, bool leaseHolds = true) => Composition.Of(
        target, before?.InForce, before?.Table ?? RoutingTable.Empty,
        (_, version) => ready.TryGetValue(version, out var served) ? (served, null) : (null, $"version {version.Number} is being prepared"),
        leaseHolds, recorder.Follow);

    /// <summary>A host that is never asked.</summary>
    private sealed class Idle(HostedModel model) : IModelHost
    {
        public HostedModel Model => model;

        public string? NotReady => null;

        public Task WaitUntilReadyAsync(CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
