using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Faults;

namespace Slipway.Primitives.Files;

/// <summary>Writes that either happened whole or not at all: temporary name beside the target, fsync, rename, fsync of the folder.</summary>
public static class AtomicFile
{
    /// <summary>What temporary names begin with; a crash may leave some behind, and nobody ever reads them.</summary>
    public const string TemporaryPrefix = ".tmp-slipway-";

    // A container's first process has the same id at every start: the moment of the start tells a dead namesake's files apart.
    private static readonly string session = $"{Environment.ProcessId}-{Stopwatch.GetTimestamp():x}";
    private static int counter;

    /// <summary>A path beside <paramref name="target"/> that no other thread or living process uses.</summary>
    public static string TemporaryBeside(string target) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(target))!, $"{TemporaryPrefix}{session}-{Interlocked.Increment(ref counter)}");

    /// <summary>Deletes the temporary files and folders in <paramref name="folder"/> whose process is dead; those of the living stay.</summary>
    /// <remarks>Best effort: what cannot be deleted now is never read, and is tried again next time.</remarks>
    public static void RemoveLeftovers(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var leftover in new DirectoryInfo(folder).EnumerateFileSystemInfos(TemporaryPrefix + "*").Where(entry => IsLeftover(entry.Name)))
        {
            try
            {
                if (leftover is DirectoryInfo { LinkTarget: null } tree)
                    tree.Delete(recursive: true);
                else
                    leftover.Delete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Never read; the next call tries again.
            }
        }
    }

    private static bool IsLeftover(string name)
    {
        var parts = name[TemporaryPrefix.Length..].Split('-');
        return parts.Length == 3
            && int.TryParse(parts[0], out var id)
            && (id == Environment.ProcessId ? !name.StartsWith($"{TemporaryPrefix}{session}-", StringComparison.Ordinal) : !Directory.Exists($"/proc/{id}"));
    }

    /// <summary>Replaces or makes the file at <paramref name="path"/>; makes missing folders.</summary>
    /// <param name="mode">Permission bits of the new file, whatever the umask.</param>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead)
    {
        var temporary = TemporaryBeside(path);
        try
        {
            CreateFolder(Path.GetDirectoryName(temporary)!);
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, content, 0);
                File.SetUnixFileMode(file, mode);
                Posix.Flush(file, path);
            }

            Publish(temporary, path);
        }
        catch (Exception e)
        {
            Discard(temporary);
            if (Explain(e, path) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>As <see cref="Write"/>, for what its owner alone may read: the file is private before its first byte is written.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void WriteSecret(string path, ReadOnlySpan<byte> content)
    {
        var temporary = TemporaryBeside(path);
        try
        {
            CreateFolder(Path.GetDirectoryName(temporary)!);
            using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, BufferSize = 0 }))
            {
                file.Write(content);
                Posix.Flush(file.SafeFileHandle, path);
            }

            Publish(temporary, path);
        }
        catch (Exception e)
        {
            Discard(temporary);
            if (Explain(e, path) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>Whole or not at all to every reader, but not durable: a crash of the host may leave nothing, or nonsense. For what is only a help.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void WriteLoosely(string path, ReadOnlySpan<byte> content)
    {
        var temporary = TemporaryBeside(path);
        try
        {
            CreateFolder(Path.GetDirectoryName(temporary)!);
            WriteNew(temporary, content);
            Rename(temporary, path);
        }
        catch
        {
            Discard(temporary);
            throw;
        }
    }

    /// <summary>Makes a file, whose folder is there and which is not, for now: neither whole to every reader nor durable.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void WriteNew(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, content, 0);
        }
        catch (Exception e) when (Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Adds a line to the end of a file and makes it durable; a line that a crash cut off before stays apart.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void AppendLine(string path, ReadOnlySpan<byte> line)
    {
        try
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            var isNew = file.Length == 0;
            file.Seek(isNew ? 0 : -1, SeekOrigin.End);
            var isCut = !isNew && file.ReadByte() != '\n';
            file.Write([.. isCut ? "\n"u8 : [], .. line, (byte)'\n']);
            Posix.Flush(file.SafeFileHandle, path);
            if (isNew)
                FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Renames a finished temporary file or folder onto its name, and makes the name durable.</summary>
    /// <remarks>The content must already be flushed (<see cref="Flush"/> or <see cref="FlushFileSystem"/>).</remarks>
    public static void Publish(string temporary, string path)
    {
        Posix.Rename(temporary, path);
        Posix.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Renames without flushing the folder: for a batch that ends in one <see cref="FlushFileSystem"/>.</summary>
    public static void Rename(string from, string to) => Posix.Rename(from, to);

    /// <summary>Makes one file's content durable.</summary>
    public static void Flush(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read);
        Posix.Flush(file, path);
    }

    /// <summary>Makes everything on the file system that holds <paramref name="folder"/> durable: one call per batch.</summary>
    public static void FlushFileSystem(string folder) => Posix.FlushFileSystem(folder);

    /// <summary>Copies content, sharing blocks where the file system can; <paramref name="to"/> must not exist.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static void Copy(string from, string to)
    {
        try
        {
            using var source = File.OpenHandle(from, FileMode.Open, FileAccess.Read);
            using (var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write))
            {
                // Not through a file that is cut to nothing first: ext4 writes such a one to the disk at once.
                if (Posix.TryClone(source, target) || Posix.TryCopy(source, target, to))
                    return;
            }

            File.Copy(from, to, overwrite: true);
        }
        catch (Exception e) when (Explain(e, to) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Gives immutable content a second name without a second copy: shared blocks where the file system can, else a hard link.</summary>
    /// <param name="to">Must not exist.</param>
    /// <returns>False where neither can be, such as across file systems.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static bool TryShare(string from, string to)
    {
        try
        {
            using (var source = File.OpenHandle(from, FileMode.Open, FileAccess.Read))
            using (var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write))
            {
                if (Posix.TryClone(source, target))
                    return true;
            }

            File.Delete(to);
            return Posix.TryLink(from, to);
        }
        catch (Exception e) when (Explain(e, to) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Has the disk begin with a range that was written; a hint, for a file that is flushed when it is complete.</summary>
    /// <param name="offset">Bytes from the file's beginning.</param>
    /// <param name="length">Bytes.</param>
    public static void BeginWriteBack(SafeFileHandle file, long offset, long length) => Posix.BeginWriteBack(file, offset, length);

    /// <summary>Makes a file's content durable through the handle that wrote it.</summary>
    public static void Flush(SafeFileHandle file, string path) => Posix.Flush(file, path);

    /// <summary>Makes the names in a folder durable.</summary>
    public static void FlushFolder(string folder) => Posix.FlushFolder(folder);

    /// <summary>Makes a folder and its parents; one that is there already is fine.</summary>
    /// <exception cref="SlipwayException">No space, no permission (exit 3); a file or a dangling link stands in the way (exit 2).</exception>
    public static void CreateFolder(string path) => CreateFolder(path, null);

    /// <summary>As <see cref="CreateFolder(string)"/>, for its owner alone. One that is there keeps the mode that somebody gave it.</summary>
    public static void CreatePrivateFolder(string path) => CreateFolder(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static void CreateFolder(string path, UnixFileMode? mode)
    {
        try
        {
            if (mode is { } only)
                Directory.CreateDirectory(path, only);
            else
                Directory.CreateDirectory(path);
        }
        catch (Exception e) when (Explain(e, path) is { } explained)
        {
            throw explained;
        }
        catch (IOException e) when (InTheWay(path) is { } other)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("not-a-folder", $"{other} stands where a folder is due, and is none", other, Help: "move it away, or let the link lead to a folder that is there"), e);
        }
        catch (IOException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-folder", $"cannot make the folder {path}: {e.Message}", path, Help: "name a folder on a disk that files can be made on"), e);
        }
    }

    /// <summary>Makes a folder whose own folders are each put into a part of the disk of its own, where the file system can do that: for what is made and deleted at once, folder by folder.</summary>
    /// <remarks>ext4 gives out no inode that was freed in the last minutes, and looks at each of them that is near whenever it makes a file there.</remarks>
    /// <param name="isPrivate">For its owner alone, whoever made it before.</param>
    public static void CreateSpreadFolder(string path, bool isPrivate = false)
    {
        CreateFolder(path);
        if (isPrivate)
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Posix.Spread(path);
    }

    /// <summary>The one of a path's folders that something else stands in for; null where there is none.</summary>
    private static string? InTheWay(string path)
    {
        for (var at = Path.GetFullPath(path); at is not null; at = Path.GetDirectoryName(at))
        {
            if (FileStamp.Of(at, followLinks: false) is not null)
                return Directory.Exists(at) ? null : at;
        }

        return null;
    }

    /// <summary>The framework's exception for a full disk or a missing permission as a fault with exit 3; null for any other.</summary>
    public static SlipwayException? Explain(Exception e, string path) => e switch
    {
        SlipwayException => null,
        UnauthorizedAccessException => Posix.Failure("write", path, Posix.AccessDenied) as SlipwayException,
        IOException { HResult: Posix.NoSpace or Posix.QuotaExceeded or Posix.ReadOnlyFileSystem } io => Posix.Failure("write", path, io.HResult) as SlipwayException,
        _ => null,
    };

    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first failure is the one to tell; a temporary name left behind is never read.
        }
    }
}
