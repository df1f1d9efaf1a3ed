using System.Collections.Immutable;
using Slipway.Documents.Monitoring;

namespace Slipway.Gateway.Sampling;

/// <summary>Slices of one version and arm put together, where there is no room for each by itself.</summary>
internal static class SliceSum
{
    public static (string Model, int Version, TrafficArm Arm) KeyOf(TelemetrySlice slice) => (slice.Model, slice.Version, slice.Arm);

    /// <param name="start">Unix seconds.</param>
    /// <param name="slices">At least one, in the order of their time.</param>
    public static TelemetrySlice Of(long start, int seconds, IEnumerable<TelemetrySlice> slices) => slices.Aggregate(Merge) with { Start = start, Seconds = seconds };

    private static TelemetrySlice Merge(TelemetrySlice one, TelemetrySlice other)
    {
        var room = Math.Max(0, TelemetrySlice.MostPredictions - one.Predictions.Length);
        return one with
        {
            Requests = one.Requests + other.Requests,
            Refused = one.Refused + other.Refused,
            Bad = Sum(one.Bad, other.Bad),
            Latency = Sum(one.Latency, other.Latency),
            Sampled = one.Sampled + other.Sampled,
            Inputs = Merge(one.Inputs, other.Inputs),
            Outputs = Merge(one.Outputs, other.Outputs),
            Predictions = [.. one.Predictions, .. other.Predictions.Take(room)],
            Unkept = one.Unkept + other.Unkept + Math.Max(0, other.Predictions.Length - room),
            Exemplars = [.. one.Exemplars.Concat(other.Exemplars).Take(TelemetrySlice.MostExemplars)],
        };
    }

    private static ImmutableArray<long> Sum(ImmutableArray<long> one, ImmutableArray<long> other) => [.. one.Zip(other, (x, y) => x + y)];

    /// <remarks>A version's features and bins are its bundle's: the same in all of its slices that have any.</remarks>
    private static ImmutableArray<FeatureProfile> Merge(ImmutableArray<FeatureProfile> one, ImmutableArray<FeatureProfile> other) =>
        one.IsEmpty ? other : other.IsEmpty ? one : [.. one.Zip(other, (x, y) => x with { Profile = x.Profile.Merge(y.Profile) })];
}
