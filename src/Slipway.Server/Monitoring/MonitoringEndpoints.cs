using System.Globalization;
using Slipway.Documents.Monitoring;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What people and programs ask of a model's traffic.</summary>
internal sealed class MonitoringEndpoints(Database database, TimeProvider time)
{
    private const string Channel = "/api/v1/models/{model}/channels/{channel}";

    /// <summary>Where nothing is said: as much as an ordinary plan's window.</summary>
    private static readonly TimeSpan DefaultSpan = TimeSpan.FromHours(1);

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", Channel + "/monitoring", Permission.Read, ViewAsync),
    ];

    private async Task ViewAsync(ApiCall call) => await call.AnswerAsync(await ReadAsync(call), MonitoringJson.Default.MonitoringView);

    private async Task<MonitoringView> ReadAsync(ApiCall call)
    {
        var (model, channel) = (call.Segment("model"), Require.Channel(call.Segment("channel")));
        var to = At(call, "to") ?? time.GetUtcNow().ToUnixTimeMilliseconds();
        var from = At(call, "from") ?? to - (long)DefaultSpan.TotalMilliseconds;
        if (from >= to)
            throw ApiProblem.Malformed("bad-span", $"from is {Text(from)}, and is to be before to, {Text(to)}");
        var step = Step(call, from, to);
        return await database.ReadAsync(
            async session =>
            {
                if (await VersionTable.LastNumberAsync(session, model) == 0)
                    throw ApiProblem.NotThere("no-model", $"no model '{model}' is registered", "`slipway models` lists those that are");
                return await MonitoringReader.ReadAsync(session, model, channel, from, to, step);
            },
            call.Cancellation);
    }

    /// <summary>Unix milliseconds, or RFC 3339 with its offset.</summary>
    private static long? At(ApiCall call, string name)
    {
        if (call.Query(name) is not { } text)
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return milliseconds;
        // A time without an offset would be somebody's local one.
        if ((text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal) && text.Contains('T', StringComparison.Ordinal))
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) && at.ToUnixTimeMilliseconds() >= 0)
            return at.ToUnixTimeMilliseconds();
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

    private static string Text(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
