using System.Text;

namespace Slipway.Runtime.Sandbox;

/// <summary>The end of a log, as a message shows it.</summary>
public static class LogTail
{
    private const int Lines = 15;

    /// <summary>Bytes from the log's end that are looked at; longer lines are cut at their beginning.</summary>
    private const int Window = 64 << 10;

    private static readonly string[] missing = ["No such file or directory", "ModuleNotFoundError", "cannot open", "not found", "No files found", "does not exist", "file system operations are disabled"];

    /// <summary>How a line of Slipway's own begins that stands between two attempts.</summary>
    public const string Repeated = "slipway: attempt";

    private static readonly string[] noMemory = ["MemoryError", "Cannot allocate memory", "bad_alloc", "out of memory", "Out of memory", "OutOfMemory"];

    private static readonly string[] unreachable = ["name resolution", "Name or service not known", "Could not resolve host", "Network is unreachable", "getaddrinfo"];

    /// <returns>The last lines of the last attempt, without control characters, which could rewrite the terminal; empty when there are none.</returns>
    public static IReadOnlyList<string> Of(string log)
    {
        if (!File.Exists(log))
            return [];
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(-Math.Min(Window, stream.Length), SeekOrigin.End);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // A progress bar rewrites its line with carriage returns: only the last state counts.
        return [.. reader.ReadToEnd().TrimEnd().Split('\n').Select(line => Plain(line.TrimEnd('\r').Split('\r')[^1])).Where(line => line.Length > 0).Reverse().TakeWhile(line => !line.StartsWith(Repeated, StringComparison.Ordinal)).Take(Lines).Reverse()];
    }

    /// <summary>As a sentence's end: <c>it wrote: …</c>.</summary>
    public static string InWords(string log) => Of(log) is { Count: > 0 } lines ? "it wrote:\n    " + string.Join("\n    ", lines) : "it wrote nothing";

    /// <summary>Whether a line of it tells of a file that was looked for and is not there.</summary>
    public static bool MissesFile(string line) => missing.Any(line.Contains);

    /// <summary>Whether a line of it tells of another host that was not reached.</summary>
    public static bool MissesNetwork(string line) => unreachable.Any(line.Contains);

    /// <summary>Whether a line of it tells of memory that was not to be had.</summary>
    public static bool MissesMemory(string line) => noMemory.Any(line.Contains);

    /// <summary>Whether a line of it tells of a place that may not be written to.</summary>
    public static bool MayNotWrite(string line) => line.Contains("Read-only file system", StringComparison.Ordinal);

    private static string Plain(string line) => string.Concat(line.Where(c => c == '\t' || !char.IsControl(c)));
}
