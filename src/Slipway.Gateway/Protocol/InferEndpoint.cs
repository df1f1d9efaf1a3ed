using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>The way of one inference request: admitted and read here, then given to a version, answered and taken down. Thread-safe.</summary>
internal sealed partial class InferEndpoint(Router router, InferenceOptions options, Traffic traffic, Observability observability) : IAsyncDisposable
{
    /// <summary>The header by which a caller asks for a shorter deadline, in milliseconds.</summary>
    public const string TimeoutHeader = "Slipway-Timeout-Ms";

    /// <summary>Calls kept for the next requests.</summary>
    private const int KeptCalls = 64;

    private readonly ConcurrentQueue<InferCall> idle = new();
    private readonly BodyBudget bodies = new();
    private readonly CallerLimit? callers = options.RateLimit is null ? null : new CallerLimit(options.RateLimit, options.Time);
    private readonly ShadowQueue shadows = new(options.Time);
    private readonly TimeProvider time = options.Time;

    /// <summary>Answers a request.</summary>
    /// <param name="model">One that the routing table has.</param>
    public async Task AnswerAsync(Exchange exchange, string model)
    {
        var own = traffic.Of(model);
        exchange.Metrics = own.Metrics;
        if (Admit(exchange, out var limit) is { } refusal)
        {
            await RefuseAsync(exchange, own.Metrics, refusal);
            return;
        }

        if (!idle.TryDequeue(out var call))
            call = new InferCall(time);
        try
        {
            call.Deadline.Start(exchange.Started, limit);
            if (await ReadAsync(exchange, call) is { } unread)
                await RefuseAsync(exchange, own.Metrics, unread);
            else if (!own.Limit.TryEnter() && await WaitForPlaceAsync(own.Limit, call.Deadline) is { } full)
                await RefuseAsync(exchange, own.Metrics, full);
            else if (await PredictAsync(exchange, call, own) is { } unanswered)
                await RefuseAsync(exchange, own.Metrics, unanswered);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException || (e is OperationCanceledException && exchange.Http.RequestAborted.IsCancellationRequested))
        {
            exchange.Abandon();     // the client has gone: there is nobody to answer
        }
        finally
        {
            LetGo(exchange, call);
            call.Clear();
            if (idle.Count < KeptCalls)
                idle.Enqueue(call);
            else
                call.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await shadows.DisposeAsync();
        while (idle.TryDequeue(out var call))
            call.Dispose();
    }

    private static Task RefuseAsync(Exchange exchange, ModelMetrics metrics, Refusal refusal)
    {
        if (refusal.Shed is { } reason)
            metrics.Shed(reason);
        if (refusal.IsBodyLeft)
            exchange.Http.Response.Headers.Connection = "close";
        return refusal.RetryAfter is { } seconds ? exchange.RefuseForNowAsync(refusal.Status, refusal.Message, seconds) : exchange.RefuseAsync(refusal.Status, refusal.Message);
    }

    /// <summary>What can be said before the body is read.</summary>
    private Refusal? Admit(Exchange exchange, out TimeSpan limit)
    {
        var request = exchange.Http.Request;
        limit = options.RequestLimit;
        if (request.ContentLength > options.BodyLimit)
            return TooLarge() with { IsBodyLeft = true };
        if (Unsupported(request) is { } unsupported)
            return new Refusal(StatusCodes.Status415UnsupportedMediaType, unsupported);
        if (request.Headers.TryGetValue(TimeoutHeader, out var asked))
        {
            var most = (long)options.RequestLimit.TotalMilliseconds;
            if (!long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds < 1 || milliseconds > most)
                return new Refusal(StatusCodes.Status400BadRequest, $"{TimeoutHeader} is '{asked}', allowed is a whole number of milliseconds from 1 to {most}");
            limit = TimeSpan.FromMilliseconds(milliseconds);
        }

        if (callers is null || callers.Take(CallerOf(exchange)) is not { Ticks: > 0 } pause)
            return null;
        return new Refusal(StatusCodes.Status429TooManyRequests, "too many requests from this caller", ShedReason.Rate, (long)Math.Ceiling(pause.TotalSeconds));
    }

    private UInt128 CallerOf(Exchange exchange) =>
        options.RateLimit!.Header is { } header && exchange.Http.Request.Headers.TryGetValue(header, out var name) && name is [{ Length: > 0 } caller]
            ? CallerLimit.CallerOf(caller)
            : exchange.Address;

    /// <summary>Reads the whole body and leaves it where it lies.</summary>
    private async ValueTask<Refusal?> ReadAsync(Exchange exchange, InferCall call)
    {
        try
        {
            var reader = exchange.Http.Request.BodyReader;
            while (true)
            {
                if (!reader.TryRead(out var read))
                {
                    var arriving = reader.ReadAsync(call.Deadline.Token);
                    if (!arriving.IsCompleted)
                        call.Deadline.Arm();
                    read = await arriving;
                }

                call.Hold(read.Buffer);
                if (call.Body.Length > options.BodyLimit)
                    return TooLarge();
                if (!bodies.TryCharge(ref call.Charged, call.Body.Length))
                    return new Refusal(StatusCodes.Status503ServiceUnavailable, "too many large requests are in flight", ShedReason.Bodies, Refusal.Soon, IsBodyLeft: true);
                if (read.IsCompleted)
                {
                    exchange.Arrived();
                    return null;
                }

                reader.AdvanceTo(call.Body.Start, call.Body.End);
                call.LetGo();
            }
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge() : new Refusal(e.StatusCode, "the body did not arrive whole", IsBodyLeft: true);
        }
        catch (OperationCanceledException) when (call.Deadline.Token.IsCancellationRequested)
        {
            return new Refusal(StatusCodes.Status408RequestTimeout, $"the body did not arrive within {call.Deadline.Limit.TotalMilliseconds:0} ms", IsBodyLeft: true);
        }
    }

    /// <summary>Gives the body's bytes back to the connection.</summary>
    private void LetGo(Exchange exchange, InferCall call)
    {
        if (call.IsBodyHeld)
            exchange.Http.Request.BodyReader.AdvanceTo(call.Body.End);
        call.LetGo();
        bodies.Release(ref call.Charged);
    }

    private static async ValueTask<Refusal?> WaitForPlaceAsync(ConcurrencyLimit limit, Deadline deadline)
    {
        deadline.Arm();
        try
        {
            return await limit.EnterAsync(deadline.Token)
                ? null
                : new Refusal(StatusCodes.Status503ServiceUnavailable, "too many requests wait for this model already", ShedReason.Queue, Refusal.Soon);
        }
        catch (OperationCanceledException)
        {
            return new Refusal(
                StatusCodes.Status503ServiceUnavailable, $"other requests took up this model for the {deadline.Limit.TotalMilliseconds:0} ms that this one had", ShedReason.Deadline, Refusal.Soon);
        }
    }

    private Refusal TooLarge() => new(StatusCodes.Status413PayloadTooLarge, $"the body is larger than {options.BodyLimit} bytes; send fewer rows at once");

    private static string? Unsupported(HttpRequest request) =>
        request.Headers.ContainsKey("Inference-Header-Content-Length") ? "binary tensor data is not supported; send the request as JSON"
        : request.Headers.ContentEncoding is { Count: > 0 } encoding && encoding != "identity" ? "compressed bodies are not supported; send the request as plain JSON"
        : null;
}

/// <summary>Why a request gets no prediction.</summary>
/// <param name="Shed">Set when nothing is wrong with the request.</param>
/// <param name="RetryAfter">Seconds; null when sending it again is of no use.</param>
/// <param name="IsBodyLeft">The rest of the body was not read: the connection is closed rather than read on.</param>
/// <param name="IsOfInput">The version that was to answer does not take such a request.</param>
internal readonly record struct Refusal(int Status, string Message, ShedReason? Shed = null, long? RetryAfter = null, bool IsBodyLeft = false, bool IsOfInput = false)
{
    /// <summary>Seconds after which a client may ask again, where nothing better is known.</summary>
    public const long Soon = 1;
}
