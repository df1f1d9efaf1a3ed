using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Stats.Sketches;
using Slipway.Tests.Gateway.Telemetry;

namespace Slipway.Tests.Gateway.Sampling;

public sealed class VersionSamplerTests : IDisposable
{
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private static readonly RouteMonitor everything = new(new Ratio(1), null, null), withLabels = new(new Ratio(0), new Ratio(1), null);
    private static readonly ModelSignature signature = new(
        [
            new TensorSpec("distance", Datatype.Float64, [-1, 1], null, "miles"),
            new TensorSpec("origin", Datatype.String, [-1], null, null),
            new TensorSpec("late", Datatype.Bool, [-1, 1], null, null),
            new TensorSpec("image", Datatype.UInt8, [-1, 4], null, null),
        ],
        [new TensorSpec("probability", Datatype.Float32, [-1, 1], null, null)]);

    private static readonly ReferenceProfile reference = new(
        [
            new("distance", Sensitivity.Public, [100, 200], null, new ColumnProfile(3, 0, [1, 1, 1], default(Moments))),
            new("origin", Sensitivity.Public, null, ["ATL", "ORD"], new ColumnProfile(3, 0, [1, 1, 1], null)),
            new("late", Sensitivity.Public, null, ["false", "true"], new ColumnProfile(3, 0, [1, 2, 0], null)),
        ],
        [new("probability", Sensitivity.Public, [0.5], null, new ColumnProfile(3, 0, [1, 2], default(Moments)))]);

    private readonly StepClock time = new();
    private readonly TensorSet inputs = TensorSet.ForInputs(signature), outputs = TensorSet.ForOutputs(signature);
    private readonly SampleClock clock;
    private readonly VersionSampler sampler;

    public VersionSamplerTests()
    {
        clock = new SampleClock(time);
        sampler = Sampler(Model());
    }

    public void Dispose()
    {
        inputs.Dispose();
        outputs.Dispose();
    }

    [Fact]
    public void Requests_are_counted_by_arm_in_the_second_in_which_they_end()
    {
        Answer(TrafficArm.Stable, seconds: 0.00005);
        time.Step(TimeSpan.FromMilliseconds(400));
        Answer(TrafficArm.Stable, seconds: 0.0002, isLate: true);
        Answer(TrafficArm.Candidate, seconds: 100);
        sampler.Failed(Over(TrafficArm.Candidate), null, BadKind.Error);
        sampler.Failed(Over(TrafficArm.Shadow), null, BadKind.InvalidOutput);
        Assert.Empty(Drain());      // the second is not over
        time.Step(TimeSpan.FromMilliseconds(600));
        Answer(TrafficArm.Direct);
        var slices = Drain();
        Assert.Equal([TrafficArm.Stable, TrafficArm.Candidate, TrafficArm.Shadow], slices.Select(slice => slice.Arm));
        Assert.All(slices, slice => Assert.Equal(("flight-delay", 3, 1_700_000_000L, 1), (slice.Model, slice.Version, slice.Start, slice.Seconds)));
        Assert.Equal([2, 2, 1], slices.Select(slice => slice.Requests));
        Assert.Equal([0, 0, 1, 0, 0], slices[0].Bad);
        Assert.Equal([1, 0, 0, 0, 0], slices[1].Bad);
        Assert.Equal([0, 0, 0, 1, 0], slices[2].Bad);
        Assert.Equal((1, 1), (slices[0].Latency[LatencyBuckets.IndexOf(0.00005)], slices[0].Latency[LatencyBuckets.IndexOf(0.0002)]));
        Assert.Equal(2, slices[1].Latency[^1]);
        Assert.Empty(Drain());      // told once
        Assert.Equal((TrafficArm.Direct, 1_700_000_001L), (Drain(all: true).Single() is var last) ? (last.Arm, last.Start) : default);
    }

