using Microsoft.Win32.SafeHandles;

namespace Slipway.Primitives.Files;

/// <summary>A lock between processes on one never-deleted file, exclusive unless it is asked for together with others; the kernel drops it when the holder dies.</summary>
/// <remarks>Advisory (flock), local disks. The file must not be deleted by anyone: two processes would then hold two locks.</remarks>
public sealed class FolderLock : IDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    private readonly SafeFileHandle handle;

    private FolderLock(SafeFileHandle handle) => this.handle = handle;

    /// <param name="shared">Others may hold it too, as long as all of them share it.</param>
    /// <returns>Null when another process (or another lock of this one) holds it.</returns>
    public static FolderLock? TryTake(string path, bool shared = false)
    {
        AtomicFile.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        // Not through the framework: whatever its sharing mode, it takes a shared flock on opening and fails where ours waits.
        var handle = Posix.OpenForLock(path);
        if (Posix.TryLock(handle, path, shared))
            return new FolderLock(handle);
        handle.Dispose();
        return null;
    }

    /// <summary>Waits until the lock is free.</summary>
    /// <param name="waiting">Called once, when somebody else holds it.</param>
    /// <param name="shared">Others may hold it too, as long as all of them share it.</param>
    public static async Task<FolderLock> TakeAsync(string path, Action? waiting, CancellationToken cancellation, bool shared = false)
    {
        var told = false;
        while (true)
        {
            if (TryTake(path, shared) is { } taken)
                return taken;
            if (!told)
                waiting?.Invoke();
            told = true;
            await Task.Delay(Retry, cancellation);
        }
    }

    public void Dispose()
    {
        if (handle.IsClosed)
            return;
        Posix.Unlock(handle);
        handle.Dispose();
    }
}
