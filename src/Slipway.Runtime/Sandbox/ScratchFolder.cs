using Slipway.Primitives.Files;

namespace Slipway.Runtime.Sandbox;

/// <summary>A private folder for as long as this process uses it, under the system's folder for temporary files.</summary>
/// <remarks>
/// A lock on a file in it says that its owner lives. What a killed process left has nobody's lock, and <see cref="Sweep"/> takes it away.
/// </remarks>
public sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "slipway-run-";

    /// <summary>A folder this young may be one whose lock is about to be taken.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromMinutes(1);

    private readonly FolderLock held;

    private ScratchFolder(string path, FolderLock held) => (Path, this.held) = (path, held);

    /// <summary>Nobody but this user may read it.</summary>
    public string Path { get; }

    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    public static ScratchFolder Make()
    {
        var path = Directory.CreateTempSubdirectory(Prefix).FullName;       // mode 0700
        return FolderLock.TryTake(LockIn(path)) is { } held ? new(path, held) : throw new IOException($"{path} was taken away while it was made");
    }

    /// <summary>Removes this user's folders whose owners are dead. Follows no link, and leaves what it cannot remove.</summary>
    /// <param name="log">Told how many were removed, when any were.</param>
    public static void Sweep(TimeProvider time, Action<string> log)
    {
        var (removed, temporary) = (0, System.IO.Path.GetTempPath());
        if (!Directory.Exists(temporary))
            return;
        foreach (var path in Directory.GetDirectories(temporary, Prefix + "*"))
        {
            try
            {
                if (IsOldAndOurs(path, time) && RemoveDead(path))
                    removed++;
            }
            catch (Exception e) when (AtomicFile.Explain(e, path) is not null || e is IOException or UnauthorizedAccessException)
            {
                // Another start sweeps too, or a file in it is not ours; the system's own cleaning of temporary files gets it.
            }
        }

        if (removed > 0)
            log($"removed {removed} temporary {(removed == 1 ? "folder" : "folders")} of processes that were killed");
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something of a process's is still being written; a later sweep gets it.
        }

        held.Dispose();
    }

    private static bool IsOldAndOurs(string path, TimeProvider time) =>
        FileStamp.Of(path, followLinks: false) is { Kind: FileKind.Folder } stamp
        && FileStamp.IsOwn(path)
        && time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(stamp.Modified / TimeSpan.NanosecondsPerTick) > Young;

    private static bool RemoveDead(string path)
    {
        using var dead = FolderLock.TryTake(LockIn(path));
        if (dead is not null)
            Directory.Delete(path, recursive: true);
        return dead is not null;
    }

    private static string LockIn(string path) => System.IO.Path.Combine(path, "lock");
}
