using System.Globalization;
using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Server.Api;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class MonitoringPageReader
{
    /// <summary>Of the channel: marks in the charts.</summary>
    private const int ShownHistory = 50;

    public static async Task<MonitoringPageView> ReadAsync(PageCall call, Session session)
    {
        var (model, channel) = (call.Segment("model"), Require.Channel(call.Segment("channel")));
        if (await VersionTable.LastNumberAsync(session, model) == 0)
            throw ApiProblem.NotThere("no-model", $"there is no version of {model}", "`slipway push` registers the first");
        var (range, from, to) = Span(call);
        var view = await MonitoringReader.ReadAsync(session, model, channel, from, to, null);
        var chosen = int.TryParse(call.Query("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : view.Live?.Number;
        var version = view.Versions.FirstOrDefault(version => version.Version == chosen) ?? view.Versions.FirstOrDefault();
        var evidence = version is null ? null : await VersionTable.EvidenceAsync(session, version.Bundle);
        return new MonitoringPageView(view, call.Now, range, version, await ChannelHistory.ListAsync(session, model, channel, ShownHistory), evidence?.Evaluation)
        {
            SealedOn = evidence?.Evaluation is { } evaluation ? MeasuredOn.Of(evaluation, evidence.Lineage) : null,
        };
    }

    private static (TimeRange? Range, long From, long To) Span(PageCall call)
    {
        if (Moment(call, "from") is { } from)
        {
            var to = Moment(call, "to") ?? call.Now;
            return from < to ? (null, from, to) : throw ApiProblem.Malformed("bad-span", "the span ends before it begins", "choose another one");
        }

        var range = TimeRange.All.FirstOrDefault(range => range.Name == call.Query("range"), TimeRange.Default);
        return (range, call.Now - (long)range.Length.TotalMilliseconds, call.Now);
    }

    /// <summary>Unix milliseconds, or a time in UTC as ISO 8601 has it.</summary>
    private static long? Moment(PageCall call, string name) => call.Query(name) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() => at,
        var text when TimeText.TryParse(text, needsOffset: false, out var at) => at,
        var text => throw ApiProblem.Malformed("bad-time", $"{name} is '{text}', allowed are Unix milliseconds, and times such as 2026-05-01T12:00:00Z"),
    };
}
