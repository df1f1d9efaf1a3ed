namespace Slipway.Pipeline.Execution;

/// <summary>A stage's right to run its command, which it may have to wait for once it is prepared. Thread-safe.</summary>
/// <param name="ended">Told when the command has ended and wrote what the stage declares.</param>
/// <param name="failed">Told when it failed for good, before it is known why.</param>
internal sealed class CommandTurn(Action ended, Action failed)
{
    private readonly Lock announcing = new();
    private readonly TaskCompletionSource given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action? announcement;
    private bool isAnnounced;

    public bool IsGiven => given.Task.IsCompletedSuccessfully;

    public bool IsWithdrawn => given.Task.IsCanceled;

    /// <summary>Calls <paramref name="begun"/> as soon as the turn is given, now if it is; never when it is withdrawn, and once however often this is called.</summary>
    public void Announce(Action begun)
    {
        lock (announcing)
        {
            announcement = begun;
            if (IsGiven)
                Announce();
        }
    }

    /// <exception cref="OperationCanceledException">Cancelled, or withdrawn.</exception>
    public Task WaitAsync(CancellationToken cancellation) => given.Task.WaitAsync(cancellation);

    /// <summary>Another may run its command while this stage stores what its own wrote.</summary>
    public void End() => ended();

    /// <summary>Nothing that a failure stops is to begin while this one's cause is looked for.</summary>
    public void Fail() => failed();

    public void Give()
    {
        lock (announcing)
        {
            Announce();
            given.TrySetResult();
        }
    }

    private void Announce()
    {
        if (!isAnnounced)
            announcement?.Invoke();
        isAnnounced |= announcement is not null;
    }

    /// <summary>What was given stays so.</summary>
    public void Withdraw() => given.TrySetCanceled();
}
