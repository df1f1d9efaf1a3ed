using System.Collections.Immutable;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;

namespace Slipway.Runtime.Sandbox;

/// <summary>Runs a command inside its isolation and under its limits, and lets nothing of it live on.</summary>
public static partial class Enclosure
{
    /// <summary>The descriptor of the command that <c>$SLIPWAY_PROGRESS</c> names.</summary>
    public const int ProgressDescriptor = 3;

    /// <summary>Bytes of the digest of a run's folder in the names of its control groups.</summary>
    private const int FolderMark = 8;

    /// <summary>Where bubblewrap says that its command began and ended.</summary>
    private const string StatusFile = ".status-";

    /// <summary>Between two looks at what a command's folders hold.</summary>
    private static readonly TimeSpan LookAtDiskEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>For the last output to arrive once every process that was found has ended.</summary>
    private static readonly TimeSpan LastOutput = TimeSpan.FromSeconds(2);

    /// <summary>The descriptor on which the shell around a command waits for a line.</summary>
    private const int StartDescriptor = 7;

    /// <summary>What the shell around a command does: it joins the groups, sets what a process may do by itself, waits, and becomes the command.</summary>
    /// <remarks>In this order: while it joins, the kernel waits for all processors, some 10 ms in which another command can run.</remarks>
    private const string Join = "while [ \"$1\" != -- ]; do echo 0 > \"$1\" || exit 125; shift; done; shift; ulimit -c 0; umask 022; ";

    private static readonly string become = $"read -r line <&{StartDescriptor} || exit 125; exec \"$@\" {StartDescriptor}<&-";

    /// <summary>Bytes of the blocks that a shell's <c>ulimit -f</c> counts, and of those of <c>ulimit -d</c>.</summary>
    private const int FileBlock = 512, DataBlock = 1024;

    private const int FileTooLarge = 25, FirstSignalCode = 128, LastSignalCode = 128 + 64;

    /// <summary>How the names of a run's control groups begin.</summary>
    /// <param name="run">The folder that its commands share.</param>
    internal static string GroupsOf(string run) => $"slipway-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(run)).AsSpan(0, FolderMark))}-";

    /// <summary>The name of a command's control groups.</summary>
    internal static string GroupOf(EnclosedCommand command) => GroupsOf(command.SharedFolder) + command.Name;

    /// <param name="log">Takes what the command writes to its output and errors, and finds progress in it and in what comes from <see cref="ProgressDescriptor"/>.</param>
    /// <param name="grace">Time between SIGTERM and SIGKILL.</param>
    /// <exception cref="SlipwayException">The isolation is not to be had here (exit 3).</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing of the command lives any more.</exception>
    public static async Task<EnclosedExit> RunAsync(EnclosedCommand command, CommandLog log, TimeSpan grace, CancellationToken cancellation)
    {
        using var group = ControlGroup.TryMake(GroupOf(command), command.Limits, ControlGroup.MountPoint, File.ReadAllText("/proc/self/cgroup"), out var why);
        var inner = command.Isolation switch
        {
            Isolation.Sandbox => Bubblewrap.Arguments(Bubblewrap.Find(), command),
            Isolation.Oci => OciRuntime.Arguments(OciRuntime.Find(), command, isGrouped: group is not null),
            _ => command.Arguments,
        };
        if (command.FixedAddresses)
            inner = [FixedAddresses.Program, .. FixedAddresses.Arguments, .. inner];
        if (command.IsTraced)
            inner = Strace.Around(inner);
        using var pipes = new Pipes();
        using var filter = command.Isolation == Isolation.Sandbox ? FilterFile(command.SharedFolder) : null;
        using var statusFile = command.Isolation == Isolation.Sandbox ? NewFile(Path.Combine(command.SharedFolder, StatusFile + command.Name)) : null;
        var descriptors = ImmutableSortedDictionary<int, SafeHandle>.Empty
            .Add(1, pipes.Output.ClientSafePipeHandle).Add(2, pipes.Output.ClientSafePipeHandle).Add(ProgressDescriptor, pipes.Progress.ClientSafePipeHandle).Add(StartDescriptor, pipes.Start.ClientSafePipeHandle);
        if (filter is not null && statusFile is not null)
            descriptors = descriptors.Add(Bubblewrap.FilterDescriptor, filter).Add(Bubblewrap.StatusDescriptor, statusFile);
        var started = new ChildCommand(
            ["/bin/sh", "-c", Join + (command.Isolation == Isolation.Oci ? "" : OwnLimits(command.Limits, group is not null)) + become, "slipway", .. group?.Joins ?? [], "--", .. inner],
            command.Isolation == Isolation.None ? command.WorkingDirectory : command.Folder,
            command.Environment)
        { Descriptors = descriptors, IsContainer = command.Isolation != Isolation.None };
        ChildProcess.AdoptOrphans();
        return await RunAsync(started, command, pipes, log, group, group is null ? why : null, grace, cancellation);
    }

