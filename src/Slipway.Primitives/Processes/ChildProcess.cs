using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Slipway.Primitives.Faults;

namespace Slipway.Primitives.Processes;

/// <summary>What to start. The environment is complete: nothing of ours leaks into a child.</summary>
/// <param name="Arguments">Program and its arguments; a program without a slash is looked up in the child's own PATH.</param>
/// <param name="WorkingDirectory">Must exist.</param>
/// <param name="Environment">All variables of the child.</param>
/// <param name="Output">File that takes standard output, created or appended to; null is /dev/null.</param>
/// <param name="Errors">File that takes standard error; the same path as <paramref name="Output"/> shares one descriptor, in order.</param>
/// <param name="Input">File that standard input is read from; null is /dev/null.</param>
public sealed record ChildCommand(
    IReadOnlyList<string> Arguments,
    string WorkingDirectory,
    IReadOnlyDictionary<string, string> Environment,
    string? Output = null,
    string? Errors = null,
    string? Input = null)
{
    /// <summary>Open files of ours that the child gets, by the number that each has in the child; 1 and 2 take the place of <see cref="Output"/> and <see cref="Errors"/>.</summary>
    public ImmutableSortedDictionary<int, SafeHandle> Descriptors { get; init; } = ImmutableSortedDictionary<int, SafeHandle>.Empty;

    /// <summary>The program holds others inside, ends when this process does, and its end is theirs: a polite end is asked of those, not of it.</summary>
    public bool IsContainer { get; init; }

    /// <summary>Program and first arguments that start this very program again with a verb, whether it has a launcher of its own or not.</summary>
    public static ImmutableArray<string> ThisProgram(string verb)
    {
        var program = System.Environment.ProcessPath ?? throw new UnreachableException("a running program has no path");
        return Path.GetFileName(program) == "dotnet" && Assembly.GetEntryAssembly()?.Location is { Length: > 0 } assembly
            ? [program, assembly, verb]
            : [program, verb];
    }
}

/// <summary>How a child ended and what it used, itself and every descendant that it waited for.</summary>
/// <param name="Code">Exit code; null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it; null when it exited.</param>
/// <param name="PeakMemory">
/// Largest resident set of one process, bytes. Linux carries the starter's own size over into the kernel's figure, so below that
/// the largest sample of the child and its descendants, taken every 2 ms at first and every 50 ms later, stands in: a lower bound.
/// </param>
/// <param name="BytesRead">From disk; what the kernel had in memory already does not count.</param>
/// <param name="BytesWritten">That are to go to disk.</param>
public readonly record struct ChildExit(int? Code, int? Signal, TimeSpan Wall, TimeSpan User, TimeSpan System, long PeakMemory, long BytesRead, long BytesWritten)
{
    public bool Succeeded => Code == 0;

    /// <summary>As a sentence's end: <c>exited with 3</c>, <c>was ended by signal 9</c>.</summary>
    public override string ToString() => Code is { } code ? $"exited with {code}" : $"was ended by signal {Signal}";
}

