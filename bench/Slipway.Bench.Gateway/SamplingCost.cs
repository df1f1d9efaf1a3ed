using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Stats.Sketches;

namespace Slipway.Bench.Gateway;

/// <summary>What counting and profiling a request costs by itself, of a model of five inputs and one output.</summary>
internal static class SamplingCost
{
    private const int Requests = 1_000_000, Rounds = 7;

    /// <returns>Nanoseconds per request, with and without profiles: the middle of some rounds.</returns>
    public static (double Profiled, double Counted) Measure()
    {
        var signature = new ModelSignature(
            [Tensor("origin", Datatype.String), Tensor("destination", Datatype.String), Tensor("hour", Datatype.Int64), Tensor("weekday", Datatype.Int64), Tensor("distance", Datatype.Float32)],
            [Tensor("probability", Datatype.Float32)]);
        var airports = Enumerable.Range(0, 100).Select(airport => $"A{airport:00}").ToImmutableArray();
        var reference = new ReferenceProfile(
            [Text("origin", airports), Text("destination", airports), Numbers("hour", 19, 1), Numbers("weekday", 6, 1), Numbers("distance", 9, 300)],
            [Numbers("probability", 9, 0.1)]);
        var model = new HostedModel("flight-delay", default, "/", "/model.onnx", signature, new RuntimeSpec(null, [], null)) { Reference = reference };
        var clock = new SampleClock(TimeProvider.System);
        var sampler = new VersionSampler("flight-delay", new VersionRef(1, default), model, clock);
        using var inputs = TensorSet.ForInputs(signature);
        using var outputs = TensorSet.ForOutputs(signature);
        foreach (var tensor in (ReadOnlySpan<Tensor>)[.. inputs.Tensors, .. outputs.Tensors])
            tensor.SetShape([1, 1]);
        inputs.Tensors[0].Add("A17");
        inputs.Tensors[1].Add("A63");
        inputs.Tensors[2].Add(17L);
        inputs.Tensors[3].Add(3L);
        inputs.Tensors[4].Add(1234.5f);
        outputs.Tensors[0].Add(0.31f);
        return (Middle(new RouteMonitor(new Ratio(1), null, null)), Middle(null));

        double Middle(RouteMonitor? monitor) => Enumerable.Range(0, Rounds).Select(_ => Nanoseconds(monitor)).Order().ElementAt(Rounds / 2);

        double Nanoseconds(RouteMonitor? monitor)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Requests; i++)
                sampler.Answered(new OverRequest(TrafficArm.Stable, monitor, "3f2a9c0e5b7d41f68a1c2e4d6b8f0a93", "", started, 0.0012), inputs, outputs, isLate: false);
            var taken = Stopwatch.GetElapsedTime(started).TotalNanoseconds / Requests;
            sampler.Drain([], all: true);
            return taken;
        }
    }

    private static TensorSpec Tensor(string name, Datatype datatype) => new(name, datatype, [-1, 1], null, null);

    private static ReferenceFeature Text(string name, ImmutableArray<string> categories) =>
        new(name, Sensitivity.Public, null, categories, new ColumnProfile(0, 0, [.. new long[categories.Length + 1]], null));

    private static ReferenceFeature Numbers(string name, int edges, double apart) =>
        new(name, Sensitivity.Public, [.. Enumerable.Range(1, edges).Select(edge => edge * apart)], null, new ColumnProfile(0, 0, [.. new long[edges + 1]], default(Moments)));
}
