using Slipway.Documents.Rollouts;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>What <c>/metrics</c> answers.</summary>
internal static class MetricsPage
{
    private const string Durations = "slipway_prediction_duration_seconds";

    /// <summary>Of the buckets of <see cref="LatencyBuckets"/> every fourth: ratio 2, from 100 µs to 3.3 s.</summary>
    private const int Step = 4;

    public static byte[] Write(IReadOnlyList<Reading> readings, GatewayMetrics metrics)
    {
        var text = new PrometheusText();
        foreach (var reading in readings)
        {
            text.Begin(reading.PrometheusName, reading.IsCounter ? "counter" : "gauge", reading.Help);
            foreach (var value in reading.Values())
                text.Sample(reading.PrometheusName, value.Value, value.Labels);
        }

        text.Begin(Durations, "histogram", "From a request's assignment to the model's answer.");
        foreach (var (model, version, arm) in GatewayReadings.Cells(metrics))
            WriteDurations(text, version, arm, ("model", model.Model), ("version", version.Version), ("arm", arm.ToString().ToLowerInvariant()));
        return text.ToUtf8();
    }

    private static void WriteDurations(PrometheusText text, VersionMetrics version, AnswerArm arm, params (string, string)[] labels)
    {
        var buckets = new long[LatencyBuckets.Count];
        for (var i = 0; i < buckets.Length; i++)
            buckets[i] = version.TimesOf(arm, i);
        var all = buckets.Sum();
        if (all == 0)
            return;
        var below = 0L;
        for (var i = 0; i < buckets.Length - 1; i++)
        {
            below += buckets[i];
            if (i % Step == 0)
                text.Sample(Durations + "_bucket", below, [.. labels, ("le", PrometheusText.Number(LatencyBuckets.Bounds[i]))]);
        }

        text.Sample(Durations + "_bucket", all, [.. labels, ("le", "+Inf")]);
        text.Sample(Durations + "_sum", version.SecondsOf(arm), labels);
        text.Sample(Durations + "_count", all, labels);
    }
}
