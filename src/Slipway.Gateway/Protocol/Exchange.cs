using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>One request and its answer: who asked, what answers, and the headers that say so. Kept with its connection and used again.</summary>
/// <param name="place">The connection's; null where there is none.</param>
internal sealed class Exchange(DefaultHttpContext http, ConnectionPlace? place)
{
    /// <summary>The header that says which bundle answered.</summary>
    public const string BundleHeader = "Slipway-Bundle";

    /// <summary>The header that says which version answered: its number.</summary>
    public const string VersionHeader = "Slipway-Version";

    /// <summary>The header that says which arm of a rollout answered: stable, candidate or none.</summary>
    public const string ArmHeader = "Slipway-Arm";

    public const string RequestIdHeader = "x-request-id", TraceHeader = "traceparent";

    /// <summary>Characters of a request id that is repeated.</summary>
    private const int LongestRequestId = 128;

    /// <summary>Seconds after which a client may ask again, where nothing better is known.</summary>
    private const string RetryAfter = "1";

    private static readonly StringValues[] Arms = ["none", "stable", "candidate"];

    private TraceContext? parent;
    private UInt128? address;
    private string trace = "";

    public DefaultHttpContext Http => http;

    public RequestPath Path { get; private set; }

    /// <summary>On the monotonic clock.</summary>
    public long Started { get; private set; }

    /// <summary>The caller's if it is sane; else a fresh one, which is the trace's id as well.</summary>
    public string RequestId { get; private set; } = "";

    /// <summary>As the answer's <c>traceparent</c> has it.</summary>
    public string Trace => trace;

    /// <summary>What was chosen to answer; null before, and where no model is asked.</summary>
    public ServedVersion? Version { get; set; }

    public AnswerArm Arm { get; set; }

    /// <summary>The request's span; null when it is not traced.</summary>
    public Activity? Span { get; private set; }

    /// <summary>Where the request is counted.</summary>
    public ModelMetrics? Metrics { get; set; }

    /// <summary>Makes it ready for the connection's next request.</summary>
    public void Begin(long started, IdSource ids, RequestTraces traces)
    {
        (Started, Version, Arm, Metrics) = (started, null, AnswerArm.None, null);
        Path = RequestPath.Parse(http.Request.Path.Value ?? "");
        var fresh = ids.Next();
        var headers = http.Request.Headers;
        parent = headers.TraceParent is { Count: 1 } given && TraceContext.TryParse(given[0], out var asked) ? asked : null;
        Span = traces.Begin(parent, headers.TraceState);
        trace = Span?.Id ?? (parent is { } known
            ? new TraceContext(known.Trace, (ulong)fresh, (byte)(known.Flags & TraceContext.Sampled))
            : new TraceContext(fresh, (ulong)(fresh >> 64) | 1, 0)).ToString();
        RequestId = headers.TryGetValue(RequestIdHeader, out var id) && id is [{ } text] && IsSane(text) ? text : Span?.TraceId.ToHexString() ?? fresh.ToString("x32", CultureInfo.InvariantCulture);
    }

    /// <summary>The caller by its address, which is the connection's.</summary>
    public UInt128 Address => address ??= CallerLimit.CallerOf(http.Connection.RemoteIpAddress);

    /// <summary>The request has arrived whole: its connection is not closed for another's sake any more.</summary>
    public void Arrived() => place?.BeginAnswer();

    /// <summary>Nobody gets an answer: the client has gone.</summary>
    public void Abandon() => CountAs(StatusCodes.Status499ClientClosedRequest);

    /// <summary>There is no answer of ours.</summary>
    public void Fail() => CountAs(StatusCodes.Status500InternalServerError);

    /// <summary>After the answer.</summary>
    public void End(long now)
    {
        place?.EndAnswer(now);
        if (Span is null)
            return;
        RequestTraces.End(Span, http.Response.StatusCode, Metrics?.Model, Version?.Name, Version?.BundleText, Arm, RequestId);
        Span = null;
    }

    public Task RefuseAsync(int status, string message) => AnswerAsync(status, Descriptions.Error(message));

    /// <summary>Nothing is wrong with the request: it may be sent again.</summary>
    /// <param name="after">Seconds; null where nothing better is known than a short while.</param>
    public Task RefuseForNowAsync(int status, string message, long? after = null)
    {
        http.Response.Headers.RetryAfter = after?.ToString(CultureInfo.InvariantCulture) ?? RetryAfter;
        return RefuseAsync(status, message);
    }

    public async Task AnswerAsync(int status, ReadOnlyMemory<byte> body, string type = "application/json")
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength = body.Length;
        var headers = response.Headers;
        if (Version is not null)
        {
            headers[BundleHeader] = Version.BundleText;
            headers[VersionHeader] = Version.Name;
        }

        headers[ArmHeader] = Arms[(int)Arm];
        headers[RequestIdHeader] = RequestId;
        headers.TraceParent = trace;
        await response.BodyWriter.WriteAsync(body);
    }

    private void CountAs(int status)
    {
        if (!http.Response.HasStarted)
            http.Response.StatusCode = status;
    }

    /// <summary>Visible ASCII without what could end a quoted string somewhere on its way through logs.</summary>
    private static bool IsSane(string id) =>
        id.Length is > 0 and <= LongestRequestId && Ascii.IsValid(id) && !id.AsSpan().ContainsAnyInRange('\0', ' ') && !id.AsSpan().ContainsAny("\"'\\<>`\x7f");
}
