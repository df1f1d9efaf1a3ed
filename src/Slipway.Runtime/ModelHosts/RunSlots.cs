namespace Slipway.Runtime.ModelHosts;

/// <summary>Bounds how many predictions run at once and how many wait for that; the one beyond is turned away at once.</summary>
internal sealed class RunSlots(int concurrency)
{
    /// <summary>Requests that may wait. Enough for a burst of short ones; with more, a client waits longer than it would by asking again.</summary>
    public const int Waiting = 256;

    /// <summary>What the one beyond is told.</summary>
    public static readonly string Full = $"too many requests: {Waiting} wait for the model already";

    private readonly SemaphoreSlim free = new(concurrency);
    private int waiting;

    /// <summary>Takes a place if one is free right now.</summary>
    public bool TryEnter() => free.Wait(0);

    /// <returns>False when too many wait already.</returns>
    public async ValueTask<bool> EnterAsync(CancellationToken cancellation)
    {
        if (TryEnter())
            return true;
        try
        {
            if (Interlocked.Increment(ref waiting) > Waiting)
                return false;
            await free.WaitAsync(cancellation);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    public void Leave() => free.Release();
}
