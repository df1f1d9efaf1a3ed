using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Faults;

namespace Slipway.Primitives.Files;

/// <summary>The few system calls on files that the framework lacks; Linux, glibc.</summary>
internal static unsafe partial class Posix
{
    public const int NoSpace = 28, QuotaExceeded = 122, ReadOnlyFileSystem = 30, AccessDenied = 13, NotPermitted = 1, NoEntry = 2, NotAFolder = 20, WouldBlock = 11, CrossDevice = 18, NameTooLong = 36, TooManyLinks = 40;

    private const int AtFdCwd = -100, SymlinkNoFollow = 0x100, ReadOnlyDirectory = 0x10000 | 0x80000, BasicStats = 0x7ff, FileClone = 0x40049409;

    [StructLayout(LayoutKind.Sequential)]
    private struct Timestamp
    {
        public long Seconds;
        public uint Nanoseconds;
        private readonly int reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Statx
    {
        public uint Mask, BlockSize;
        public ulong Attributes;
        public uint Links, Uid, Gid;
        public ushort Mode, Spare;
        public ulong Inode, Size, Blocks, AttributesMask;
        public Timestamp Access, Birth, Change, Modify;
        public uint RdevMajor, RdevMinor, DevMajor, DevMinor;
        private fixed ulong spare[14];
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int fsync_folder(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open_file(string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    [LibraryImport("libc")]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint copy_file_range(SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nuint length, uint flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* realpath(string path, byte* resolved);

    [LibraryImport("libc")]
    private static partial int ioctl(int file, nuint request, int* flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle to, nuint request, SafeFileHandle from);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, Statx* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, Statx* result);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    /// <summary>Whom this process acts as.</summary>
    public static uint User => geteuid();

    /// <summary>Atomic within one file system; never copies.</summary>
    public static void Rename(string from, string to)
    {
        if (rename(from, to) != 0)
            throw Failure("rename", to, Marshal.GetLastPInvokeError());
    }

    public static void Flush(SafeFileHandle file, string path)
    {
        if (fsync(file) != 0)
            throw Failure("fsync", path, Marshal.GetLastPInvokeError());
    }

    public static void FlushFolder(string path) => OnFolder(path, "fsync", fsync_folder);

    public static void FlushFileSystem(string path) => OnFolder(path, "syncfs", syncfs);

    /// <summary>Opens a file for reading and writing, makes it when it is not there, and takes no lock.</summary>
    public static SafeFileHandle OpenForLock(string path)
    {
        const int readWrite = 0x2, create = 0x40, closeOnExec = 0x80000;
        const uint ownerWritesAllRead = 0x1A4;
        var fd = open_file(path, readWrite | create | closeOnExec, ownerWritesAllRead);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw Failure("open", path, Marshal.GetLastPInvokeError());
    }

    /// <param name="shared">Lets others hold it as well, as long as all of them share it.</param>
    /// <returns>False when another process holds the lock.</returns>
    public static bool TryLock(SafeFileHandle file, string path, bool shared)
    {
        const int together = 1, exclusive = 2, nonBlocking = 4;
        if (flock(file, (shared ? together : exclusive) | nonBlocking) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == WouldBlock ? false : throw Failure("flock", path, error);
    }

    /// <summary>Lets a lock go at once: closing alone leaves it to a child that was forked and has not yet come to its own program.</summary>
    public static void Unlock(SafeFileHandle file)
    {
        const int unlock = 8;
        _ = flock(file, unlock);
    }

    /// <summary>Gives a file a second name.</summary>
    /// <returns>False where that cannot be: another file system, too many names, a file of somebody else's.</returns>
    public static bool TryLink(string from, string to) => link(from, to) == 0;

    /// <summary>Has the disk begin with what was written, so that a flush at the end finds little left. A hint: says nothing of durability.</summary>
    public static void BeginWriteBack(SafeFileHandle file, long offset, long length)
    {
        const uint write = 2;
        _ = sync_file_range(file, offset, length, write);
    }

    /// <returns>Null where there is nothing, or it cannot be told.</returns>
    public static string? RealPath(string path)
    {
        const int longest = 4096;
        var buffer = stackalloc byte[longest];
        return realpath(path, buffer) is null ? null : Marshal.PtrToStringUTF8((nint)buffer);
    }

    /// <summary>Has ext4 put what is made in a folder's folders into parts of the disk far from each other (chattr(1), T). A hint.</summary>
    public static void Spread(string folder)
    {
        const nuint readFlags = 0x80086601, writeFlags = 0x40086602;
        const int topOfHierarchies = 0x20000;
        var file = open(folder, ReadOnlyDirectory);
        if (file < 0)
            return;
        var flags = 0;
        if (ioctl(file, readFlags, &flags) == 0 && (flags & topOfHierarchies) == 0)
        {
            flags |= topOfHierarchies;
            _ = ioctl(file, writeFlags, &flags);
        }

        _ = close(file);
    }

    /// <summary>Copies content in the kernel, from the beginning of one file to that of another.</summary>
    /// <param name="path">The other's.</param>
    /// <returns>False where that cannot be, and nothing was copied.</returns>
    public static bool TryCopy(SafeFileHandle from, SafeFileHandle to, string path)
    {
        const nuint most = 1 << 30;
        var isFirst = true;
        for (; ; isFirst = false)
        {
            var copied = copy_file_range(from, null, to, null, most, 0);
            if (copied == 0)
                return !isFirst;
            if (copied > 0)
                continue;
            var error = Marshal.GetLastPInvokeError();
            if (isFirst && error is not (NoSpace or QuotaExceeded))
                return false;
            throw Failure("copy_file_range", path, error);
        }
    }

    /// <returns>False where the file system cannot share blocks.</returns>
    public static bool TryClone(SafeFileHandle from, SafeFileHandle to) => ioctl(to, FileClone, from) == 0;

    /// <returns>Null when there is nothing at the path. A link is followed unless told otherwise.</returns>
    public static FileStamp? Stat(string path, bool followLinks)
    {
        Statx result;
        return Look(path, followLinks, &result) ? StampOf(result) : null;
    }

    /// <inheritdoc cref="FileStamp.Of(ReadOnlySpan{byte})"/>
    public static FileStamp? Stat(ReadOnlySpan<byte> path)
    {
        Statx result;
        fixed (byte* bytes = path)
        {
            if (statx(AtFdCwd, bytes, 0, BasicStats, &result) == 0)
                return StampOf(result);
        }

        var error = Marshal.GetLastPInvokeError();
        return IsNothing(error) ? null : throw Failure("statx", System.Text.Encoding.UTF8.GetString(path).TrimEnd('\0'), error);
    }

    private static FileStamp StampOf(in Statx result) => new(
        (FileKind)(result.Mode & 0xF000),
        (long)result.Size,
        Nanoseconds(result.Modify),
        Nanoseconds(result.Change),
        result.Inode,
        (ulong)result.DevMajor << 32 | result.DevMinor,
        (result.Mode & 0b001_000_000) != 0);

    /// <returns>Null when there is nothing at the path. A link is not followed.</returns>
    public static uint? OwnerOf(string path)
    {
        Statx result;
        return Look(path, followLinks: false, &result) ? result.Uid : null;
    }

    private static bool Look(string path, bool followLinks, Statx* result)
    {
        if (statx(AtFdCwd, path, followLinks ? 0 : SymlinkNoFollow, BasicStats, result) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        if (IsNothing(error))
            return false;
        throw error == AccessDenied
            ? new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"cannot look at {path}: {Marshal.GetPInvokeErrorMessage(error)}", Help: "let this user enter the folders that it is in"))
            : Failure("statx", path, error);
    }

    /// <summary>Whether a path that cannot be looked at for this leads nowhere: links that lead around in a circle, and names that no file can have, among it.</summary>
    private static bool IsNothing(int error) => error is NoEntry or NotAFolder or TooManyLinks or NameTooLong;

    /// <summary>A failed system call as what the user can do about it.</summary>
    public static Exception Failure(string call, string path, int error)
    {
        var text = Marshal.GetPInvokeErrorMessage(error);
        return error switch
        {
            NoSpace or QuotaExceeded => new SlipwayException(ExitCode.NotThere, new Fault("no-space", $"no space left while writing {path}", Help: "free some space on that disk and run again; nothing was left half written")),
            ReadOnlyFileSystem or AccessDenied or NotPermitted => new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"cannot write {path}: {text}", Help: "make the folder writable for this user, or use a copy of the project that is")),
            _ => new IOException($"{call} {path}: {text} ({error})"),
        };
    }

    private static long Nanoseconds(Timestamp t) => t.Seconds * 1_000_000_000 + t.Nanoseconds;

    private static void OnFolder(string path, string name, Func<int, int> call)
    {
        var fd = open(path, ReadOnlyDirectory);
        if (fd < 0)
            throw Failure("open", path, Marshal.GetLastPInvokeError());
        try
        {
            if (call(fd) != 0)
                throw Failure(name, path, Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = close(fd);
        }
    }
}
