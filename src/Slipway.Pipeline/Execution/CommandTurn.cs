namespace Slipway.Pipeline.Execution;

/// <summary>A stage's right to run its command, which it may have to wait for once it is prepared.</summary>
/// <param name="ended">Told when the command has ended and wrote what the stage declares.</param>
internal sealed class CommandTurn(Action ended)
{
    private readonly TaskCompletionSource given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action? announcement;

    public bool HasCome => given.Task.IsCompletedSuccessfully;

    public bool IsWithdrawn => given.Task.IsCanceled;

    /// <summary>Calls <paramref name="begun"/> now when the turn was given, else at the end of <see cref="WaitAsync"/>.</summary>
    public void Announce(Action begun)
    {
        if (HasCome)
            begun();
        else
            announcement = begun;
    }

    /// <exception cref="OperationCanceledException">Cancelled, or withdrawn.</exception>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        await given.Task.WaitAsync(cancellation);
        announcement?.Invoke();
    }

    /// <summary>Another may run its command while this stage stores what its own wrote.</summary>
    public void End() => ended();

    public void Give() => given.TrySetResult();

    /// <summary>What was given stays so.</summary>
    public void Withdraw() => given.TrySetCanceled();
}
