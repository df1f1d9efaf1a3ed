using System.IO.MemoryMappedFiles;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.ModelHosts;

/// <summary>
/// The note "this bundle's model is in my process", with the number of its runs under way. The kernel keeps the mapped page when the
/// process dies, whatever it dies of, so the next start can tell a death in the middle of a run from one beside it.
/// </summary>
/// <remarks>
/// The file: the number of runs (8 bytes, the machine's order), then <see cref="MarkText"/>. It is durable before the first run; the count
/// itself is not flushed, and means nothing after the machine went down. Thread-safe.
/// </remarks>
internal sealed unsafe class RunMark : IDisposable
{
    private static int counter;

    private readonly string path;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly long* running;

    private RunMark(string path)
    {
        this.path = path;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.ReadWrite);
        view = file.CreateViewAccessor(0, sizeof(long), MemoryMappedFileAccess.ReadWrite);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        running = (long*)start;
    }

    public static string FolderIn(string stateFolder) => Path.Combine(stateFolder, "runs");

    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    public static RunMark Set(string stateFolder, HostedModel model)
    {
        // The same bundle may be hosted anew while its last request still runs in the host before.
        var path = Path.Combine(FolderIn(stateFolder), $"{model.Bundle.Hex}.{Interlocked.Increment(ref counter)}");
        AtomicFile.Write(path, [.. new byte[sizeof(long)], .. MarkText.Of(model)]);
        return new RunMark(path);
    }

    /// <exception cref="ObjectDisposedException">The model has left the process.</exception>
    public void Enter()
    {
        // The page stays mapped until the last run has left, whatever its callers do.
        var added = false;
        view.SafeMemoryMappedViewHandle.DangerousAddRef(ref added);
        Interlocked.Increment(ref *running);
    }

    public void Leave()
    {
        Interlocked.Decrement(ref *running);
        view.SafeMemoryMappedViewHandle.DangerousRelease();
    }

    /// <summary>After the last run: the model leaves the process in good order.</summary>
    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
        File.Delete(path);
    }

    /// <returns>Null when the file is none of ours.</returns>
    internal static (long Running, string Text)? Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.Length < sizeof(long) ? null : (BitConverter.ToInt64(bytes), Encoding.UTF8.GetString(bytes.AsSpan(sizeof(long))));
    }
}
