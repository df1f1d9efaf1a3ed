using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Live;

/// <summary>Tells open pages that something changed, as server-sent events. What changed they see when they ask again, with their own permissions.</summary>
/// <remarks>Source: WHATWG HTML, Server-sent events.</remarks>
internal sealed class EventStreams : IDisposable
{
    /// <summary>Each holds a connection and a few KB; one more is told to come back later, and works without.</summary>
    public const int Most = 1_000;

    /// <summary>Of one principal: more windows than anybody looks at, and few enough that nobody takes all there are.</summary>
    public const int MostOfOne = 50;

    /// <summary>Between two events of a stream: with telemetry something changes every second, and a page need not be fetched as often.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Without anything new, an event that says so: proxies keep the connection, a page notices a connection that is dead, and a session that is over is noticed.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(20);

    private readonly Database database;
    private readonly Sessions sessions;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private TaskCompletionSource changed = New();
    private readonly Dictionary<string, int> open = [];

    public EventStreams(Database database, Sessions sessions, TimeProvider time)
    {
        (this.database, this.sessions, this.time) = (database, sessions, time);
        database.Changed += Wake;
    }

    /// <summary>Ends all streams: to be called before the listener stops, which would wait for them.</summary>
    public void Dispose()
    {
        database.Changed -= Wake;
        stopping.Cancel();
    }

    /// <summary>Answers until the browser goes, the session ends or the server stops.</summary>
    public async Task AnswerAsync(PageCall call)
    {
        if (HttpMethods.IsHead(call.Call.Http.Request.Method))
            return;
        if (!TryTake(call.Caller.Id))
        {
            call.Call.Http.Response.Headers.RetryAfter = "60";
            throw new ApiProblem(StatusCodes.Status503ServiceUnavailable, new Fault("too-many-streams", "as many pages are live already as may be", Help: "load the page again to see what is new"));
        }

        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.Call.Cancellation, stopping.Token);
            await StreamAsync(call, ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The browser went, or the server stops.
        }
        finally
        {
            GiveBack(call.Caller.Id);
        }
    }

    private bool TryTake(string principal)
    {
        lock (open)
        {
            var own = open.GetValueOrDefault(principal);
            if (own >= MostOfOne || open.Values.Sum() >= Most)
                return false;
            open[principal] = own + 1;
            return true;
        }
    }

    private void GiveBack(string principal)
    {
        lock (open)
        {
            if (--open[principal] == 0)
                open.Remove(principal);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Wake() => Interlocked.Exchange(ref changed, New()).TrySetResult();

    private async Task StreamAsync(PageCall call, CancellationToken cancellation)
    {
        var response = call.Call.Http.Response;
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        // It says little on purpose, which is slower than any honest reader's answer.
        if (call.Call.Http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        call.Call.Http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await response.WriteAsync("retry: 5000\n\n", cancellation);
        await response.Body.FlushAsync(cancellation);
        var news = Volatile.Read(ref changed).Task;
        while (true)
        {
            var isNews = await NextAsync(news, cancellation);
            // Before it is told: what changes from here on is the next event.
            if (isNews)
                news = Volatile.Read(ref changed).Task;
            if (!await IsInForceAsync(call, cancellation))
            {
                await response.WriteAsync("event: over\ndata: session\n\n", cancellation);
                return;
            }

            await response.WriteAsync(isNews ? $"event: changed\ndata: {time.GetUtcNow().ToUnixTimeMilliseconds()}\n\n" : "event: beat\ndata: 0\n\n", cancellation);
            await response.Body.FlushAsync(cancellation);
            if (isNews)
                await Task.Delay(Pause, time, cancellation);
        }
    }

    /// <summary>Waits for news, and no longer than for a heartbeat. Nothing of it is left behind, however many there are in a day.</summary>
    /// <returns>False for a heartbeat.</returns>
    private async Task<bool> NextAsync(Task news, CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var first = await Task.WhenAny(news, Task.Delay(Heartbeat, time, waiting.Token));
        await waiting.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        return first == news;
    }

    private async Task<bool> IsInForceAsync(PageCall call, CancellationToken cancellation)
    {
        try
        {
            await sessions.ResumeAsync(call.Session, isUse: false, cancellation);
            return true;
        }
        catch (ApiProblem)
        {
            return false;
        }
    }
}
