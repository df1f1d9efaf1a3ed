using System.Collections.Concurrent;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>What outlasts a model's routes: how many of its requests are answered at once, and what was counted of them.</summary>
internal sealed record ModelTraffic(ConcurrencyLimit Limit, ModelMetrics Metrics);

/// <summary>The traffic of every model that was ever in the routing table. Thread-safe.</summary>
internal sealed class Traffic(InferenceOptions options)
{
    private readonly ConcurrentDictionary<string, ModelTraffic> models = new(StringComparer.Ordinal);

    public GatewayMetrics Metrics { get; } = new();

    /// <param name="model">One that the routing table has: never a name out of a request, of which there are endlessly many.</param>
    public ModelTraffic Of(string model) =>
        models.TryGetValue(model, out var known) ? known
        : models.GetOrAdd(model, new ModelTraffic(new ConcurrencyLimit(options.ModelConcurrency, options.ModelQueue), Metrics.Of(model)));
}