    [Fact]
    public void Who_ends_before_a_second_that_was_told_is_counted_in_the_next()
    {
        var early = Over(TrafficArm.Stable);
        time.Step(TimeSpan.FromSeconds(2));
        Answer(TrafficArm.Stable);
        sampler.Failed(early, null, BadKind.Error);
        time.Step(TimeSpan.FromSeconds(1));
        var slice = Assert.Single(Drain());
        Assert.Equal((1_700_000_002L, 2L), (slice.Start, slice.Requests));
    }

    [Fact]
    public void A_step_of_the_wall_clock_moves_no_second()
    {
        Answer(TrafficArm.Stable);
        time.SetWallClock(TimeSpan.FromHours(-1));
        time.Step(TimeSpan.FromSeconds(1));
        Answer(TrafficArm.Stable);
        Assert.Equal(1_700_000_001_000, clock.MillisecondsAt(clock.Now));
        Assert.Equal([1_700_000_000L, 1_700_000_001L], Drain(all: true).Select(slice => slice.Start));
    }

    [Fact]
    public void Values_are_counted_in_the_bins_of_the_sealed_reference()
    {
        foreach (var (distance, origin, late) in new[] { (100d, "ATL", true), (100.5, "ORD", false), (1e6, "invented", true) })
        {
            Fill([distance], [origin], [late], [0.75f]);
            Answer(TrafficArm.Stable, everything);
        }

        var slice = Drain(all: true).Single();
        Assert.Equal(["distance", "origin", "late"], slice.Inputs.Select(input => input.Name));     // an image is no column
        Assert.Equal([1, 1, 1], slice.Inputs[0].Profile.Bins);
        Assert.Equal([1, 1, 1], slice.Inputs[1].Profile.Bins);
        Assert.Equal([1, 2, 0], slice.Inputs[2].Profile.Bins);
        Assert.Equal([0, 3], slice.Outputs[0].Profile.Bins);
        Assert.Equal((3L, 100d, 1e6), (slice.Inputs[0].Profile.Moments!.Value.Count, slice.Inputs[0].Profile.Moments!.Value.Min, slice.Inputs[0].Profile.Moments!.Value.Max));
        Assert.Null(slice.Inputs[1].Profile.Moments);
        Assert.Equal(3, slice.Sampled);
    }

    [Fact]
    public void A_failed_request_is_profiled_by_its_inputs_and_a_shadow_by_its_outputs()
    {
        Fill([1], ["ATL"], [true], [0.75f]);
        sampler.Failed(Over(TrafficArm.Stable, everything), inputs, BadKind.InvalidOutput);
        sampler.Answered(Over(TrafficArm.Shadow, everything), null, outputs, isLate: false);
        var (stable, shadow) = (Drain(all: true) is [var one, var other]) ? (one, other) : default;
        Assert.Equal((1, 0), (stable.Inputs[0].Profile.Count, stable.Outputs[0].Profile.Count));
        Assert.Equal((0, 1), (shadow.Inputs[0].Profile.Count, shadow.Outputs[0].Profile.Count));
    }

    [Fact]
    public void Hostile_values_fill_one_bin_and_no_memory()
    {
        var huge = new string('x', 1_000_000);
        for (var i = 0; i < 2_000; i++)
        {
            Fill([i % 4 == 0 ? double.NaN : i % 4 == 1 ? double.NegativeInfinity : i % 4 == 2 ? 1e308 : -0.0], [i % 3 == 0 ? huge : i % 3 == 1 ? $"invented-{i}" : ""], [true], [float.NaN]);
            Answer(TrafficArm.Stable, everything, new string((char)('a' + (i % 26)), 10_000));
        }

        var slice = Drain(all: true).Single();
        var (distance, origin) = (slice.Inputs[0].Profile, slice.Inputs[1].Profile);
        Assert.Equal((2_000, 1_000), (distance.Count, distance.Missing));
        Assert.Equal([500, 0, 500], distance.Bins);
        Assert.Equal((500L, 0d, 0d), (distance.Moments!.Value.Count, distance.Moments!.Value.Min, distance.Moments!.Value.M4));
        Assert.Equal((2_000, 666), (origin.Count, origin.Missing));
        Assert.Equal([0, 0, 1_334], origin.Bins);
        Assert.Equal((2_000, 2_000), (slice.Outputs[0].Profile.Count, slice.Outputs[0].Profile.Missing));
        Assert.InRange(CanonicalJson.Serialize(new TelemetryBatch("g", "b", "production", 1, [slice], new HostLoad(0, 1, null, 0, 0), 0), MonitoringJson.Default.TelemetryBatch).Length, 1, 3_000);
    }

