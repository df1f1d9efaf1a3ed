using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Slipway.Primitives.Processes;

/// <summary>posix_spawn, wait4 and kill; Linux, glibc, 64-bit.</summary>
internal static unsafe partial class Spawn
{
    public const int Terminate = 15, KillSignal = 9;

    // Larger than glibc's 336, 80 and 128 bytes.
    private const int AttributesSize = 512, ActionsSize = 256, SignalSetSize = 256;
    private const short SetSignalDefaults = 0x04, SetSignalMask = 0x08, SetSession = 0x80;
    /// <summary>Bytes of the blocks that getrusage(2) counts.</summary>
    private const int AccountedBlock = 512;

    /// <summary>Our ends are moved to this descriptor or above before the child's are set, so that none of those writes over one of these.</summary>
    private const int AboveChildDescriptors = 64;

    private const int WriteAppend = 0x1 | 0x40 | 0x400, ReadOnly = 0;

    /// <summary>Ends the child with the thread that starts it; part of util-linux, which Debian always has.</summary>
    private const string DeathSignalTool = "/usr/bin/setpriv";

    private static readonly bool hasDeathSignalTool = File.Exists(DeathSignalTool);

    [StructLayout(LayoutKind.Sequential)]
    private struct Usage
    {
        public long UserSeconds, UserMicroseconds, SystemSeconds, SystemMicroseconds, PeakKibibytes;
        private fixed long unused[5];
        public long BlocksRead, BlocksWritten;
        private fixed long rest[6];
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(out int id, string path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(void* attributes, void* set);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(void* attributes, void* set);

    [LibraryImport("libc")]
    private static partial int sigemptyset(void* set);

    [LibraryImport("libc")]
    private static partial int sigaddset(void* set, int signal);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(void* actions, int fd, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclose(void* actions, int fd);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint argument, nuint unused1, nuint unused2, nuint unused3);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(void* actions, string path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int wait4(int id, out int status, int options, out Usage usage);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int kind, int id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int id, int signal);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long pidfd_open(long number, int id, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(ref PollEntry entry, ulong count, int milliseconds);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events, Happened;
    }

    /// <summary>Starts the program in a session of its own with default signal handling; call it on the thread that will wait.</summary>
    public static int Start(string program, ChildCommand command)
    {
        IReadOnlyList<string> arguments = [program, .. command.Arguments.Skip(1)];
        if (hasDeathSignalTool && !command.IsContainer)
            arguments = [DeathSignalTool, "--pdeathsig", "KILL", "--", .. arguments];

        var attributes = stackalloc byte[AttributesSize];
        var actions = stackalloc byte[ActionsSize];
        var signals = stackalloc byte[SignalSetSize];
        var argv = Strings(arguments);
        var envp = Strings([.. command.Environment.Select(variable => variable.Key + "=" + variable.Value)]);
        var moved = new List<int>();
        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        try
        {
            _ = sigemptyset(signals);
            Check(posix_spawnattr_setsigmask(attributes, signals), "setsigmask");
            // The framework ignores SIGPIPE, and an ignored signal stays ignored through exec.
            for (var signal = 1; signal < 32; signal++)
            {
                if (signal is not (9 or 19))
                    _ = sigaddset(signals, signal);
            }

            Check(posix_spawnattr_setsigdefault(attributes, signals), "setsigdefault");
            Check(posix_spawnattr_setflags(attributes, SetSession | SetSignalMask | SetSignalDefaults), "setflags");
            Check(posix_spawn_file_actions_addopen(actions, 0, command.Input ?? "/dev/null", ReadOnly, 0), "addopen");
            if (!command.Descriptors.ContainsKey(1))
                Check(posix_spawn_file_actions_addopen(actions, 1, command.Output ?? "/dev/null", WriteAppend, 0x1A4), "addopen");
            foreach (var (number, ours) in command.Descriptors)
            {
                moved.Add(Above(ours));
                Check(posix_spawn_file_actions_adddup2(actions, moved[^1], number), "adddup2");
            }

            if (!command.Descriptors.ContainsKey(2))
            {
                Check(
                    command.Errors == command.Output
                        ? posix_spawn_file_actions_adddup2(actions, 1, 2)
                        : posix_spawn_file_actions_addopen(actions, 2, command.Errors ?? "/dev/null", WriteAppend, 0x1A4),
                    "addopen");
            }

            // Libraries in this process open files that stay open through exec; a child gets none of them.
            var last = command.Descriptors.IsEmpty ? 2 : Math.Max(2, command.Descriptors.Keys.Last());
            for (var unused = 3; unused < last; unused++)
            {
                if (!command.Descriptors.ContainsKey(unused))
                    Check(posix_spawn_file_actions_addclose(actions, unused), "addclose");
            }

            Check(posix_spawn_file_actions_addclosefrom_np(actions, last + 1), "addclosefrom");
            Check(posix_spawn_file_actions_addchdir_np(actions, command.WorkingDirectory), "addchdir");
            Check(posix_spawn(out var id, arguments[0], actions, attributes, argv, envp), "posix_spawn");
            return id;
        }
        finally
        {
            foreach (var descriptor in moved)
                _ = close(descriptor);
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
            Free(argv);
            Free(envp);
        }
    }

    private static int Above(SafeHandle ours)
    {
        const int duplicateClosedOnExec = 1030;     // F_DUPFD_CLOEXEC
        var held = false;
        try
        {
            ours.DangerousAddRef(ref held);
            var moved = fcntl((int)ours.DangerousGetHandle(), duplicateClosedOnExec, AboveChildDescriptors);
            return moved >= 0 ? moved : throw new IOException($"fcntl: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            if (held)
                ours.DangerousRelease();
        }
    }

    /// <returns>True when the child has ended; it stays a zombie, so that its id is still its own.</returns>
    public static bool WaitWithoutReaping(int id, TimeSpan atMost)
    {
        const long openPidDescriptor = 434;
        const int byId = 1, exitedNoHangNoReap = 0x1000004 | 1, readable = 1;
        var descriptor = (int)pidfd_open(openPidDescriptor, id, 0);
        if (descriptor >= 0)
        {
            var entry = new PollEntry { Descriptor = descriptor, Events = readable };
            _ = poll(ref entry, 1, (int)atMost.TotalMilliseconds);
            _ = close(descriptor);
        }
        else
        {
            Thread.Sleep(1);    // no pidfd (an old kernel, or a seccomp filter): look every millisecond
        }

        var info = stackalloc byte[128];
        new Span<byte>(info, 128).Clear();
        return waitid(byId, id, info, exitedNoHangNoReap) != 0 || *(int*)info != 0;
    }

    /// <summary>Reaps an ended child.</summary>
    public static ChildExit Collect(int id, TimeSpan wall) =>
        TryCollect(id, wall) ?? throw new UnreachableException($"wait4({id}): error {Marshal.GetLastPInvokeError()}");

    /// <summary>Waits for a child to end and reaps it.</summary>
    /// <returns>Null when it is no child of this process.</returns>
    public static ChildExit? TryCollect(int id, TimeSpan wall)
    {
        int got, status;
        Usage usage;
        do
            got = wait4(id, out status, 0, out usage);
        while (got < 0 && Marshal.GetLastPInvokeError() == 4);
        if (got != id)
            return null;
        var signal = status & 0x7f;
        return new ChildExit(
            signal == 0 ? status >> 8 & 0xff : null,
            signal == 0 ? null : signal,
            wall,
            TimeSpan.FromSeconds(usage.UserSeconds) + TimeSpan.FromMicroseconds(usage.UserMicroseconds),
            TimeSpan.FromSeconds(usage.SystemSeconds) + TimeSpan.FromMicroseconds(usage.SystemMicroseconds),
            usage.PeakKibibytes * 1024,
            usage.BlocksRead * AccountedBlock,
            usage.BlocksWritten * AccountedBlock);
    }

    /// <summary>Reaps a child that has ended, without waiting for one that has not.</summary>
    public static void Reap(int id) => _ = wait4(id, out _, 1, out _);

    /// <summary>Whoever loses its parent below this process becomes its child (PR_SET_CHILD_SUBREAPER).</summary>
    public static void AdoptOrphans() => _ = prctl(36, 1, 0, 0, 0);

    public static void Send(int id, int signal) => _ = kill(id, signal);

    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static byte** Strings(IReadOnlyList<string> texts)
    {
        var list = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Count; i++)
            list[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        return list;
    }

    private static void Free(byte** list)
    {
        for (var each = list; *each != null; each++)
            Marshal.FreeCoTaskMem((nint)(*each));
        NativeMemory.Free(list);
    }
}
