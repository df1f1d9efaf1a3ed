namespace Slipway.Gateway.Admission;

/// <summary>Bounds how many requests of a model are answered at once and how many wait for that; the one beyond is turned away at once. Thread-safe.</summary>
internal sealed class ConcurrencyLimit(int places, int queue)
{
    private readonly SemaphoreSlim free = new(places);
    private int waiting;

    /// <summary>Requests that have a place.</summary>
    public int Taken => places - free.CurrentCount;

    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>Takes a place if one is free right now.</summary>
    public bool TryEnter() => free.Wait(0);

    /// <returns>False when too many wait already.</returns>
    /// <exception cref="OperationCanceledException">Cancelled while it waited.</exception>
    public async ValueTask<bool> EnterAsync(CancellationToken cancellation)
    {
        try
        {
            if (Interlocked.Increment(ref waiting) > queue)
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