    [Fact]
    public void Of_a_sensitive_column_nothing_is_told_but_counts_by_bin()
    {
        var sensitive = Sampler(Model(sensitive: ["distance", "probability"]));
        Fill([41.5], ["ATL"], [true], [0.75f]);
        sensitive.Answered(Over(TrafficArm.Stable, everything), inputs, outputs, isLate: false);
        var slices = new List<TelemetrySlice>();
        sensitive.Drain(slices, all: true);
        Assert.Equal((1L, null, 0), (slices[0].Inputs[0].Profile.Count, slices[0].Inputs[0].Profile.Moments, slices[0].Inputs[0].Profile.Bins.Length));
        Assert.Null(slices[0].Outputs[0].Profile.Moments);
    }

    [Fact]
    public void A_feature_of_another_type_in_another_version_is_counted_in_that_versions_bins()
    {
        var other = signature with { Inputs = [new TensorSpec("distance", Datatype.String, [-1, 1], null, null)] };
        var bins = new ReferenceProfile([new("distance", Sensitivity.Public, null, ["far", "near"], new ColumnProfile(2, 0, [1, 1, 0], null))], []);
        var next = Sampler(Model(other, bins));
        using var texts = TensorSet.ForInputs(other);
        texts.Tensors[0].SetShape([1, 1]);
        texts.Tensors[0].Add("far");
        Fill([1], ["ATL"], [true], [0.75f]);
        Answer(TrafficArm.Stable, everything);
        next.Answered(Over(TrafficArm.Stable, everything), texts, outputs, isLate: false);
        var slices = new List<TelemetrySlice>();
        next.Drain(slices, all: true);
        Assert.Equal([1, 0, 0], slices[0].Inputs.Single().Profile.Bins);
        Assert.Null(slices[0].Inputs[0].Profile.Moments);
        Assert.Equal(1, Drain(all: true).Single().Inputs[0].Profile.Moments!.Value.Count);
        // A reference of another kind than the signature's gives no bins rather than wrong ones.
        Assert.Equal(0, new FeatureBins(other.Inputs[0], reference.Inputs[0], isSensitive: false).Count);
    }

    [Fact]
    public void A_share_is_sampled_by_the_id_alone_and_is_about_that_share()
    {
        var tenth = new RouteMonitor(new Ratio(0.1), null, null);
        Fill([1], ["ATL"], [true], [0.75f]);
        for (var i = 0; i < 10_000; i++)
            Answer(TrafficArm.Stable, tenth, $"request-{i}");
        var sampled = Drain(all: true).Single().Sampled;
        Assert.InRange(sampled, 850, 1_150);
        for (var i = 0; i < 10_000; i++)
            Answer(TrafficArm.Stable, tenth, $"request-{i}");
        Assert.Equal(sampled, Drain(all: true).Single().Sampled);
        Assert.True(RequestShare.Has(new Ratio(1), ""));
        Assert.False(RequestShare.Has(new Ratio(0), ""));
    }

    [Fact]
    public void Without_a_monitor_requests_are_counted_and_nothing_of_them_is_told()
    {
        Fill([1], ["ATL"], [true], [0.75f]);
        Answer(TrafficArm.Stable, monitor: null);
        var slice = Drain(all: true).Single();
        Assert.Equal((1L, 0L, 0, 0, 0), (slice.Requests, slice.Sampled, slice.Inputs.Length, slice.Outputs.Length, slice.Predictions.Length));
    }

