using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>Every request of the listener: finds the endpoint, has it answered, counts it.</summary>
internal sealed class InferenceApplication : IHttpApplication<Exchange>, IAsyncDisposable
{
    private readonly Router router;
    private readonly InferenceOptions options;
    private readonly Traffic traffic;
    private readonly Observability observability;
    private readonly InferEndpoint infer;
    private readonly IdSource ids = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int inFlight;
    private volatile bool stopping;

    public InferenceApplication(Router router, InferenceOptions options)
    {
        (this.router, this.options, traffic) = (router, options, new Traffic(options));
        observability = new Observability(router, traffic, options);
        infer = new InferEndpoint(router, options, traffic, observability);
    }

    public long InFlight => Volatile.Read(ref inFlight);

    public Exchange CreateContext(IFeatureCollection features)
    {
        // The same connection's next request comes with the same collection: its exchange is used again.
        if (features is not IHostContextContainer<Exchange> container)
            return new Exchange(new DefaultHttpContext(features), null);
        if (container.HostContext is { } exchange)
            exchange.Http.Initialize(features);
        else
            container.HostContext = exchange = new Exchange(new DefaultHttpContext(features), features.Get<ConnectionPlace>());
        return exchange;
    }

    public async Task ProcessRequestAsync(Exchange exchange)
    {
        exchange.Begin(options.Time.GetTimestamp(), ids, observability.Traces);
        try
        {
            await AnswerAsync(exchange);
        }
        catch
        {
            exchange.Fail();        // a bug: Kestrel answers 500 and goes on
            throw;
        }
        finally
        {
            var metrics = exchange.Metrics ?? traffic.Metrics.Other;
            var version = exchange.Version is { } served && exchange.Metrics is not null ? served.Metrics ??= metrics.Of(served.Name) : metrics.Unrouted;
            version.Count(exchange.Arm, exchange.Http.Response.StatusCode);
            exchange.End(options.Time.GetTimestamp());
        }
    }

    public void DisposeContext(Exchange exchange, Exception? exception) => exchange.Http.Uninitialize();

    /// <summary>From now on new requests are answered 503; completes when those in flight are answered, or when waiting is cancelled.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        stopping = true;
        if (Interlocked.CompareExchange(ref inFlight, 0, 0) > 0)
            await drained.Task.WaitAsync(cancellation).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        await infer.DisposeAsync();
        observability.Dispose();
    }

    private Task AnswerAsync(Exchange exchange)
    {
        var path = exchange.Path;
        var table = router.Current;
        var missing = path.Find(table, out var route, out var version);
        exchange.Version = version ?? (route ?? table.Only)?.Stable;
        if (missing is not null || (path.Endpoint == Endpoint.Metrics && !options.Metrics))
            return exchange.RefuseAsync(StatusCodes.Status404NotFound, missing ?? "metrics are not offered here");
        var method = exchange.Http.Request.Method;
        if (path.Endpoint == Endpoint.Infer ? !HttpMethods.IsPost(method) : !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            exchange.Http.Response.Headers.Allow = path.Allow;
            return exchange.RefuseAsync(StatusCodes.Status405MethodNotAllowed, $"{method} is not answered here; allowed: {path.Allow}");
        }

        return path.Endpoint switch
        {
            Endpoint.Infer => InferAsync(exchange, route!),
            Endpoint.Live => exchange.AnswerAsync(StatusCodes.Status200OK, Descriptions.Live),
            Endpoint.Ready => ReadyAsync(exchange, null, NotReady(table)),
            Endpoint.ModelReady => ReadyAsync(exchange, route!.Model, version is null ? NotReady(route) : version.Host.NotReady),
            Endpoint.Server => exchange.AnswerAsync(StatusCodes.Status200OK, Descriptions.Server()),
            Endpoint.Metrics => exchange.AnswerAsync(StatusCodes.Status200OK, MetricsPage.Write(observability.Readings, traffic.Metrics), PrometheusText.ContentType),
            _ when exchange.Version is { } described => exchange.AnswerAsync(StatusCodes.Status200OK, Descriptions.Model(described, route!.Versions.Values)),
            _ => exchange.RefuseForNowAsync(StatusCodes.Status503ServiceUnavailable, NotReady(route!)!),
        };
    }

    private async Task InferAsync(Exchange exchange, LiveRoute route)
    {
        try
        {
            Interlocked.Increment(ref inFlight);
            if (!stopping)
            {
                await infer.AnswerAsync(exchange, route.Model);
                return;
            }

            exchange.Metrics = traffic.Of(route.Model).Metrics;
            exchange.Metrics.Shed(ShedReason.Stopping);
            exchange.Http.Response.Headers.Connection = "close";
            await exchange.RefuseForNowAsync(StatusCodes.Status503ServiceUnavailable, "the server is stopping");
        }
        finally
        {
            if (Interlocked.Decrement(ref inFlight) == 0 && stopping)
                drained.TrySetResult();
        }
    }

    private Task ReadyAsync(Exchange exchange, string? model, string? reason)
    {
        reason = stopping ? "the server is stopping" : reason;
        if (reason is not null)
            exchange.Http.Response.Headers.RetryAfter = "1";
        return exchange.AnswerAsync(reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, Descriptions.Ready(model, reason));
    }

    private static string? NotReady(LiveRoute route) =>
        route.Stable is { } stable ? stable.Host.NotReady : route.Unready ?? $"no version of model '{route.Model}' is released here yet";

    /// <summary>A model that nothing was released of yet holds up nobody; one whose released version is not here does.</summary>
    private static string? NotReady(RoutingTable table)
    {
        if (table.Revision == 0)
            return "this gateway was not told yet what to serve";
        if (table.Only is { Stable: not null } only)
            return NotReady(only);
        foreach (var route in table.Models.Values)
        {
            if ((route.Stable is null ? route.Unready : NotReady(route)) is { } reason)
                return $"model '{route.Model}': {reason}";
        }

        return null;
    }
}
