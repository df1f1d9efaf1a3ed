using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Slipway.Gateway.Telemetry;

/// <summary>The gateway's metrics as OpenTelemetry's instruments.</summary>
internal sealed class GatewayMeter : IDisposable
{
    private readonly Meter meter;
    private readonly Histogram<double> durations;

    public GatewayMeter(string name, IReadOnlyList<Reading> readings)
    {
        meter = new Meter(name);
        durations = meter.CreateHistogram<double>("slipway.prediction.duration", "s", "From a request's assignment to the model's answer.");
        foreach (var reading in readings)
        {
            if (reading.IsCounter)
                meter.CreateObservableCounter(reading.Name, () => Measure(reading), reading.Unit, reading.Help);
            else
                meter.CreateObservableGauge(reading.Name, () => Measure(reading), reading.Unit, reading.Help);
        }
    }

    public void Observe(string model, string version, AnswerArm arm, double seconds)
    {
        if (durations.Enabled)
            durations.Record(seconds, new TagList { { "model", model }, { "version", version }, { "arm", arm.ToString().ToLowerInvariant() } });
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<double>> Measure(Reading reading) =>
        reading.Values().Select(value => new Measurement<double>(value.Value, value.Labels.Select(label => new KeyValuePair<string, object?>(label.Name, label.Value))));
}
