using Slipway.Documents.Rollouts;
using Slipway.Gateway.Telemetry;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Sends what happened to rollouts' requests, each batch until the server has it. What waits is bounded by the recorder.</summary>
internal sealed class EventSender(GatewayOptions options, ServerLink link, RolloutRecorder recorder, CrashReports crashes)
{
    /// <summary>Between two looks whether there is something: half of what a judge may wait for.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    /// <summary>Without other news, how far a rollout is told goes after that: a judge folds the events of several gateways up to the least.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200), Longest = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancellation)
    {
        var backoff = new Backoff(Shortest, Longest);
        string? told = null;
        var sentAt = options.Time.GetTimestamp();
        while (!cancellation.IsCancellationRequested)
        {
            var pause = Every;
            try
            {
                if (recorder.TakeBatch(evenIfNothing: options.Time.GetElapsedTime(sentAt) >= Quiet) is { } batch)
                {
                    await DeliverAsync(batch, cancellation);
                    sentAt = options.Time.GetTimestamp();
                }

                backoff.Succeeded();
                told = null;
            }
            catch (SlipwayException e)
            {
                if (told != e.Message)
                    options.Log($"events wait for the server: {e.Message}");
                told = e.Message;
                pause = backoff.Failed();
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause, options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>At the end, after the last request: sends what is left, as long as the server takes it.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        try
        {
            for (var isFinal = false; !isFinal && recorder.TakeLast() is { } batch; isFinal = batch.Final)
                await DeliverAsync(batch, cancellation);
        }
        catch (Exception e) when (e is SlipwayException or OperationCanceledException)
        {
            options.Log($"the last events did not reach the server: {e.Message}");
        }
    }

    private async Task DeliverAsync(EventBatch batch, CancellationToken cancellation)
    {
        var taken = await link.SendAsync(batch, cancellation);
        if (taken < batch.Sequence)
            throw new SlipwayException(ExitCode.NotThere, new Fault("events-missing", $"the server has this gateway's batches up to {taken} and would not take batch {batch.Sequence}: its database went back in time", Help: "restart the gateway; what it told before is lost"));
        recorder.Acknowledge(batch.Sequence);
        crashes.Delivered(batch);
    }
}
