using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>What of a gateway can be seen from outside: its metrics, and traces and metrics by OTLP where an endpoint is given.</summary>
internal sealed class Observability : IDisposable
{
    private readonly OtlpExport? export;
    private readonly GatewayMeter? meter;

    public Observability(Router router, Traffic traffic, InferenceOptions options)
    {
        // A source and a meter of its own for each channel: an exporter takes all of a name's, and one process may serve several channels.
        var name = options.Channel.Length > 0 ? "Slipway.Gateway." + options.Channel : "Slipway.Gateway";
        Readings = GatewayReadings.Of(router, traffic);
        Traces = new RequestTraces(name, options.OtlpEndpoint is not null);
        if (options.OtlpEndpoint is null)
            return;
        meter = new GatewayMeter(name, Readings);
        export = new OtlpExport(options.OtlpEndpoint, name, options.Channel, options.TraceShare);
    }

    public IReadOnlyList<Reading> Readings { get; }

    public RequestTraces Traces { get; }

    public void Observe(string model, string version, AnswerArm arm, double seconds) => meter?.Observe(model, version, arm, seconds);

    /// <summary>Sends what is left, if the receiver takes it.</summary>
    public void Dispose()
    {
        export?.Dispose();
        meter?.Dispose();
        Traces.Dispose();
    }
}
