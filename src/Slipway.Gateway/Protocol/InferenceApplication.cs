using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Protocol;

/// <summary>The one request delegate: finds the endpoint, reads, asks the model, answers.</summary>
internal sealed class InferenceApplication(IModelHost host, InferenceOptions options) : IHttpApplication<HttpContext>, IDisposable
{
    /// <summary>Inference requests in flight, their waiting for the model included; the one beyond is answered 503.</summary>
    private const int MaxInFlight = 1024;

    /// <summary>Bytes of bodies that are held at once; a request that would go beyond is answered 503.</summary>
    private const long BodyBudget = 256L * 1024 * 1024;

    /// <summary>Calls kept for the next requests.</summary>
    private const int KeptCalls = 64;

    /// <summary>Seconds after which a client may ask again.</summary>
    private const string RetryAfter = "1";

    private readonly ConcurrentQueue<InferCall> idle = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StringValues bundle = host.Model.Bundle.ToString();
    private readonly string inferPath = $"/v2/models/{host.Model.Name}/infer";
    private readonly JsonEncodedText name = JsonEncodedText.Encode(host.Model.Name), version = JsonEncodedText.Encode(host.Model.Version);
    private long heldBytes;
    private int inFlight;
    private volatile bool stopping;

    public HttpContext CreateContext(IFeatureCollection features)
    {
        // The same connection's next request comes with the same collection: its context is used again.
        if (features is not IHostContextContainer<HttpContext> container)
            return new DefaultHttpContext(features);
        if (container.HostContext is not DefaultHttpContext context)
            container.HostContext = context = new DefaultHttpContext(features);
        else
            context.Initialize(features);
        return context;
    }

    public Task ProcessRequestAsync(HttpContext context)
    {
        context.Response.Headers[InferenceServer.BundleHeader] = bundle;
        var route = context.Request.Path.Value == inferPath ? new Route(Endpoint.Infer, null) : Route.Of(context.Request.Path.Value ?? "", host.Model.Name, host.Model.Version);
        if (route.Endpoint == Endpoint.None)
            return RefuseAsync(context, StatusCodes.Status404NotFound, route.Fault!);
        var method = context.Request.Method;
        if (route.Endpoint == Endpoint.Infer ? !HttpMethods.IsPost(method) : !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            context.Response.Headers.Allow = route.Allow;
            return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, $"{method} is not answered here; allowed: {route.Allow}");
        }

        return route.Endpoint switch
        {
            Endpoint.Infer => InferAsync(context),
            Endpoint.Live => AnswerAsync(context, StatusCodes.Status200OK, Descriptions.Live),
            Endpoint.Ready or Endpoint.ModelReady => ReadyAsync(context, route.Endpoint == Endpoint.ModelReady),
            Endpoint.Server => AnswerAsync(context, StatusCodes.Status200OK, Descriptions.Server()),
            _ => AnswerAsync(context, StatusCodes.Status200OK, Descriptions.Model(host.Model)),
        };
    }

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        if (context is DefaultHttpContext used)
            used.Uninitialize();
    }

    /// <summary>From now on new requests are answered 503; completes when those in flight are answered, or when waiting is cancelled.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        stopping = true;
        if (Interlocked.CompareExchange(ref inFlight, 0, 0) > 0)
            await drained.Task.WaitAsync(cancellation).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public void Dispose()
    {
        while (idle.TryDequeue(out var call))
            call.Dispose();
    }

    private async Task InferAsync(HttpContext context)
    {
        var request = context.Request;
        var charge = request.ContentLength ?? options.BodyLimit;
        if (charge > options.BodyLimit)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, TooLarge());
            return;
        }

        if (Unsupported(request) is { } unsupported)
        {
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, unsupported);
            return;
        }

        try
        {
            var busy = Interlocked.Increment(ref inFlight) > MaxInFlight | Interlocked.Add(ref heldBytes, charge) > BodyBudget;
            if (stopping)
                await RefuseUntriedAsync(context, "the server is stopping");
            else if (busy)
                await RefuseUntriedAsync(context, "too many requests are in flight");
            else
                await InferWithinLimitsAsync(context);
        }
        finally
        {
            Interlocked.Add(ref heldBytes, -charge);
            if (Interlocked.Decrement(ref inFlight) == 0 && stopping)
                drained.TrySetResult();
        }
    }

    private async Task InferWithinLimitsAsync(HttpContext context)
    {
        if (!idle.TryDequeue(out var call))
            call = new InferCall(host.Model.Signature);
        try
        {
            if (await ReadAsync(context, call) is { } fault)
            {
                await RefuseAsync(context, fault.Status, fault.Message);
                return;
            }

            if (call.Inputs.Batch > options.RowLimit)
            {
                await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, $"the request has {call.Inputs.Batch} rows, allowed {options.RowLimit}: send them in several requests");
                return;
            }

            var prediction = await host.PredictAsync(call.Inputs, call.Outputs, context.RequestAborted);
            await (prediction.Status switch
            {
                PredictionStatus.Done => AnswerAsync(context, StatusCodes.Status200OK, call.WriteAnswer(name, version)),
                PredictionStatus.NotTried => RefuseUntriedAsync(context, prediction.Reason!),
                _ => RefuseAsync(context, StatusCodes.Status500InternalServerError, prediction.Reason!),
            });
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionResetException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody to answer.
        }
        finally
        {
            call.Clear();
            if (idle.Count < KeptCalls)
                idle.Enqueue(call);
            else
                call.Dispose();
        }
    }

    /// <summary>Reads the whole body, then parses it where it lies.</summary>
    private async ValueTask<(int Status, string Message)?> ReadAsync(HttpContext context, InferCall call)
    {
        var reader = context.Request.BodyReader;
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(context.RequestAborted);
                if (read.Buffer.Length > options.BodyLimit)
                {
                    reader.AdvanceTo(read.Buffer.End);
                    return (StatusCodes.Status413PayloadTooLarge, TooLarge());
                }

                if (!read.IsCompleted)
                {
                    reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }

                var fault = InferRequest.Read(read.Buffer, call);
                reader.AdvanceTo(read.Buffer.End);
                return fault is null ? null : (StatusCodes.Status400BadRequest, fault);
            }
        }
        catch (BadHttpRequestException e)
        {
            return (e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge() : "the body did not arrive whole");
        }
    }

    private Task ReadyAsync(HttpContext context, bool ofModel)
    {
        var reason = stopping ? "the server is stopping" : host.NotReady;
        if (reason is not null)
            context.Response.Headers.RetryAfter = RetryAfter;
        return AnswerAsync(context, reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, Descriptions.Ready(ofModel ? host.Model.Name : null, reason));
    }

    private Task RefuseUntriedAsync(HttpContext context, string reason)
    {
        context.Response.Headers.RetryAfter = RetryAfter;
        if (stopping)
            context.Response.Headers.Connection = "close";
        return RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, reason);
    }

    private static Task RefuseAsync(HttpContext context, int status, string message) => AnswerAsync(context, status, Descriptions.Error(message));

    private static async Task AnswerAsync(HttpContext context, int status, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body);
    }

    private string TooLarge() => $"the body is larger than {options.BodyLimit} bytes; send fewer rows at once";

    private static string? Unsupported(HttpRequest request) =>
        request.Headers.ContainsKey("Inference-Header-Content-Length") ? "binary tensor data is not supported; send the request as JSON"
        : request.Headers.ContentEncoding is { Count: > 0 } encoding && encoding != "identity" ? "compressed bodies are not supported; send the request as plain JSON"
        : null;
}
