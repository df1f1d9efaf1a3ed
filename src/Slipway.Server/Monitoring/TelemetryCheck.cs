using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;

namespace Slipway.Server.Monitoring;

/// <summary>
/// What of a gateway's batch makes sense. Only a batch that nobody could ever take in is refused; a slice that is wrong is lost by itself, since a
/// batch that is refused is sent again, and would keep all that comes after it.
/// </summary>
internal static class TelemetryCheck
{
    /// <summary>Characters of a gateway's or a boot's name.</summary>
    private const int LongestName = 200;

    /// <summary>Longest slice in seconds.</summary>
    private const int LongestSlice = 3_600;

    /// <summary>Beyond any clock; so small that milliseconds do not overflow.</summary>
    private const long MostSeconds = 100_000_000_000;

    /// <summary>2⁵³ − 1: a larger whole number cannot be stored as JSON, and would keep out all that is stored with it.</summary>
    private const long LargestExact = 9_007_199_254_740_991;

    /// <summary>Digits of a <see cref="PredictionKey"/>.</summary>
    private const int KeyDigits = 32;

    /// <returns>What is wrong with the batch itself; null when nothing is.</returns>
    public static string? Fault(TelemetryBatch batch) => batch switch
    {
        { Gateway.Length: 0 or > LongestName } or { Boot.Length: 0 or > LongestName } => $"gateway and boot are named by 1 to {LongestName} characters",
        _ when HasControl(batch.Gateway) || HasControl(batch.Boot) => "the name of the gateway or boot holds a control character",
        { Sequence: < 1 or > VersionFeature.MostCounted } => $"its sequence is {batch.Sequence}, and the first is 1",
        { Slices: { IsDefault: false, Length: > TelemetryBatch.MostSlices } } => $"it has {batch.Slices.Length} slices, allowed are {TelemetryBatch.MostSlices}",
        _ => null,
    };

    /// <returns>A load that can be stored: numbers that are none become 0, and whole ones stay among JSON's exact ones.</returns>
    public static HostLoad Load(HostLoad load) => new(
        Finite(load.Cpu), Math.Max(0, load.Processors), load.LoadAverage is { } average ? Finite(average) : null, Exact(load.Memory), Exact(load.InFlight));

    /// <summary>Whether a slice is there, and its counts hold together.</summary>
    public static bool IsSound([NotNullWhen(true)] TelemetrySlice? slice) =>
        slice is not null
        && Spec.IsName(slice.Model)
        && slice.Version > 0
        && Enum.IsDefined(slice.Arm)
        && slice.Start is > 0 and < MostSeconds
        && slice.Seconds is >= 1 and <= LongestSlice
        && IsCount(slice.Requests) && IsCount(slice.Refused) && IsCount(slice.Sampled) && slice.Sampled <= slice.Requests && IsCount(slice.Unkept)
        && Sum(slice.Bad, WindowSum.BadKinds) is { } bad && bad <= slice.Requests
        && Sum(slice.Latency, LatencyBuckets.Count) == slice.Requests
        && IsWhole(slice.Inputs) && IsWhole(slice.Outputs) && IsWhole(slice.Predictions) && IsWhole(slice.Exemplars);

    /// <returns>The key's bytes; null for a prediction that cannot be kept.</returns>
    public static byte[]? Key(PredictionRecord prediction)
    {
        if (prediction.Key.Length != KeyDigits || !double.IsFinite(prediction.Score) || prediction.At is <= 0 or >= MostSeconds * 1_000)
            return null;
        var bytes = new byte[KeyDigits / 2];
        return Convert.FromHexString(prediction.Key, bytes, out _, out _) == System.Buffers.OperationStatus.Done ? bytes : null;
    }

    /// <summary>What a slice that is dropped counts as: its requests, refused ones too, where that is a number that can be believed.</summary>
    public static long LostBy(TelemetrySlice? slice) => Math.Max(1, slice is not null && IsCount(slice.Requests) && IsCount(slice.Refused) ? slice.Requests + slice.Refused : 1);

    private static bool IsCount(long count) => count is >= 0 and <= VersionFeature.MostCounted;

    private static long? Sum(ImmutableArray<long> counts, int length)
    {
        if (counts.IsDefault || counts.Length != length)
            return null;
        var sum = 0L;
        foreach (var count in counts)
        {
            if (!IsCount(count))
                return null;
            sum += count;
        }

        return sum;
    }

    /// <summary>JSON's reader takes null for any element, whatever the list is of.</summary>
    private static bool IsWhole<T>(ImmutableArray<T> list)
        where T : class => !list.IsDefault && !list.Any(element => element is null);

    private static long Exact(long value) => Math.Clamp(value, 0, LargestExact);

    private static double Finite(double value) => double.IsFinite(value) && value > 0 ? value : 0;

    private static bool HasControl(string text) => text.Any(char.IsControl);
}