    private static async Task<EnclosedExit> RunAsync(
        ChildCommand started, EnclosedCommand command, Pipes pipes, CommandLog log, ControlGroup? group, string? unlimited, TimeSpan grace, CancellationToken cancellation)
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var before = command.Limits.Disk is null ? 0 : FolderSize.Of(command.Folder);
        var child = ChildProcess.Start(started);
        pipes.CloseOtherEnds();
        var pumps = new[] { Pump(pipes.Output, "output", bytes => log.Write(bytes.Span)), Pump(pipes.Progress, "progress", bytes => log.FindProgress(bytes.Span)) };
        var disk = Task.FromResult(false);
        var status = Path.Combine(command.SharedFolder, StatusFile + command.Name);
        var ended = new HashSet<int>();
        var (hasBegun, isReaped) = (false, false);
        try
        {
            ChildExit exit;
            ExceededLimit exceeded;
            try
            {
                await command.Ready(group, unlimited);
                child.Restart();
                disk = WatchDiskAsync(command, before, child, watch.Token);
                pipes.LetStart();
                hasBegun = true;
                exit = Plain(await child.Exited.WaitAsync(cancellation), started.IsContainer);
                exceeded = exit.Succeeded ? ExceededLimit.None : group?.Exceeded() ?? ExceededLimit.None;
                ended.UnionWith(group?.Kill() ?? []);
                if (command.Isolation == Isolation.Sandbox)
                    (exit, isReaped) = (Inside(exit, status, log, pumps), true);
                else if (command.Isolation == Isolation.Oci && exit.Code == OciRuntime.Failure)
                    RequireContainer(log, pumps);
            }
            catch (OperationCanceledException)
            {
                if (hasBegun)
                    await child.StopAsync(grace);
                throw;
            }

            await watch.CancelAsync();
            if (await disk || (exceeded == ExceededLimit.None && IsTooLarge(exit, command, before)))
                exceeded = ExceededLimit.Disk;
            return new EnclosedExit(exit, exceeded);
        }
        finally
        {
            await watch.CancelAsync();
            await child.DisposeAsync();
            ended.UnionWith(group?.Kill() ?? []);
            if (command.Isolation == Isolation.None)
                Orphans.End(command.Folder);
            else if (command.Isolation == Isolation.Sandbox && !isReaped)
                _ = FirstOf(status, child.Exited.Result.Wall);
            else if (command.Isolation == Isolation.Oci)
                await ChildProcess.RunAsync(new ChildCommand(OciRuntime.Removal(command), command.Folder, command.Environment), grace, CancellationToken.None);
            foreach (var id in ended.Where(id => id != child.Id))
                ChildProcess.ReapOrphan(id);
            foreach (var pump in pumps)
                pump.Join(LastOutput);
        }
    }

    /// <summary>What a command writes, its progress, and the line that lets it begin.</summary>
    private sealed class Pipes : IDisposable
    {
        public AnonymousPipeServerStream Output { get; } = new(PipeDirection.In, HandleInheritability.None);

        public AnonymousPipeServerStream Progress { get; } = new(PipeDirection.In, HandleInheritability.None);

        public AnonymousPipeServerStream Start { get; } = new(PipeDirection.Out, HandleInheritability.None);

        private IEnumerable<AnonymousPipeServerStream> All => [Output, Progress, Start];

        /// <summary>Ours of the command's ends, once it has them.</summary>
        public void CloseOtherEnds()
        {
            foreach (var pipe in All)
                pipe.DisposeLocalCopyOfClientHandle();
        }

        public void LetStart()
        {
            try
            {
                Start.WriteByte((byte)'\n');
            }
            catch (IOException)
            {
                // It has ended before it began, and its end says why.
            }
        }

        public void Dispose()
        {
            foreach (var pipe in All)
                pipe.Dispose();
        }
    }

    /// <summary>A container answers for a signal that ended its command with 128 and the signal's number, as shells do.</summary>
    private static ChildExit Plain(ChildExit exit, bool isContainer) =>
        isContainer && exit.Code is > FirstSignalCode and <= LastSignalCode and var code ? exit with { Code = null, Signal = code - FirstSignalCode } : exit;

    /// <summary>The sandbox's first process is reaped once all others in it are gone: what it used is what all of them used.</summary>
    private static ChildExit Inside(ChildExit outside, string statusFile, CommandLog log, IEnumerable<Thread> pumps)
    {
        var status = File.ReadAllText(statusFile);
        if (outside.Code is not null && !status.Contains("\"exit-code\"", StringComparison.Ordinal))
            throw NotMade(Last(log, pumps));

        return FirstOf(statusFile, outside.Wall) is { } all ? all with { Code = outside.Code, Signal = outside.Signal } : outside;
    }

    /// <summary>Waits for the sandbox's first process to be gone; null when it is already.</summary>
    private static ChildExit? FirstOf(string statusFile, TimeSpan wall) =>
        FirstProcess().Match(File.ReadAllText(statusFile)) is { Success: true } match ? ChildProcess.CollectOrphan(int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), wall) : null;

    [GeneratedRegex("\"child-pid\": *([0-9]{1,10})")]
    private static partial Regex FirstProcess();

    /// <summary>The last lines of a command of which nothing is alive.</summary>
    private static IReadOnlyList<string> Last(CommandLog log, IEnumerable<Thread> pumps)
    {
        foreach (var pump in pumps)
            pump.Join(LastOutput);
        log.Dispose();
        return LogTail.Of(log.Path);
    }

    private static void RequireContainer(CommandLog log, IEnumerable<Thread> pumps)
    {
        if (Last(log, pumps).LastOrDefault(OciRuntime.IsFailure) is { } said)
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-container", $"the container could not be made: {said}", Help: "leave --isolation out to use the sandbox, or run where control groups can be made"));
    }

    private static SlipwayException NotMade(IReadOnlyList<string> lines)
    {
        var said = lines.LastOrDefault(line => line.StartsWith(Bubblewrap.Program + ": ", StringComparison.Ordinal));
        if (said is null && lines.LastOrDefault(line => line.Contains(ControlGroup.MountPoint, StringComparison.Ordinal)) is { } refused)
            return new SlipwayException(ExitCode.NotThere, new Fault("no-limits", $"the command could not be put under its limits: {refused}", Help: $"run where this user's control groups are delegated to it: {ControlGroup.Delegated}"));
        said ??= lines is [.., var last] ? last : "it says nothing";
        var mayNotMakeSpaces = said.Contains("namespace", StringComparison.OrdinalIgnoreCase) || said.Contains("uid map", StringComparison.OrdinalIgnoreCase);
        return new SlipwayException(ExitCode.NotThere, new Fault(
            "no-sandbox",
            $"the sandbox could not be made: {said}",
            Help: mayNotMakeSpaces
                ? "this host lets you make no user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces); or say --isolation oci, or --isolation none"
                : Bubblewrap.Help));
    }

    /// <summary>The filter of system calls as an open file; made once for all commands of a run.</summary>
    private static SafeHandle FilterFile(string folder)
    {
        var path = Path.Combine(folder, ".filter");
        if (!File.Exists(path))
            AtomicFile.WriteLoosely(path, SystemCallFilter.Program());
        return File.OpenHandle(path);
    }

    private static SafeHandle NewFile(string path)
    {
        File.Delete(path);      // an attempt before this one's
        return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
    }

    /// <summary>A file's largest size; and where there is no group for all, what each process may have by itself.</summary>
    private static string OwnLimits(ResourceLimits limits, bool isGrouped) =>
        (limits.Disk is { } disk ? $"ulimit -f {Math.Max(1, disk.Bytes / FileBlock)}; " : "")
        + (isGrouped ? "" : $"ulimit -d {Math.Max(1, limits.Memory.Bytes / DataBlock)}; ");

    private static bool IsTooLarge(ChildExit exit, EnclosedCommand command, long before) =>
        command.Limits.Disk is { } disk && !exit.Succeeded && (exit.Signal == FileTooLarge || FolderSize.Of(command.Folder) - before > disk.Bytes - FileBlock);

    /// <returns>Whether the command was ended because its folders hold more than it may use.</returns>
    private static async Task<bool> WatchDiskAsync(EnclosedCommand command, long before, ChildProcess child, CancellationToken ended)
    {
        if (command.Limits.Disk is not { } limit)
            return false;
        using var timer = new PeriodicTimer(LookAtDiskEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                if (FolderSize.Of(command.Folder) - before <= limit.Bytes)
                    continue;
                child.Kill();
                return true;
            }
        }
        catch (OperationCanceledException)
        {
            // The command has ended.
        }

        return false;
    }

    private static Thread Pump(Stream from, string what, Action<ReadOnlyMemory<byte>> to)
    {
        var thread = new Thread(() =>
        {
            var buffer = new byte[64 << 10];
            try
            {
                for (int read; (read = from.Read(buffer)) > 0;)
                    to(buffer.AsMemory(0, read));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Something that got away still holds the other end; what it has to say is not waited for.
            }
        })
        { IsBackground = true, Name = $"stage {what}" };
        thread.Start();
        return thread;
    }
}
