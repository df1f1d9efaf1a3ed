using Slipway.Documents.Monitoring;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Sends once a second what was counted, each batch until the server has it. What waits is bounded by the log.</summary>
internal sealed class TelemetrySender(GatewayOptions options, ServerLink link, Samplers samplers, TelemetryLog log, SampleClock clock, HostGauge host)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>Without traffic: so that the host's load is known, and that the gateway is there.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(10);

    /// <summary>After the server said that it wants none of this, which an older one does: until it is another.</summary>
    private static readonly TimeSpan Refused = TimeSpan.FromMinutes(1);

    private readonly Backoff backoff = new(Shortest, Longest);
    private long? sentAt;
    private string? told;

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Shortly after a second of the slices' clock is over: what was counted in it is told while it is new.
            await Task.Delay(UntilNextSecond(), options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var pause = await SendAsync(cancellation);
            for (var waited = TimeSpan.Zero; waited < pause && !cancellation.IsCancellationRequested; waited += Every)
            {
                await Task.Delay(Every, options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                log.Add(samplers.Drain());      // while the server is away seconds are still taken from those who count
            }
        }
    }

    /// <summary>At the end, after the last request: sends what is left, as long as the server takes it.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        try
        {
            log.Add(samplers.Drain(last: true));
            while (log.IsDue)
                await DeliverAsync(cancellation);
        }
        catch (Exception e) when (e is SlipwayException or OperationCanceledException)
        {
            options.Log($"the last telemetry did not reach the server: {e.Message}");
        }
    }

    /// <returns>How long to leave the server alone.</returns>
    private async Task<TimeSpan> SendAsync(CancellationToken cancellation)
    {
        log.Add(samplers.Drain());
        try
        {
            var isQuiet = sentAt is { } last && options.Time.GetElapsedTime(last) < Quiet;
            for (var isFirst = true; log.IsDue || (isFirst && !isQuiet); isFirst = false)
                await DeliverAsync(cancellation);
            backoff.Succeeded();
            told = null;
            return TimeSpan.Zero;
        }
        catch (SlipwayException e)
        {
            if (told != e.Message)
                options.Log($"the server does not take telemetry: {e.Message}");
            told = e.Message;
            return e.Faults[0].Code == ServerLink.Unreachable ? backoff.Failed() : Refused;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
    }

    private async Task DeliverAsync(CancellationToken cancellation)
    {
        var batch = log.Take(host.Read);
        try
        {
            var taken = await link.SendAsync(batch, clock.MillisecondsAt(clock.Now), cancellation);
            if (taken < batch.Sequence)
                throw new SlipwayException(ExitCode.NotThere, new Fault("telemetry-missing", $"the server has this gateway's telemetry up to batch {taken} and would not take batch {batch.Sequence}", Help: "the gateway goes on trying"));
            log.Acknowledge(taken);
            sentAt = options.Time.GetTimestamp();
        }
        catch (SlipwayException e) when (e.Faults[0].Code == ServerLink.Unusable)
        {
            log.GiveUp();
            throw;
        }
    }

    private TimeSpan UntilNextSecond()
    {
        const int margin = 20;      // milliseconds, for requests that ended just then to be counted
        return TimeSpan.FromMilliseconds(1000 - (clock.MillisecondsAt(clock.Now) % 1000) + margin);
    }
}
