using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Bytes;
using Slipway.Stats.Sketches;

namespace Slipway.Tests.Gateway.Sampling;

public sealed class TelemetryLogTests
{
    private const long Start = 1_700_000_040;       // on the border of a minute

    private readonly TelemetryLog log = new("edge-1", "boot-1", "production");

    [Fact]
    public void A_batch_is_the_same_to_the_byte_until_it_is_acknowledged()
    {
        Assert.False(log.IsDue);
        log.Add([Slice(0)]);
        var first = log.Take(Load);
        Assert.Equal(("edge-1", "boot-1", "production", 1L, 0L, 1), (first.Gateway, first.Boot, first.Channel, first.Sequence, first.Lost, first.Slices.Length));
        log.Add([Slice(1)]);
        Assert.Equal(Bytes(first), Bytes(log.Take(() => new HostLoad(9, 9, 9, 9, 9))));
        log.Acknowledge(0);
        Assert.Same(first, log.Take(Load));
        log.Acknowledge(1);
        var second = log.Take(Load);
        Assert.Equal((2L, Start + 1), (second.Sequence, second.Slices.Single().Start));
        log.Acknowledge(2);
        Assert.False(log.IsDue);
        Assert.Empty(log.Take(Load).Slices);        // the load alone
    }

    [Fact]
    public void A_batch_has_room_for_so_many_slices_and_bytes_and_the_rest_waits()
    {
        log.Add([.. Enumerable.Range(0, TelemetryBatch.MostSlices + 100).Select(second => Slice(second))]);
        Assert.Equal([TelemetryBatch.MostSlices, 100], Slices());
        log.Add([.. Enumerable.Range(0, 30).Select(second => Slice(second, predictions: TelemetrySlice.MostPredictions))]);
        var batches = Batches();
        Assert.Equal(30, batches.Sum(batch => batch.Slices.Length));
        Assert.All(batches, batch => Assert.InRange(Bytes(batch).Length, 1, TelemetryBatch.MostBytes / 2));
        log.Add([Slice(0, features: 20_000)]);       // larger than a batch ought to be, and still told
        Assert.Equal([1], Slices());
    }

    [Fact]
    public void While_the_server_is_away_seconds_are_put_together_by_the_minute_and_nothing_is_lost_within_the_bound()
    {
        const int seconds = 3 * 3600;
        for (var second = 0; second < seconds; second++)
            log.Add([Slice(second, TrafficArm.Stable), Slice(second, TrafficArm.Candidate)]);
        var batches = Batches();
        var slices = batches.SelectMany(batch => batch.Slices).ToArray();
        Assert.Equal(0, batches.Sum(batch => batch.Lost));
        Assert.Equal(2 * 10 * seconds, slices.Sum(slice => slice.Requests));
        Assert.Equal(2 * 10 * seconds, slices.Sum(slice => slice.Latency.Sum()));
        Assert.Equal(2 * 10 * seconds, slices.Sum(slice => slice.Inputs[0].Profile.Count));
        Assert.InRange(slices.Length, 1, TelemetryLog.MostWaiting);
        Assert.Equal([1, TelemetryLog.Minute], slices.Select(slice => slice.Seconds).Distinct().Order());
        Assert.All(slices.Where(slice => slice.Seconds > 1), slice => Assert.Equal(0, slice.Start % TelemetryLog.Minute));
        Assert.All(slices, slice => Assert.InRange(slice.Exemplars.Length, 0, TelemetrySlice.MostExemplars));
        var last = slices.Where(slice => slice.Arm == TrafficArm.Stable).Max(slice => slice.Start);
        Assert.Equal(Start + seconds - 1, last);
    }

    [Fact]
    public void Beyond_the_bound_the_oldest_are_dropped_and_told_as_lost()
    {
        const int minutes = 3000;
        for (var minute = 0; minute < minutes; minute++)
            log.Add([Slice(minute * TelemetryLog.Minute)]);
        var batches = Batches();
        var slices = batches.SelectMany(batch => batch.Slices).ToArray();
        Assert.InRange(slices.Length, TelemetryLog.MostWaiting / 2, TelemetryLog.MostWaiting);
        Assert.Equal(10 * minutes, slices.Sum(slice => slice.Requests) + batches.Sum(batch => batch.Lost));
        Assert.Equal(Start + ((minutes - 1) * TelemetryLog.Minute), slices[^1].Start);
        Assert.Equal(0, Batches().Sum(batch => batch.Lost));     // told once
    }

