using System.Collections.Concurrent;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>What this gateway counts of its own, whatever a server makes of it. Thread-safe, and without a lock where requests are counted.</summary>
internal sealed class GatewayMetrics
{
    private readonly ConcurrentDictionary<string, ModelMetrics> models = new(StringComparer.Ordinal);

    /// <summary>Requests that name no model of this gateway's: health, and paths that are not there.</summary>
    public ModelMetrics Other { get; } = new("");

    public IEnumerable<ModelMetrics> Models => models.Values.Append(Other).OrderBy(model => model.Model, StringComparer.Ordinal);

    /// <param name="model">One that the routing table has: never a name out of a request, of which there are endlessly many.</param>
    public ModelMetrics Of(string model) => models.GetOrAdd(model, static name => new ModelMetrics(name));
}

/// <summary>Counters of one model.</summary>
internal sealed class ModelMetrics
{
    /// <summary>Versions whose counters are kept: the latest ones. Each costs up to 64 KiB, by the number of processors.</summary>
    private const int KeptVersions = 16;

    private readonly Lock changing = new();
    private readonly ShardedCounters shed = new(Enum.GetValues<ShedReason>().Length), shadow = new(Enum.GetValues<ShadowOutcome>().Length);
    private volatile VersionMetrics[] versions = [];

    public ModelMetrics(string model)
    {
        Model = model;
        Unrouted = new VersionMetrics("");
    }

    public string Model { get; }

    /// <summary>Requests that were refused before a version was chosen.</summary>
    public VersionMetrics Unrouted { get; }

    public IEnumerable<VersionMetrics> Versions => versions.Append(Unrouted);

    public VersionMetrics Of(string version)
    {
        lock (changing)
        {
            var known = Array.Find(versions, metrics => metrics.Version == version);
            if (known is not null)
                return known;
            var added = new VersionMetrics(version);
            versions = [.. versions.TakeLast(KeptVersions - 1), added];
            return added;
        }
    }

    public void Shed(ShedReason reason) => shed.Increment((int)reason);

    public long ShedOf(ShedReason reason) => shed.Sum((int)reason);

    public void Shadow(ShadowOutcome outcome) => shadow.Increment((int)outcome);

    public long ShadowOf(ShadowOutcome outcome) => shadow.Sum((int)outcome);
}

/// <summary>Counters of one version.</summary>
internal sealed class VersionMetrics(string version)
{
    /// <summary>Statuses that are told apart; 0 stands for any other, 499 for a client that went away.</summary>
    public static readonly int[] Statuses = [0, 200, 400, 404, 405, 408, 413, 415, 429, 499, 500, 503, 504];

    private const int Arms = 3, SumOfTimes = LatencyBuckets.Count, TimeCells = LatencyBuckets.Count + 1;

    private readonly ShardedCounters requests = new(Arms * Statuses.Length), times = new(Arms * TimeCells);

    public string Version => version;

    public void Count(AnswerArm arm, int status)
    {
        var cell = Array.IndexOf(Statuses, status);
        requests.Increment(((int)arm * Statuses.Length) + Math.Max(0, cell));
    }

    /// <param name="seconds">From the request's assignment to the model's answer.</param>
    public void Observe(AnswerArm arm, double seconds)
    {
        times.Increment(((int)arm * TimeCells) + LatencyBuckets.IndexOf(seconds));
        times.Add(((int)arm * TimeCells) + SumOfTimes, (long)(seconds * 1e9));
    }

    /// <param name="status">Index in <see cref="Statuses"/>.</param>
    public long RequestsOf(AnswerArm arm, int status) => requests.Sum(((int)arm * Statuses.Length) + status);

    /// <param name="bucket">Of <see cref="LatencyBuckets"/>.</param>
    public long TimesOf(AnswerArm arm, int bucket) => times.Sum(((int)arm * TimeCells) + bucket);

    public double SecondsOf(AnswerArm arm) => times.Sum(((int)arm * TimeCells) + SumOfTimes) / 1e9;
}

/// <summary>Which arm of a rollout answered; none where a version was asked for by its number, or none was chosen.</summary>
internal enum AnswerArm
{
    None,
    Stable,
    Candidate,
}

/// <summary>Why a request was turned away although nothing was wrong with it.</summary>
internal enum ShedReason
{
    Rate,
    Queue,
    Deadline,
    Bodies,
    Stopping,
}

internal enum ShadowOutcome
{
    Same,
    Different,
    Failed,
    Skipped,
}
