namespace Slipway.Gateway.Telemetry;

/// <summary>A metric that can be read at any time: what is counted is counted once, for everyone who asks.</summary>
/// <param name="Name">Words between dots, as OpenTelemetry has them, such as <c>slipway.requests</c>.</param>
/// <param name="Unit">As OpenTelemetry writes it: <c>1</c> for a ratio, <c>{request}</c> for a count of them, empty for none.</param>
/// <param name="Help">One sentence.</param>
internal sealed record Reading(string Name, bool IsCounter, string Unit, string Help, Func<IEnumerable<LabelledValue>> Values)
{
    /// <summary>As Prometheus names it. Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", metric metadata.</summary>
    public string PrometheusName => Name.Replace('.', '_') + (IsCounter ? "_total" : Unit == "1" ? "_ratio" : "");
}

internal readonly record struct LabelledValue(double Value, params (string Name, string Value)[] Labels);
