namespace Slipway.Gateway.Admission;

/// <summary>
/// Bounds how many requests of a model are answered at once and how many wait for that; the one beyond is turned away at once.
/// Thread-safe, and without a lock while there are free places.
/// </summary>
internal sealed class ConcurrencyLimit(int places, int queue)
{
    private readonly LinkedList<TaskCompletionSource> queued = new();
    private int taken, waiting;

    /// <summary>Requests that have a place.</summary>
    public int Taken => Volatile.Read(ref taken);

    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>Takes a place if one is free right now.</summary>
    public bool TryEnter()
    {
        for (var seen = Volatile.Read(ref taken); seen < places;)
        {
            var before = Interlocked.CompareExchange(ref taken, seen + 1, seen);
            if (before == seen)
                return true;
            seen = before;
        }

        return false;
    }

    /// <summary>Waits for a place; first come, first served.</summary>
    /// <returns>False when too many wait already.</returns>
    /// <exception cref="OperationCanceledException">Cancelled while it waited.</exception>
    public async ValueTask<bool> EnterAsync(CancellationToken cancellation)
    {
        var turn = new LinkedListNode<TaskCompletionSource>(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (queued)
        {
            if (queued.Count >= queue)
                return false;
            queued.AddLast(turn);
            Interlocked.Increment(ref waiting);
        }

        HandOn();       // a place may have become free before anyone could see that somebody waits
        await using (cancellation.UnsafeRegister(_ => Cancel(turn), null))
            await turn.Value.Task;
        return true;
    }

    public void Leave()
    {
        Interlocked.Decrement(ref taken);
        if (Volatile.Read(ref waiting) > 0)
            HandOn();
    }

    private void HandOn()
    {
        while (true)
        {
            LinkedListNode<TaskCompletionSource> next;
            lock (queued)
            {
                if (queued.First is not { } first || !TryEnter())
                    return;
                next = first;
                Remove(next);
            }

            next.Value.SetResult();
        }
    }

    /// <summary>Whoever takes a turn out of the queue decides what becomes of it: a place that was handed over is never lost.</summary>
    private void Cancel(LinkedListNode<TaskCompletionSource> turn)
    {
        lock (queued)
        {
            if (turn.List is null)
                return;
            Remove(turn);
        }

        turn.Value.SetCanceled();
    }

    private void Remove(LinkedListNode<TaskCompletionSource> turn)
    {
        queued.Remove(turn);
        Interlocked.Decrement(ref waiting);
    }
}
