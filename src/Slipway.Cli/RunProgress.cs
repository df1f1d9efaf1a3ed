using System.Runtime.InteropServices;
using System.Text;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What happens in a run, on stderr: on a terminal a block that is drawn anew under what has ended, elsewhere a plain line each, with <c>--json</c> a line of JSON each.</summary>
internal sealed class RunProgress : IDisposable
{
    /// <summary>Shortest time between two frames; what is said meanwhile comes with the next one.</summary>
    private static readonly TimeSpan tick = TimeSpan.FromMilliseconds(100);

    private readonly Shell shell;
    private readonly TimeProvider clock;
    private readonly long begun;
    private readonly RunLines lines;
    private readonly RunEventLines? json;
    private readonly LiveBlock? block;
    private readonly ITimer? redraw;
    private readonly PosixSignalRegistration? resumed;
    private readonly CancellationTokenRegistration stopping;
    private readonly Lock drawing = new();
    private readonly List<string> above = [];
    private RunPicture picture = new();
    private bool isOver;

    /// <param name="run">Its id.</param>
    /// <param name="cancellation">Asks the run to end, which is shown while it does.</param>
    public RunProgress(Shell shell, TimeProvider clock, string run, CancellationToken cancellation)
    {
        (this.shell, this.clock, begun) = (shell, clock, clock.GetTimestamp());
        var isLive = shell is { Live: true, Quiet: false, Json: false };
        lines = new RunLines(isLive, shell.Verbose);
        json = shell.Json ? new RunEventLines(run) : null;
        Line(json?.Begun(clock.GetUtcNow()), isForAll: false);
        if (!isLive)
            return;
        block = new LiveBlock(shell.LiveColour);
        redraw = clock.CreateTimer(_ => Redraw(), null, tick, tick);
        stopping = cancellation.Register(() => Change(known => known with { IsStopping = true }));
        resumed = PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Forget());
    }

    /// <summary>From any thread.</summary>
    public void Show(PipelineEvent what)
    {
        lock (drawing)
        {
            if (isOver)
                return;
            var now = clock.GetElapsedTime(begun);
            Line(json is not null ? json.Of(what, clock.GetUtcNow(), now) : lines.Of(what, picture, now), isForAll: what is Remark or StageProgress { What: StageRemark });
            picture = picture.After(what, now);
        }
    }

    /// <summary>Waits for the run to end, in whichever way; then the terminal is as it was but for what was said.</summary>
    /// <param name="exitOf">How the program will exit.</param>
    public async Task<T> UntilEndAsync<T>(Task<T> run, Func<T, ExitCode> exitOf)
    {
        var exit = (int)ExitCode.Bug;
        try
        {
            var account = await run;
            exit = (int)exitOf(account);
            return account;
        }
        catch (SlipwayException failure)
        {
            exit = (int)failure.Exit;
            throw;
        }
        catch (OperationCanceledException)
        {
            exit = CommandLine.Interrupted;
            throw;
        }
        finally
        {
            lock (drawing)
                Line(json?.Ended(exit, picture, clock.GetUtcNow(), clock.GetElapsedTime(begun)), isForAll: false);
            Dispose();
        }
    }

    public void Dispose()
    {
        resumed?.Dispose();
        stopping.Dispose();
        redraw?.Dispose();
        lock (drawing)
        {
            if (!isOver && block is not null)
                Write(block.Frame(above, [], Width));
            isOver = true;
        }
    }

    private static int Width => Math.Max(1, Console.WindowWidth);

    private void Line(string? line, bool isForAll)
    {
        if (line is null || (shell.Quiet && !isForAll))
            return;
        if (block is not null)
            above.Add(line);
        else
            shell.Err.WriteLine(line);
    }

    private void Redraw()
    {
        lock (drawing)
        {
            if (isOver)
                return;
            var frame = block!.Frame(above, RunFrame.Of(picture, clock.GetElapsedTime(begun), Width, Console.WindowHeight), Width);
            above.Clear();
            Write(frame);
        }
    }

    private void Change(Func<RunPicture, RunPicture> change)
    {
        lock (drawing)
            picture = change(picture);
    }

    /// <summary>Stopped and continued: the shell has written since.</summary>
    private void Forget()
    {
        lock (drawing)
            block!.Forget();
    }

    /// <summary>The writer would pass a frame on in pieces, which is seen.</summary>
    private static void Write(string frame)
    {
        if (frame.Length == 0)
            return;
        using var terminal = Console.OpenStandardError();
        terminal.Write(Encoding.UTF8.GetBytes(frame));
    }
}
