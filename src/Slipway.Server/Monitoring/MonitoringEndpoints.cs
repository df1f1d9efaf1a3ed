using System.Globalization;
using System.Text;
using Slipway.Documents.Charts;
using Slipway.Documents.Monitoring;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What people and programs ask of a model's traffic.</summary>
internal sealed class MonitoringEndpoints(Database database, TimeProvider time)
{
    private const string Channel = "/api/v1/models/{model}/channels/{channel}";

    /// <summary>As long as windows are kept, in milliseconds.</summary>
    private static readonly long LongestSpan = WindowLength.Longest.Keep;

    /// <summary>Where an end is said, and no beginning.</summary>
    private static readonly TimeSpan DefaultSpan = TimeSpan.FromHours(1);

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", Channel + "/monitoring", Permission.Read, ViewAsync),
        new("GET", Channel + "/monitoring.csv", Permission.Read, TableAsync),
    ];

    private async Task ViewAsync(ApiCall call) => await call.AnswerAsync(await ReadAsync(call), MonitoringJson.Default.MonitoringView);

    private async Task TableAsync(ApiCall call)
    {
        var table = call.Query("table") ?? MonitoringCsv.Tables[0];
        if (!MonitoringCsv.Tables.Contains(table))
            throw ApiProblem.Malformed("bad-table", $"table is '{table}', allowed are {string.Join(", ", MonitoringCsv.Tables)}");
        var bytes = Encoding.UTF8.GetBytes(MonitoringCsv.Of(await ReadAsync(call), table));
        call.Http.Response.ContentType = "text/csv; charset=utf-8";
        call.Http.Response.Headers.ContentDisposition = $"attachment; filename=\"{call.Segment("model")}-{call.Segment("channel")}-{table}.csv\"";
        call.Http.Response.ContentLength = bytes.Length;
        await call.Http.Response.Body.WriteAsync(bytes, call.Cancellation);
    }

    private async Task<MonitoringView> ReadAsync(ApiCall call)
    {
        var (model, channel) = (call.Segment("model"), Require.Channel(call.Segment("channel")));
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var to = At(call, "to") ?? now;
        // Nothing said is the plan's window.
        var from = At(call, "from") ?? (Last(call) is { } last ? to - last : call.Query("to") is null && call.Query("step") is null ? (long?)null : to - (long)DefaultSpan.TotalMilliseconds);
        if (from >= to)
            throw ApiProblem.Malformed("bad-span", $"from is {TimeText.Iso(from.Value)}, and is to be before to, {TimeText.Iso(to)}");
        var step = from is { } begin ? Step(call, begin, to) : null;
        return await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                return from is { } since ? await MonitoringReader.ReadAsync(session, model, channel, since, to, step) : await MonitoringReader.LastAsync(session, model, channel, now);
            },
            call.Cancellation);
    }

    private static long? Last(ApiCall call) => call.Query("last") switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last > 0 && last <= LongestSpan => last,
        var text => throw ApiProblem.Malformed("bad-span", $"last is '{text}', allowed are milliseconds up to {LongestSpan}"),
    };

    /// <summary>Unix milliseconds, or RFC 3339 with its offset.</summary>
    private static long? At(ApiCall call, string name)
    {
        if (call.Query(name) is not { } text)
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return milliseconds;
        // A time without an offset would be somebody's local one.
        if (TimeText.TryParse(text, needsOffset: true, out var at))
            return at;
        throw ApiProblem.Malformed("bad-time", $"{name} is '{text}', allowed are Unix milliseconds and RFC 3339, such as 2026-05-01T12:00:00Z");
    }

    private static long? Step(ApiCall call, long from, long to)
    {
        if (call.Query("step") is not { } text)
            return null;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step) || !WindowLength.Steps.Contains(step))
            throw ApiProblem.Malformed("bad-step", $"step is '{text}', allowed are in milliseconds {string.Join(", ", WindowLength.Steps)}");
        if ((to - from) / step > MonitoringReader.MostWindows)
            throw ApiProblem.Malformed("many-windows", $"this span has {(to - from) / step} windows of {step} ms, allowed are {MonitoringReader.MostWindows}", "ask for a longer step, or for a part of the span");
        return step;
    }
}
