using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sketches;

namespace Slipway.Documents.Monitoring;

/// <summary>
/// What a gateway saw since its batch before, by version, arm and second. Taken in once, by (gateway, boot, sequence); sent until the server has it.
/// When it is sent stands in the header <see cref="SentAtHeader"/>, not in here: a batch that is sent again is the same to the byte.
/// </summary>
/// <param name="Sequence">1, 2, 3 … within the boot.</param>
/// <param name="Lost">Requests of this boot whose slices were dropped since the batch before, because the server did not take them for too long.</param>
public sealed record TelemetryBatch(string Gateway, string Boot, string Channel, long Sequence, ImmutableArray<TelemetrySlice> Slices, HostLoad Load, long Lost)
{
    /// <summary>Unix milliseconds on the gateway's clock when the batch leaves: what the server corrects a wrong clock by.</summary>
    public const string SentAtHeader = "Slipway-Sent-At";

    /// <summary>Slices of one batch; what is beyond waits for the next.</summary>
    public const int MostSlices = 500;

    /// <summary>Bytes of a batch that a server takes; a gateway stays far below.</summary>
    public const int MostBytes = 8 * 1024 * 1024;
}

/// <param name="Start">Unix seconds on the gateway's clock.</param>
/// <param name="Seconds">1, or 60 where a gateway put old slices together while it waited for the server.</param>
/// <param name="Requests">Of this version and arm that were over in this time, whenever they were assigned: good and bad. Load that was shed is none, nor is a caller who gave up.</param>
/// <param name="Bad">Of these, by <see cref="BadKind"/> in its order; a late answer counts as latency.</param>
/// <param name="Latency">By <see cref="LatencyBuckets"/>; requests without an answer are in the last one.</param>
/// <param name="Sampled">Requests whose values were profiled: their first 1,000 rows.</param>
/// <param name="Inputs">In the order of the signature; those with one value a row alone. Empty when none was sampled; of a shadow they count nothing.</param>
/// <param name="Outputs">As <paramref name="Inputs"/>, of the requests that were answered.</param>
/// <param name="Predictions">What labels are matched with; empty unless the plan asks for labels.</param>
/// <param name="Unkept">Rows whose prediction should be among <paramref name="Predictions"/>, and for whom there was no room.</param>
/// <param name="Exemplars">Traces of bad requests, at most <see cref="MostExemplars"/>.</param>
public sealed record TelemetrySlice(
    string Model,
    int Version,
    TrafficArm Arm,
    long Start,
    int Seconds,
    long Requests,
    ImmutableArray<long> Bad,
    ImmutableArray<long> Latency,
    long Sampled,
    ImmutableArray<FeatureProfile> Inputs,
    ImmutableArray<FeatureProfile> Outputs,
    ImmutableArray<PredictionRecord> Predictions,
    long Unkept,
    ImmutableArray<Exemplar> Exemplars)
{
    public const int MostExemplars = 5, MostPredictions = 2_000;

    /// <summary>Requests that this version would have answered, had their input fitted its signature (HTTP 400, 413). They are none of <see cref="Requests"/>: the fault is the caller's.</summary>
    public long Refused { get; init; }
}

/// <param name="Profile">In the bins of the version's sealed reference; without a reference no bins.</param>
public sealed record FeatureProfile(string Name, ColumnProfile Profile);

/// <param name="Key">See <see cref="PredictionKey"/>.</param>
/// <param name="At">Unix milliseconds on the gateway's clock.</param>
/// <param name="Score">The first output's value of the row.</param>
public sealed record PredictionRecord(string Key, long At, double Score);

/// <param name="Trace">32 hex digits: the trace's id, which is the request's where the caller named none.</param>
/// <param name="At">Unix milliseconds on the gateway's clock.</param>
public sealed record Exemplar(string Trace, BadKind Kind, long At, double Seconds);

/// <summary>How busy the gateway's host is, when the batch is made.</summary>
/// <param name="Cpu">Of this process since the batch before, in processors: 1.5 is one and a half of them.</param>
/// <param name="LoadAverage">Of the host, over a minute; null where the host does not say.</param>
/// <param name="Memory">Bytes of this process.</param>
/// <param name="InFlight">Requests that are being answered.</param>
public sealed record HostLoad(double Cpu, int Processors, double? LoadAverage, long Memory, long InFlight);

/// <summary>What a request was to a rollout.</summary>
[JsonConverter(typeof(NamedEnum<TrafficArm>))]
public enum TrafficArm
{
    /// <summary>Asked for by its version's number: no rollout had a say in it.</summary>
    [JsonStringEnumMemberName("direct")] Direct,

    /// <summary>Answered by the version that is live.</summary>
    [JsonStringEnumMemberName("stable")] Stable,

    /// <summary>Answered by a rollout's candidate.</summary>
    [JsonStringEnumMemberName("candidate")] Candidate,

    /// <summary>A copy for a shadow: its answer went to nobody.</summary>
    [JsonStringEnumMemberName("shadow")] Shadow,
}

public static class TrafficArmWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this TrafficArm arm) => NamedEnum<TrafficArm>.Word(arm);
}

/// <summary>What the server has of a gateway's telemetry.</summary>
/// <param name="Taken">The highest sequence of this boot that is stored; all up to it are, or are lost.</param>
public sealed record TelemetryReceipt(string Gateway, string Boot, long Taken);