    [Fact]
    public void Each_row_of_an_answer_waits_for_the_label_that_names_it()
    {
        Fill([1, 2], ["ATL", "ORD"], [true, true], [0.25f, 0.75f]);
        Answer(TrafficArm.Stable, withLabels, "order-1");
        Fill([1], ["ATL"], [true], [0.5f]);
        Answer(TrafficArm.Stable, withLabels, "order-2");
        sampler.Failed(Over(TrafficArm.Stable, withLabels, "order-3"), inputs, BadKind.Error);
        sampler.Answered(Over(TrafficArm.Shadow, withLabels, "order-4"), null, outputs, isLate: false);
        Answer(TrafficArm.Stable, withLabels, new string('x', PredictionKey.LongestId + 1));     // no label can name it
        var predictions = Drain(all: true).SelectMany(slice => slice.Predictions).ToArray();
        Assert.Equal(
            [(PredictionKey.Of("flight-delay", "order-1", 0, 2), 0.25), (PredictionKey.Of("flight-delay", "order-1", 1, 2), 0.75), (PredictionKey.Of("flight-delay", "order-2"), 0.5)],
            predictions.Select(prediction => (prediction.Key, prediction.Score)));
        Assert.All(predictions, prediction => Assert.Equal(1_700_000_000_000, prediction.At));
    }

    [Fact]
    public void Predictions_beyond_the_bound_and_rows_beyond_the_first_thousand_are_counted()
    {
        var rows = VersionSampler.MostRows + 500;
        Fill([.. Enumerable.Repeat(1.0, rows)], [.. Enumerable.Repeat("ATL", rows)], [.. Enumerable.Repeat(true, rows)], [.. Enumerable.Repeat(0.5f, rows)]);
        for (var i = 0; i < 3; i++)
            Answer(TrafficArm.Stable, new RouteMonitor(new Ratio(1), new Ratio(1), null), $"order-{i}");
        var slice = Drain(all: true).Single();
        Assert.Equal((TelemetrySlice.MostPredictions, (3 * rows) - TelemetrySlice.MostPredictions), (slice.Predictions.Length, slice.Unkept));
        Assert.Equal(3 * VersionSampler.MostRows, slice.Inputs[0].Profile.Count);
    }

    [Fact]
    public void Which_predictions_are_kept_is_what_the_server_works_out_from_the_key()
    {
        var share = new Ratio(0.3);
        Fill([1, 2], ["ATL", "ORD"], [true, true], [0.25f, 0.75f]);
        for (var i = 0; i < 500; i++)
            Answer(TrafficArm.Stable, new RouteMonitor(new Ratio(0), share, null), $"bestellung-ä-{i}");
        var keys = Enumerable.Range(0, 500).SelectMany(i => new[] { 0, 1 }.Select(row => PredictionKey.Of("flight-delay", $"bestellung-ä-{i}", row, 2)));
        Assert.Equal(keys.Where(key => PredictionKey.IsAmong(share, key)).Order(), Drain(all: true).Single().Predictions.Select(prediction => prediction.Key).Order());
        Assert.Equal(PredictionKey.IsAmong(share, PredictionKey.Of("m", new string('ä', 200))), PredictionKey.IsAmong(share, "m", new string('ä', 200), 0, 1));
        Assert.Equal(PredictionKey.IsAmong(share, PredictionKey.Of(new string('m', 500), "i")), PredictionKey.IsAmong(share, new string('m', 500), "i", 0, 1));
    }

    [Fact]
    public void A_few_bad_requests_are_told_by_their_trace()
    {
        for (var i = 0; i < 20; i++)
            sampler.Failed(Over(TrafficArm.Stable), null, BadKind.Timeout);
        sampler.Failed(Over(TrafficArm.Shadow) with { Trace = "" }, null, BadKind.Error);
        var slices = Drain(all: true);
        Assert.Equal(Enumerable.Repeat(new Exemplar("0af7651916cd43dd8448eb211c80319c", BadKind.Timeout, 1_700_000_000_000, 0.001), TelemetrySlice.MostExemplars), slices[0].Exemplars);
        Assert.Empty(slices[1].Exemplars);
    }

