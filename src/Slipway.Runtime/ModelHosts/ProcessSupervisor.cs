using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Sandbox;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Keeps a model's process running: starts it, waits until it is ready, ends one that hangs, and starts it again.</summary>
internal sealed class ProcessSupervisor : IAsyncDisposable
{
    /// <summary>Between two questions whether a starting process is ready.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Between SIGTERM and SIGKILL when serving ends.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks at the log's size.</summary>
    private static readonly TimeSpan LookAtLogEvery = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of the process's log; beyond, it begins anew, so that a chatty model does not fill the disk.</summary>
    private const long LogLimit = 16 * 1024 * 1024;

    private readonly HostedModel model;
    private readonly HostOptions options;
    private readonly RunFolder folder;
    private readonly Func<CancellationToken, Task<bool>> isReady;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource firstReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task supervision;
    private volatile ProcessRun? current;
    private volatile string? notReady = "the model's process is starting";

    /// <param name="isReady">Asks the process over its socket.</param>
    public ProcessSupervisor(HostedModel model, HostOptions options, RunFolder folder, Func<CancellationToken, Task<bool>> isReady)
    {
        (this.model, this.options, this.folder, this.isReady) = (model, options, folder, isReady);
        _ = firstReady.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        supervision = Task.Run(SuperviseAsync);
    }

    /// <summary>The process that is ready now; null when none is, from the moment on that its end is known.</summary>
    public ProcessRun? Current => current is { IsOver: false } run ? run : null;

    public string? NotReady => Current is null ? notReady ?? "the model's process is being started again" : null;

    /// <summary>Faults when the first start fails; the supervisor goes on trying all the same.</summary>
    public Task FirstReady => firstReady.Task;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await supervision;
    }

    private async Task SuperviseAsync()
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var started = options.Time.GetTimestamp();
            SlipwayException failure;
            try
            {
                failure = await RunOnceAsync();
            }
            catch (SlipwayException e)
            {
                failure = e;        // could not even be started
            }
            catch (OperationCanceledException)
            {
                break;
            }

            failures = options.Time.GetElapsedTime(started) >= RestartPolicy.Stable ? 1 : failures + 1;
            var pause = RestartPolicy.PauseAfter(failures);
            notReady = $"the model's process {What(failure)}; it is started again";
            options.Log($"{failure.Message}; starting it again in {pause.TotalSeconds:0.###} s");
            firstReady.TrySetException(failure);
            await Task.Delay(pause, options.Time, stopping.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        (current, notReady) = (null, "the server is stopping");
        firstReady.TrySetCanceled();
    }

    /// <summary>A shell that only starts one command becomes it: what the kernel ends when this server dies is then the model itself.</summary>
    internal static IReadOnlyList<string> Direct(IReadOnlyList<string> command) =>
        command is ["/bin/sh", "-c", var line] && line.IndexOfAny([';', '&', '|', '(', ')', '<', '>', '\n', '`']) < 0 && !line.TrimStart().Split(' ')[0].Contains('=')
            ? ["/bin/sh", "-c", "exec " + line.TrimStart()]
            : command;

    /// <returns>Why the process is no longer there.</returns>
    private async Task<SlipwayException> RunOnceAsync()
    {
        File.Delete(folder.Socket);
        await using var child = ChildProcess.Start(new ChildCommand(Direct(model.Runtime.Process!.Value), model.Folder, folder.Environment, folder.Log, folder.Log));
        var run = new ProcessRun(child);
        try
        {
            if (await UntilReadyAsync(child) is { } failure)
                return failure;
            options.Log($"the model's process {child.Id} is ready");
            (current, notReady) = (run, null);
            firstReady.TrySetResult();
            return await UntilEndAsync(run);
        }
        catch (OperationCanceledException)
        {
            current = null;
            await child.StopAsync(Grace);
            throw;
        }
        finally
        {
            current = null;
        }
    }

    private async Task<SlipwayException?> UntilReadyAsync(ChildProcess child)
    {
        var started = options.Time.GetTimestamp();
        while (options.Time.GetElapsedTime(started) < options.StartLimit)
        {
            if (child.Exited.IsCompleted)
                return Failure("model-process-ended", $"{await child.Exited} before it was ready");
            if (await isReady(stopping.Token))
                return null;
            await Task.WhenAny(child.Exited, Task.Delay(AskEvery, options.Time, stopping.Token));
            stopping.Token.ThrowIfCancellationRequested();
        }

        return Failure("model-start-too-slow", $"was not ready within {options.StartLimit.TotalSeconds:0.###} s, and was ended");
    }

    private async Task<SlipwayException> UntilEndAsync(ProcessRun run)
    {
        while (true)
        {
            await Task.WhenAny(run.Child.Exited, run.Hung, Task.Delay(LookAtLogEvery, options.Time, stopping.Token));
            stopping.Token.ThrowIfCancellationRequested();
            if (run.Child.Exited.IsCompleted)
                return Failure("model-process-ended", (await run.Child.Exited).ToString());
            if (run.Hung.IsCompleted)
                return Failure("model-process-hung", $"did not answer within {options.PredictionLimit.TotalSeconds:0.###} s, and was ended");
            if (FileStamp.Of(folder.Log) is { Size: > LogLimit })
            {
                using var log = new FileStream(folder.Log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                log.SetLength(0);       // the process appends: its next line is the first
            }
        }
    }

    private SlipwayException Failure(string code, string what) =>
        new(ExitCode.UnusableInput, new Fault(code, $"the model's process ({string.Join(' ', model.Runtime.Process!.Value)}) {what}; {LogTail.InWords(folder.Log)}"));

    /// <summary>For clients: without the command and its log.</summary>
    private static string What(SlipwayException failure) => failure.Faults[0].Code switch
    {
        "model-process-hung" => "did not answer in time and was ended",
        "model-start-too-slow" => "was not ready in time and was ended",
        "model-process-ended" => "ended",
        _ => "could not be started",
    };
}

/// <summary>One life of the model's process.</summary>
internal sealed class ProcessRun(ChildProcess child)
{
    private readonly TaskCompletionSource hung = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChildProcess Child => child;

    /// <summary>Whether it ended, or is about to be ended.</summary>
    public bool IsOver => child.Exited.IsCompleted || hung.Task.IsCompleted;

    /// <summary>Completes when somebody waited for an answer in vain.</summary>
    public Task Hung => hung.Task;

    public void ReportHang() => hung.TrySetResult();
}

/// <summary>How long to wait before a process that ended is started again.</summary>
internal static class RestartPolicy
{
    /// <summary>A process that ran this long had no trouble of its own making: the next pause is the shortest again.</summary>
    public static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromSeconds(30);

    /// <param name="failures">In a row, at least 1.</param>
    public static TimeSpan PauseAfter(int failures) =>
        TimeSpan.FromTicks(Math.Min(Longest.Ticks, Shortest.Ticks << Math.Min(failures - 1, 20)));
}
