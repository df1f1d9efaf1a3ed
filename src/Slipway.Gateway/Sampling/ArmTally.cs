using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Sampling;

/// <summary>What one arm of a version did in one second, as far as one processor saw it. Not thread-safe; its buffers are used again.</summary>
internal sealed class ArmTally(SampledFeatures features)
{
    private static readonly int Kinds = Enum.GetValues<BadKind>().Length;

    private readonly long[] bad = new long[Kinds], latency = new long[LatencyBuckets.Count];
    private readonly FeatureTally[] inputs = [.. features.Inputs.Select(feature => new FeatureTally(feature.Bins))];
    private readonly FeatureTally[] outputs = [.. features.Outputs.Select(feature => new FeatureTally(feature.Bins))];
    private readonly List<RowPrediction> predictions = [];
    private readonly List<BadRequest> exemplars = [];
    private long requests, refused, sampled, unkept;

    public bool IsEmpty => requests + refused == 0;

    public void Count(in OverRequest request, bool isAnswered, BadKind? kind)
    {
        requests++;
        latency[isAnswered ? LatencyBuckets.IndexOf(request.Seconds) : LatencyBuckets.Count - 1]++;
        if (kind is not { } known)
            return;
        bad[(int)known]++;
        if (exemplars.Count < TelemetrySlice.MostExemplars && request.Trace.Length > 0)
            exemplars.Add(new BadRequest(request.Trace, known, request.Ended, request.Seconds));
    }

    public void CountRefused() => refused++;

    /// <param name="given">Null where they are another arm's, and counted there.</param>
    /// <param name="answer">Null where there is none.</param>
    public void Profile(TensorSet? given, TensorSet? answer)
    {
        sampled++;
        for (var i = 0; given is not null && i < inputs.Length; i++)
            inputs[i].Add(given.Tensors[features.Inputs[i].Index], VersionSampler.MostRows);
        for (var i = 0; answer is not null && i < outputs.Length; i++)
            outputs[i].Add(answer.Tensors[features.Outputs[i].Index], VersionSampler.MostRows);
    }

    public void Keep(in RowPrediction prediction)
    {
        if (predictions.Count < TelemetrySlice.MostPredictions)
            predictions.Add(prediction);
        else
            unkept++;
    }

    public void KeepNone(long rows) => unkept += rows;

    /// <summary>Adds what another processor saw of the same second.</summary>
    public void Merge(ArmTally other)
    {
        (requests, refused, sampled, unkept) = (requests + other.requests, refused + other.refused, sampled + other.sampled, unkept + other.unkept);
        for (var i = 0; i < bad.Length; i++)
            bad[i] += other.bad[i];
        for (var i = 0; i < latency.Length; i++)
            latency[i] += other.latency[i];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i].Merge(other.inputs[i]);
        for (var i = 0; i < outputs.Length; i++)
            outputs[i].Merge(other.outputs[i]);
        foreach (var prediction in other.predictions)
            Keep(prediction);
        exemplars.AddRange(other.exemplars.Take(TelemetrySlice.MostExemplars - exemplars.Count));
    }

    public void Clear()
    {
        (requests, refused, sampled, unkept) = (0, 0, 0, 0);
        Array.Clear(bad);
        Array.Clear(latency);
        foreach (var feature in inputs)
            feature.Clear();
        foreach (var feature in outputs)
            feature.Clear();
        predictions.Clear();
        exemplars.Clear();
    }

    public TelemetrySlice ToSlice(string model, int version, TrafficArm arm, long second, SampleClock clock) => new(
        model,
        version,
        arm,
        second,
        1,
        requests,
        [.. bad],
        [.. latency],
        sampled,
        sampled == 0 ? [] : [.. inputs.Select(feature => feature.ToProfile())],
        sampled == 0 ? [] : [.. outputs.Select(feature => feature.ToProfile())],
        [.. predictions.Select(row => new PredictionRecord(PredictionKey.Of(model, row.Id, row.Row, row.Rows), clock.MillisecondsAt(row.Ended), row.Score))],
        unkept,
        [.. exemplars.Select(request => new Exemplar(request.TraceId, request.Kind, clock.MillisecondsAt(request.Ended), request.Seconds))])
    {
        Refused = refused,
    };
}

/// <summary>A row's answer that a label may be told for; its id is hashed when the second is over, off the way of requests.</summary>
/// <param name="Ended">On the monotonic clock.</param>
internal readonly record struct RowPrediction(string Id, int Row, int Rows, double Score, long Ended);

/// <param name="Trace">As <c>traceparent</c> has it.</param>
internal readonly record struct BadRequest(string Trace, BadKind Kind, long Ended, double Seconds)
{
    public string TraceId => Trace.Substring(3, 32);
}
