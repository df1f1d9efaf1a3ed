using System.Globalization;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Monitoring;

/// <summary>What gateways tell of their traffic.</summary>
internal sealed class TelemetryEndpoints(TelemetryInbox inbox, TimeProvider time)
{
    /// <summary>Milliseconds that a clock and the way here may take: what is nearer is taken as right.</summary>
    private const long TrustedClock = 5_000;

    /// <summary>About 300 years, in milliseconds: so far off a clock is believed to be, and no more.</summary>
    private const long MostOff = 10_000_000_000_000;

    public IEnumerable<ApiEndpoint> All() => [new("POST", "/api/v1/gateway/telemetry", Permission.Gateway, TakeInAsync) { BodyLimit = TelemetryBatch.MostBytes }];

    private async Task TakeInAsync(ApiCall call)
    {
        var off = ClockOff(call.Http.Request.Headers[TelemetryBatch.SentAtHeader]);
        try
        {
            using var room = inbox.Reserve(call.Caller.Id, call.Http.Request.ContentLength ?? TelemetryBatch.MostBytes);
            var batch = await call.ReadAsync(MonitoringJson.Default.TelemetryBatch);
            Require.Channel(batch.Channel);
            if (TelemetryCheck.Fault(batch) is { } fault)
                throw ApiProblem.Malformed("bad-request", $"the batch cannot be taken in: {fault}");
            var sound = batch with { Load = TelemetryCheck.Load(batch.Load), Slices = batch.Slices.IsDefault ? [] : batch.Slices };
            var receipt = await inbox.TakeInAsync(new(sound, call.Caller.Id, off));
            await call.AnswerAsync(receipt, MonitoringJson.Default.TelemetryReceipt);
        }
        catch (Exception e) when (e is SlipwayException { Exit: ExitCode.NotThere } or ApiProblem { Status: StatusCodes.Status503ServiceUnavailable })
        {
            call.Http.Response.Headers.RetryAfter = TelemetryInbox.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            throw;
        }
    }

    /// <param name="sentAt">The gateway's clock when the batch left. One that tells no time is trusted.</param>
    private long? ClockOff(string? sentAt)
    {
        if (!long.TryParse(sentAt, NumberStyles.None, CultureInfo.InvariantCulture, out var sent) || sent > MostOff)
            return null;
        var off = sent - time.GetUtcNow().ToUnixTimeMilliseconds();
        return Math.Abs(off) > TrustedClock ? off : null;
    }
}
