using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Slipway.Gateway.Telemetry;

/// <summary>Sends the spans of one source and the metrics of one meter by OTLP over HTTP, in batches and from a thread of its own.</summary>
/// <remarks>
/// What the receiver does not take is dropped once the exporter's own bounds are reached (2,048 spans wait): requests never wait for it.
/// Source: OpenTelemetry Protocol 1.x, "OTLP/HTTP".
/// </remarks>
internal sealed class OtlpExport : IDisposable
{
    /// <summary>For what was made until the end.</summary>
    private const int FlushMilliseconds = 2000;

    private readonly TracerProvider traces;
    private readonly MeterProvider metrics;

    /// <param name="endpoint">Without the signals' own paths.</param>
    /// <param name="name">Of source and meter.</param>
    /// <param name="channel">Empty for none.</param>
    /// <param name="share">Of the requests that are traced although their caller does not trace them.</param>
    public OtlpExport(Uri endpoint, string name, string channel, double share)
    {
        var resource = ResourceBuilder.CreateEmpty().AddService("slipway-gateway", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version!.ToString(3));
        if (channel.Length > 0)
            resource.AddAttributes([new("slipway.channel", channel)]);
        traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(name)
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(share))).AddOtlpExporter(options => Send(options, endpoint, "v1/traces")).Build();
        metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(name).AddOtlpExporter(options => Send(options, endpoint, "v1/metrics")).Build();
    }

    public void Dispose()
    {
        traces.Shutdown(FlushMilliseconds);
        metrics.Shutdown(FlushMilliseconds);
        traces.Dispose();
        metrics.Dispose();
    }

    private static void Send(OtlpExporterOptions options, Uri endpoint, string path)
    {
        options.Protocol = OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);
    }
}