    [Fact]
    public void A_request_allocates_nothing()
    {
        Fill([1], ["ATL"], [true], [0.75f]);
        var monitor = new RouteMonitor(new Ratio(1), null, null);
        for (var i = 0; i < 1_000; i++)
            Answer(TrafficArm.Stable, monitor);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            Answer(TrafficArm.Stable, monitor);
        // Another processor's counts may be made on the way.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
    }

    [Fact]
    public async Task Many_threads_are_counted_each_once_while_seconds_are_taken()
    {
        const int threads = 4, each = 20_000;
        Fill([150], ["ATL"], [true], [0.75f]);
        var system = new SampleClock(TimeProvider.System);
        var counted = new VersionSampler("flight-delay", new VersionRef(3, default), Model(), system);
        var monitor = new RouteMonitor(new Ratio(1), null, null);
        var work = Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
                counted.Answered(new OverRequest(TrafficArm.Stable, monitor, "id", Trace, system.Now, 0.001), inputs, outputs, isLate: false);
        })).ToArray();
        var slices = new List<TelemetrySlice>();
        while (!Task.WhenAll(work).IsCompleted)
            counted.Drain(slices, all: true);
        await Task.WhenAll(work);
        counted.Drain(slices, all: true);
        Assert.Equal(threads * each, slices.Sum(slice => slice.Requests));
        Assert.Equal(threads * each, slices.Sum(slice => slice.Inputs[0].Profile.Bins[1]));
        Assert.Equal(threads * each, slices.Sum(slice => slice.Outputs[0].Profile.Moments!.Value.Count));
    }

    [Fact]
    public void A_retired_versions_last_requests_are_told_and_then_it_is_forgotten()
    {
        var samplers = new Samplers(clock);
        var retired = samplers.Begin("flight-delay", new VersionRef(1, default), Model());
        retired.Failed(Over(TrafficArm.Stable), null, BadKind.Error);
        Assert.Empty(samplers.Drain());
        retired.Retire();
        Assert.Single(samplers.Drain());
        retired.Failed(Over(TrafficArm.Stable), null, BadKind.Error);
        Assert.Empty(samplers.Drain(last: true));
    }

    private static HostedModel Model(ModelSignature? other = null, ReferenceProfile? bins = null, string[]? sensitive = null) =>
        new("flight-delay", default, "/", "/model.onnx", other ?? signature, new RuntimeSpec(null, [], null))
        {
            Reference = sensitive is null ? bins ?? reference : null,
            Sensitive = System.Collections.Frozen.FrozenSet.ToFrozenSet(sensitive ?? [], StringComparer.Ordinal),
        };

    private VersionSampler Sampler(HostedModel model) => new("flight-delay", new VersionRef(3, default), model, clock);

    private OverRequest Over(TrafficArm arm, RouteMonitor? monitor = null, string id = "id", double seconds = 0.001) => new(arm, monitor, id, Trace, time.GetTimestamp(), seconds);

    private void Answer(TrafficArm arm, RouteMonitor? monitor = null, string id = "id", double seconds = 0.001, bool isLate = false) =>
        sampler.Answered(Over(arm, monitor, id, seconds), inputs, outputs, isLate);

    private List<TelemetrySlice> Drain(bool all = false)
    {
        var slices = new List<TelemetrySlice>();
        sampler.Drain(slices, all);
        return slices;
    }

    private void Fill(double[] distances, string[] origins, bool[] late, float[] probabilities)
    {
        inputs.Clear();
        outputs.Clear();
        foreach (var tensor in inputs.Tensors)
            tensor.SetShape(tensor.Spec.Shape.Length == 1 ? [distances.Length] : [distances.Length, tensor.Spec.Shape[1]]);
        outputs.Tensors[0].SetShape([distances.Length, 1]);
        for (var i = 0; i < distances.Length; i++)
        {
            inputs.Tensors[0].Add(distances[i]);
            inputs.Tensors[1].Add(origins[i]);
            inputs.Tensors[2].Add((byte)(late[i] ? 1 : 0));
            outputs.Tensors[0].Add(probabilities[i]);
        }
    }
}