    [Fact]
    public void Slices_of_very_many_features_are_bounded_by_their_bytes()
    {
        var large = Slice(0, features: 5_000);
        for (var second = 0; second < 200; second++)
            log.Add([large with { Start = Start + (TelemetryLog.Minute * second) }]);
        var batches = Batches();
        Assert.Equal(200 * 10, batches.Sum(batch => batch.Lost + batch.Slices.Sum(slice => slice.Requests)));
        Assert.InRange(batches.Sum(batch => batch.Slices.Length), 10, 50);
    }

    [Fact]
    public void Predictions_that_wait_are_bounded_and_the_oldest_are_told_as_unkept()
    {
        const int slices = 100;
        for (var second = 0; second < slices; second++)
            log.Add([Slice(second, predictions: TelemetrySlice.MostPredictions)]);
        var told = Batches().SelectMany(batch => batch.Slices).ToArray();
        Assert.Equal(TelemetryLog.MostPredictions, told.Sum(slice => slice.Predictions.Length));
        Assert.Equal((slices * TelemetrySlice.MostPredictions) - TelemetryLog.MostPredictions, told.Sum(slice => slice.Unkept));
        Assert.Empty(told[0].Predictions);
        Assert.Equal(TelemetrySlice.MostPredictions, told[^1].Predictions.Length);
    }

    [Fact]
    public void A_batch_that_is_given_up_is_told_as_lost_by_the_next()
    {
        log.Add([Slice(0), Slice(1)]);
        Assert.Equal(1, log.Take(Load).Sequence);
        log.GiveUp();
        Assert.False(log.IsDue);
        log.GiveUp();       // nothing is under way
        log.Add([Slice(2)]);
        var next = log.Take(Load);
        Assert.Equal((2L, 20L, 1), (next.Sequence, next.Lost, next.Slices.Length));
    }

    [Fact]
    public void Slices_of_sampled_and_unsampled_seconds_go_together()
    {
        var sum = SliceSum.Of(Start, 60, [Slice(0) with { Inputs = [], Outputs = [], Sampled = 0 }, Slice(1), Slice(2), Slice(3) with { Inputs = [], Sampled = 0 }]);
        Assert.Equal((40L, 20L, Start, 60), (sum.Requests, sum.Inputs[0].Profile.Count, sum.Start, sum.Seconds));
    }

    private static HostLoad Load() => new(0.5, 2, 1.5, 100, 3);

    private static byte[] Bytes(TelemetryBatch batch) => CanonicalJson.Serialize(batch, MonitoringJson.Default.TelemetryBatch);

    private static TelemetrySlice Slice(int second, TrafficArm arm = TrafficArm.Stable, int predictions = 0, int features = 1)
    {
        var latency = new long[LatencyBuckets.Count];
        latency[20] = 10;
        var profile = new ColumnProfile(10, 0, [4, 6], new Moments(10, 1, 3, 2, 1, 0, 1));
        return new TelemetrySlice(
            "flight-delay", 1, arm, Start + second, 1, 10, [1, 0, 0, 0, 0], [.. latency], 10,
            [.. Enumerable.Range(0, features).Select(i => new FeatureProfile($"input-{i}", profile))],
            [],
            [.. Enumerable.Range(0, predictions).Select(i => new PredictionRecord("00112233445566778899aabbccddeeff", (1000 * (Start + second)) + i, 0.123456789))],
            0,
            [new Exemplar("0af7651916cd43dd8448eb211c80319c", BadKind.Error, 1000 * Start, 0.1)]);
    }

    private List<TelemetryBatch> Batches()
    {
        var batches = new List<TelemetryBatch>();
        while (log.IsDue)
        {
            batches.Add(log.Take(Load));
            log.Acknowledge(batches[^1].Sequence);
        }

        return batches;
    }

    private IEnumerable<int> Slices() => Batches().Select(batch => batch.Slices.Length);
}
