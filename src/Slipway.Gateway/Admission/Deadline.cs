namespace Slipway.Gateway.Admission;

/// <summary>When a request's time is up. Kept and used again; its timer runs only while something is waited for, which most requests never do.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class Deadline(TimeProvider time) : IDisposable
{
    private CancellationTokenSource source = NewSource(time);
    private long started;
    private bool isArmed;

    /// <summary>From the request's start to its end.</summary>
    public TimeSpan Limit { get; private set; }

    public TimeSpan Left => Limit - time.GetElapsedTime(started);

    /// <summary>Cancelled when the time is up, once <see cref="Arm"/> was called.</summary>
    public CancellationToken Token => source.Token;

    /// <param name="started">The request's start, on the monotonic clock.</param>
    public void Start(long started, TimeSpan limit) => (this.started, Limit) = (started, limit);

    /// <summary>To be called when something is about to be waited for.</summary>
    public void Arm()
    {
        if (isArmed)
            return;
        isArmed = true;
        var left = Left;
        source.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>Makes it fit for the next request.</summary>
    public void Reset()
    {
        if (!isArmed)
            return;
        isArmed = false;
        if (source.TryReset())
            return;
        source.Dispose();
        source = NewSource(time);
    }

    public void Dispose() => source.Dispose();

    private static CancellationTokenSource NewSource(TimeProvider time) => new(Timeout.InfiniteTimeSpan, time);
}
