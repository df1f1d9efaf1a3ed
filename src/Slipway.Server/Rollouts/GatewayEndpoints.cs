using System.Globalization;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Judging;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>A gateway's own calls: what shall be served, what is, and what happened.</summary>
internal sealed class GatewayEndpoints(Database database, DesiredFeed feed, TimeProvider time)
{
    /// <summary>A batch of <see cref="EventBatch.MaxEvents"/> bad events has about 1.5 MiB, and counts beside them.</summary>
    private const long BatchLimit = 4 * 1024 * 1024;

    /// <summary>Characters of a gateway's or a boot's name.</summary>
    private const int LongestName = 200;

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/gateway/desired", Permission.Gateway, DesiredAsync),
        new("POST", "/api/v1/gateway/report", Permission.Gateway, ReportAsync),
        new("POST", "/api/v1/gateway/events", Permission.Gateway, EventsAsync) { BodyLimit = BatchLimit },
    ];

    private async Task DesiredAsync(ApiCall call)
    {
        var state = await feed.NextAsync(Require.Channel(call.Query("channel")), After(call.Query("after")), call.Cancellation);
        await call.AnswerAsync(state, RolloutJson.Default.DesiredState);
    }

    private async Task ReportAsync(ApiCall call)
    {
        var report = await call.ReadAsync(RolloutJson.Default.GatewayReport);
        Require.Channel(report.Channel);
        if (report.Gateway.Length is 0 or > LongestName || report.Boot.Length is 0 or > LongestName)
            throw ApiProblem.Malformed("bad-request", $"gateway and boot are allowed to be names of 1 to {LongestName} characters");
        await database.ChangeAsync(
            async session =>
            {
                await GatewayTable.RequireOwnAsync(session, report.Channel, report.Gateway, call.Caller.Id, Now);
                await GatewayTable.TakeInAsync(session, report, call.Caller.Id, Now);
            },
            call.Cancellation);
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task EventsAsync(ApiCall call)
    {
        var batch = await call.ReadAsync(RolloutJson.Default.EventBatch);
        Require.Channel(batch.Channel);
        if (BatchCheck.Fault(batch) is { } fault)
            throw ApiProblem.Malformed("bad-request", $"the batch cannot be taken in: {fault}");
        var taken = await database.ChangeAsync(
            async session =>
            {
                await GatewayTable.RequireOwnAsync(session, batch.Channel, batch.Gateway, call.Caller.Id, Now);
                return await EventInbox.TakeInAsync(session, batch, Now);
            },
            call.Cancellation);
        if (taken is { } receipt)
        {
            await call.AnswerAsync(receipt, RolloutJson.Default.EventReceipt);
            return;
        }

        call.Http.Response.Headers.RetryAfter = EventInbox.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        await call.AnswerAsync(
            new ErrorDocument([new Fault("events-wait", $"{EventInbox.Most} batches wait to be judged, which is as many as may", Help: $"send it again in {EventInbox.RetryAfterSeconds} s; nothing is lost")]),
            RegistryJson.Default.ErrorDocument,
            StatusCodes.Status503ServiceUnavailable);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <param name="text">As <c>EPOCH.REVISION</c> of what the gateway has.</param>
    private static (long Epoch, long Revision) After(string? text) => text switch
    {
        null => (0, 0),
        _ when text.Split('.') is [var epoch, var revision]
            && long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var e)
            && long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out var r) => (e, r),
        _ => throw ApiProblem.Malformed("bad-request", $"after is '{text}', allowed EPOCH.REVISION of the state that the gateway has"),
    };
}
