using System.Diagnostics;
using System.Globalization;

namespace Slipway.Gateway.Telemetry;

/// <summary>Makes a span for each request that is traced, and one within it for the model. Without an exporter it makes none and costs nothing.</summary>
/// <remarks>Names of attributes: OpenTelemetry, semantic conventions, HTTP spans; our own begin with <c>slipway</c>.</remarks>
internal sealed class RequestTraces(string name, bool isExported) : IDisposable
{
    private readonly ActivitySource? source = isExported ? new ActivitySource(name) : null;

    /// <param name="parent">The caller's; null without.</param>
    /// <param name="state">The caller's <c>tracestate</c>, handed on as it is.</param>
    /// <returns>Null when the request is not traced.</returns>
    public Activity? Begin(TraceContext? parent, string? state)
    {
        if (source is null || !source.HasListeners())
            return null;
        var context = parent is { } caller
            ? new ActivityContext(
                ActivityTraceId.CreateFromString(caller.Trace.ToString("x32", CultureInfo.InvariantCulture)), ActivitySpanId.CreateFromString(caller.Span.ToString("x16", CultureInfo.InvariantCulture)),
                (ActivityTraceFlags)(caller.Flags & TraceContext.Sampled), state, isRemote: true)
            : default;
        return source.StartActivity("request", ActivityKind.Server, context);
    }

    public static void End(Activity span, int status, string? model, string? version, string? bundle, AnswerArm arm, string requestId)
    {
        if (span.IsAllDataRequested)
        {
            span.DisplayName = model is null ? "request" : "infer " + model;
            span.SetTag("http.response.status_code", status).SetTag("slipway.request_id", requestId);
            if (model is not null)
                span.SetTag("slipway.model", model).SetTag("slipway.version", version).SetTag("slipway.bundle", bundle).SetTag("slipway.arm", arm.ToString().ToLowerInvariant());
            if (status >= 500)
                span.SetStatus(ActivityStatusCode.Error);
        }

        span.Dispose();
    }

    /// <summary>The time that the model has a request for.</summary>
    /// <param name="request">Null when it is not traced.</param>
    public Activity? BeginPrediction(Activity? request) =>
        request is { IsAllDataRequested: true } ? source?.StartActivity("predict", ActivityKind.Internal, request.Context) : null;

    public void Dispose() => source?.Dispose();
}
