namespace Slipway.Gateway.Control;

/// <summary>Wakes one waiter that then looks at what is: several calls of <see cref="Set"/> may wake it once. Thread-safe.</summary>
internal sealed class Signal
{
    private TaskCompletionSource source = New();

    public void Set() => Volatile.Read(ref source).TrySetResult();

    /// <summary>Completes when it was set since the last wait, or after <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await Volatile.Read(ref source).Task.WaitAsync(atMost, time, cancellation);
        }
        catch (TimeoutException)
        {
            // The waiter wanted to look at that time.
        }

        // What is set from here on wakes the next wait; what was set before is seen by the look that follows.
        Volatile.Write(ref source, New());
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