/// <summary>A child in a session of its own, ended with all of that session, and by the kernel when this process dies.</summary>
/// <remarks>
/// posix_spawn and wait4 rather than the framework's Process: exact descriptors, processor time and peak memory after the exit.
/// The thread that starts the child also waits for it, since the kernel's parent-death signal is tied to that thread.
/// A grandchild that makes a session of its own outlives the child; the sandbox is what contains those.
/// </remarks>
public sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Short-lived children are looked at often; a look costs some 20 µs a process.</summary>
    private static readonly TimeSpan FirstSamples = TimeSpan.FromMilliseconds(2), SampleEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>What a container holds is measured by whoever reaps it.</summary>
    private static readonly TimeSpan LookAtContainerEvery = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource<ChildExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock signalling = new();
    private readonly bool isContainer;
    private bool reaped;
    private long started;

    private ChildProcess(bool isContainer) => this.isContainer = isContainer;

    /// <summary>The process id, which is its group's and session's as well.</summary>
    public int Id { get; private set; }

    /// <summary>Completes when the child has ended; never faults.</summary>
    public Task<ChildExit> Exited => exited.Task;

    /// <exception cref="SlipwayException">The program is not in the child's PATH, or cannot be started (exit 3).</exception>
    public static ChildProcess Start(ChildCommand command)
    {
        var program = Find(command);
        var child = new ChildProcess(command.IsContainer);
        using var spawned = new ManualResetEventSlim();
        Exception? failure = null;
        new Thread(() =>
        {
            long wasPeak;
            child.Restart();
            try
            {
                wasPeak = PeakMemoryOf("self");
                child.Id = Spawn.Start(program, command);
            }
            catch (Exception e)
            {
                failure = e;
                return;
            }
            finally
            {
                spawned.Set();
            }

            child.Reap(wasPeak);
        })
        { IsBackground = true, Name = "child " + Path.GetFileName(program) }.Start();
        spawned.Wait();
        return failure is null
            ? child
            : throw new SlipwayException(ExitCode.NotThere, new Fault("cannot-start", $"cannot start {program}: {failure.Message}"), failure);
    }

    /// <summary>Runs to the end; a cancelled wait ends the child, politely at first, and throws.</summary>
    /// <param name="grace">Time between SIGTERM and SIGKILL.</param>
    public static async Task<ChildExit> RunAsync(ChildCommand command, TimeSpan grace, CancellationToken cancellation)
    {
        await using var child = Start(command);
        try
        {
            return await child.Exited.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            await child.StopAsync(grace);
            throw;
        }
    }

    /// <summary>Its time is counted from now on, and it is looked at as often as a child that was just started: for one that waited until it may begin.</summary>
    public void Restart() => Volatile.Write(ref started, Stopwatch.GetTimestamp());

    private TimeSpan Elapsed => Stopwatch.GetElapsedTime(Volatile.Read(ref started));

    /// <summary>SIGTERM to the child's group, or to what a container holds, then SIGKILL to its whole session after <paramref name="grace"/>.</summary>
    public async Task<ChildExit> StopAsync(TimeSpan grace)
    {
        if (isContainer)
            Send(Session(), Spawn.Terminate);
        else
            Signal(Spawn.Terminate);
        try
        {
            return await Exited.WaitAsync(grace);
        }
        catch (TimeoutException)
        {
            Kill();
            return await Exited;
        }
    }

    /// <summary>SIGKILL to every process of the child's session.</summary>
    public void Kill()
    {
        // The child's own group first: a shell that sees its command killed would exit by itself, and hide that it was ended.
        Signal(Spawn.KillSignal);
        if (!isContainer)
            Send(Session(), Spawn.KillSignal);
    }

    /// <summary>From now on, whoever loses its parent below this process becomes its child, to be reaped with <see cref="CollectOrphan"/>.</summary>
    public static void AdoptOrphans() => Spawn.AdoptOrphans();

    /// <summary>Waits for an adopted process to end and reaps it.</summary>
    /// <param name="wall">Time that it took.</param>
    /// <returns>How it ended, with all that it waited for; null when it is none of this process's.</returns>
    public static ChildExit? CollectOrphan(int id, TimeSpan wall) => Spawn.TryCollect(id, wall);

    /// <summary>Forgets an adopted process that has ended; does nothing for one that has not, or is none of this process's.</summary>
    public static void ReapOrphan(int id) => Spawn.Reap(id);

    /// <summary>SIGKILL to any process; one that is not there is ended already.</summary>
    /// <exception cref="ArgumentOutOfRangeException">0 and less stand for whole groups of processes, this one's among them.</exception>
    public static void Kill(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(id);
        Spawn.Send(id, Spawn.KillSignal);
    }

    /// <summary>Ends what is still alive of the session.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited;
    }

    private void Signal(int signal)
    {
        lock (signalling)
        {
            if (!reaped)
                Spawn.Send(-Id, signal);
        }
    }

    private static void Send(IEnumerable<int> ids, int signal)
    {
        foreach (var id in ids)
            Spawn.Send(id, signal);
    }

    private void Reap(long peakOfStarter)
    {
        var sampled = 0L;
        while (!Spawn.WaitWithoutReaping(Id, isContainer ? LookAtContainerEvery : Elapsed < TimeSpan.FromSeconds(1) ? FirstSamples : SampleEvery))
            sampled = isContainer ? 0 : Math.Max(sampled, PeakMemoryBelow(Id));
        var wall = Elapsed;
        if (!isContainer)
            Send(Session(), Spawn.KillSignal);
        ChildExit exit;
        lock (signalling)
        {
            exit = Spawn.Collect(Id, wall);
            reaped = true;
        }

        exited.SetResult(exit.PeakMemory > peakOfStarter ? exit : exit with { PeakMemory = sampled });
    }

    /// <summary>The other members of the child's session: while the child is not reaped, its id cannot be anyone else's.</summary>
    private List<int> Session()
    {
        var members = new List<int>();
        lock (signalling)
        {
            if (reaped)
                return members;
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(folder), out var id) && id != Id && SessionOf(id) == Id)
                    members.Add(id);
            }
        }

        return members;
    }

    private static int SessionOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;       // it ended meanwhile, or is somebody else's
        }
    }

    /// <summary>The largest resident set so far of a process or one of its descendants.</summary>
    private static long PeakMemoryBelow(int id)
    {
        var peak = PeakMemoryOf(id.ToString());
        try
        {
            foreach (var child in File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                peak = Math.Max(peak, PeakMemoryBelow(int.Parse(child)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or the kernel does not list children: its own figure stands.
        }

        return peak;
    }

    private static long PeakMemoryOf(string id)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{id}/status"))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(6).Trim().ToString().Split(' ')[0]) * 1024;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended between two samples.
        }

        return 0;
    }

    private static string Find(ChildCommand command) =>
        Directory.Exists(command.WorkingDirectory)
            ? Find(command.Arguments[0], command.WorkingDirectory, command.Environment.GetValueOrDefault("PATH", "/usr/bin:/bin"))
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-folder", $"the working directory {command.WorkingDirectory} is not there"));

    /// <summary>The file that a command's first word means.</summary>
    /// <param name="name">With a slash a path, relative to the working directory; without, a name to look for in <paramref name="path"/>.</param>
    /// <exception cref="SlipwayException">It is not there, or nothing to execute (exit 3).</exception>
    public static string Find(string name, string workingDirectory, string path)
    {
        if (name.Contains('/'))
        {
            var direct = Path.Combine(workingDirectory, name);
            if (!Path.Exists(direct))
                throw new SlipwayException(ExitCode.NotThere, new Fault("command-not-found", $"the command '{name}' is not there", Help: "commands with a slash are relative to the working directory"));
            if (!IsExecutable(direct))
                throw new SlipwayException(ExitCode.NotThere, new Fault("not-executable", $"'{name}' is not an executable file", Help: $"chmod +x {name}, or write its interpreter in front of it"));
            return direct;
        }

        foreach (var folder in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var candidate = Path.Combine(folder, name);
            if (IsExecutable(candidate))
                return candidate;
        }

        throw new SlipwayException(ExitCode.NotThere, new Fault("command-not-found", $"the command '{name}' is not in PATH ({path})", Help: $"install the package that has {name}, or write the command with its path"));
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
}
