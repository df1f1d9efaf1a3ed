using Slipway.Documents.Monitoring;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Sends once a second what was counted, each batch until the server has it. What waits is bounded by the log.</summary>
internal sealed class TelemetrySender(GatewayOptions options, ServerLink link, Samplers samplers, TelemetryLog log, SampleClock clock, HostGauge host)
{
    /// <summary>Without traffic: so that the host's load is known, and that the gateway is there.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(10);

    /// <summary>After the server said that it wants none of this, which an older one does: until it is another.</summary>
    private static readonly TimeSpan Refused = TimeSpan.FromMinutes(1);

    private readonly Backoff backoff = new(Shortest, Longest);
    private readonly Signal counted = new();
    private string? told;
    private long? sentAt;

    private bool IsQuiet => sentAt is not { } last || options.Time.GetElapsedTime(last) >= Quiet;

    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(CollectAsync(cancellation), SendAsync(cancellation));

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

    /// <summary>Takes each second from those who count, whatever the server does meanwhile.</summary>
    private async Task CollectAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await Task.Delay(UntilNextSecond(), options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            log.Add(samplers.Drain());
            if (log.IsDue)
                counted.Set();
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                while (log.IsDue || IsQuiet)
                    await DeliverAsync(cancellation);
                backoff.Succeeded();
                told = null;
                await counted.WaitAsync(Quiet, options.Time, cancellation);
            }
            catch (SlipwayException e)
            {
                if (told != e.Message)
                    options.Log($"the server does not take telemetry: {e.Message}");
                told = e.Message;
                var pause = e.Faults[0].Code == ServerLink.Unreachable ? backoff.Failed() : Refused;
                await Task.Delay(pause, options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
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
