using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Control;

/// <summary>One version that a state names, from its fetching to its retirement; tried again when something went wrong. Thread-safe.</summary>
internal sealed class HeldVersion
{
    /// <summary>After the server did not answer: it may be back at once.</summary>
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromMilliseconds(200), LongestSilence = TimeSpan.FromSeconds(5);

    /// <summary>After the version itself was refused: that costs fetching, hashing and loading, and seldom changes.</summary>
    private static readonly TimeSpan ShortestRefusal = TimeSpan.FromSeconds(5), LongestRefusal = TimeSpan.FromMinutes(5);

    /// <summary>Characters of a reason.</summary>
    private const int LongestReason = 1000;

    private readonly VersionLoader loader;
    private readonly CrashNotes notes;
    private readonly HostOptions options;
    private readonly Action changed;
    private readonly CancellationTokenSource stopping = new();
    private readonly Signal roleChanged = new();
    private readonly Task life;
    private volatile LoadProgress progress = new(VersionState.Preparing, null, null);
    private volatile bool isStable;

    /// <param name="changed">Told after every change of the progress.</param>
    public HeldVersion(string model, VersionRef version, bool isStable, VersionLoader loader, CrashNotes notes, HostOptions options, Action changed)
    {
        (Model, Version, this.isStable, this.loader, this.notes, this.options, this.changed) = (model, version, isStable, loader, notes, options, changed);
        life = Task.Run(LiveAsync);
    }

    public string Model { get; }

    public VersionRef Version { get; }

    public VersionState State => progress.State;

    /// <summary>Why it is refused or quarantined; null otherwise.</summary>
    public string? Reason => progress.Reason;

    /// <summary>Null unless it is ready.</summary>
    public ServedVersion? Served => progress.Served;

    /// <summary>Why it is not ready, as a sentence for whoever asks; null when it is.</summary>
    public string? Unready => progress.State switch
    {
        VersionState.Ready => null,
        VersionState.Preparing => $"version {Version.Number} is being prepared",
        VersionState.Quarantined => $"version {Version.Number} is quarantined here",
        _ => $"version {Version.Number} is refused here",
    };

    /// <summary>The stable version is loaded whatever it did before: nothing else could answer.</summary>
    public void SetRole(bool stable)
    {
        if (isStable == stable)
            return;
        isStable = stable;
        roleChanged.Set();
    }

    /// <summary>Waits for its last request, and ends its host. To be called once, after the table that names it is replaced.</summary>
    public async Task RetireAsync()
    {
        await stopping.CancelAsync();
        await life;
        if (progress.Served is { } served)
            await served.RetireAsync();
        loader.Remove(Model, Version);
    }

    private async Task LiveAsync()
    {
        try
        {
            var served = await PrepareAsync();
            Set(VersionState.Ready, null, served);
            options.Log($"{Model} {Version.Number} ({Version.Bundle.Short}) is ready");
            await Task.Delay(CrashNotes.Forgiven, options.Time, stopping.Token);
            notes.Forgive(Version.Bundle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Log($"the deaths before are still held against {Model} {Version.Number}: {e.Message}");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Retired: what is ready stays so until its last request is answered.
        }
    }

    private async Task<ServedVersion> PrepareAsync()
    {
        var (silence, refusal) = (new Backoff(ShortestSilence, LongestSilence), new Backoff(ShortestRefusal, LongestRefusal));
        await PauseAsync();
        while (true)
        {
            if (!isStable && notes.Find(Version.Bundle)?.Quarantined is { } why)
            {
                Set(VersionState.Quarantined, why, null);
                await roleChanged.WaitAsync(Timeout.InfiniteTimeSpan, options.Time, stopping.Token);
                await PauseAsync();
                continue;
            }

            try
            {
                return await loader.LoadAsync(Model, Version, isStable, stopping.Token);
            }
            catch (SlipwayException e) when (e.Faults[0].Code == ServerLink.Unreachable)
            {
                if (progress.State != VersionState.Refused)
                    Set(VersionState.Preparing, null, null);
                await WaitAsync(silence.Failed());
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                Set(VersionState.Refused, ReasonOf(e), null);
                await WaitAsync(refusal.Failed());
            }
        }
    }

    private async Task PauseAsync()
    {
        if (!isStable || notes.PauseBefore(Version.Bundle) is not { Ticks: > 0 } pause)
            return;
        options.Log($"this gateway's process ended before while {Model} {Version.Number} ran in it; it is loaded again in {pause.TotalSeconds:0} s");
        await Task.Delay(pause, options.Time, stopping.Token);
    }

    private Task WaitAsync(TimeSpan pause) => roleChanged.WaitAsync(pause, options.Time, stopping.Token);

    private void Set(VersionState state, string? reason, ServedVersion? served)
    {
        var before = progress;
        progress = new LoadProgress(state, reason, served);
        if (reason is not null && reason != before.Reason)
            options.Log($"{Model} {Version.Number} ({Version.Bundle.Short}) is {state.Word()}: {reason}");
        if (before != progress)
            changed();
    }

    private static string ReasonOf(Exception e)
    {
        var text = e is SlipwayException known ? string.Join("; ", known.Faults) : $"a bug of the gateway: {e}";
        return text.Length <= LongestReason ? text : text[..LongestReason] + " …";
    }

    private sealed record LoadProgress(VersionState State, string? Reason, ServedVersion? Served);
}
