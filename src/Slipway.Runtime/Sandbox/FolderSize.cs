using System.Diagnostics;
using System.Globalization;
using System.IO.Enumeration;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.Sandbox;

/// <summary>What a folder holds, while somebody is writing in it.</summary>
public static class FolderSize
{
    /// <summary>What the framework shows instead of bytes that are no UTF-8: such a name leads nowhere.</summary>
    private const char Unnamed = '\uFFFD';

    private static readonly EnumerationOptions everything = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    private static readonly EnumerationOptions withLinks = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = 0 };

    /// <returns>Bytes of all files; links are not followed. What hides behind paths too long to be looked at, or in folders that this user may not look into, counts as more than all.</returns>
    public static long Of(string folder)
    {
        try
        {
            var sum = 0L;
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", everything))
            {
                if (IsUnnamed(entry))
                    return Counted(folder);
                sum += entry is FileInfo file ? LengthOf(file) : 0;
            }

            return sum;
        }
        catch (Exception e) when (e is PathTooLongException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
        catch (IOException)
        {
            return 0;       // taken away meanwhile; the next look counts
        }
    }

    /// <summary>Whether a folder that nobody writes in any more holds no more than that; looks no further than it has to.</summary>
    /// <param name="entries">Most files, folders and links, which are not followed.</param>
    public static bool IsWithin(string folder, long bytes, int entries)
    {
        try
        {
            var all = new FileSystemEnumerable<FileSystemInfo>(folder, static (ref FileSystemEntry entry) => entry.ToFileSystemInfo(), withLinks) { ShouldRecursePredicate = static (ref FileSystemEntry entry) => !IsLink(entry.Attributes) };
            foreach (var entry in all)
            {
                bytes -= entry is FileInfo file && !IsLink(file.Attributes) ? LengthOf(file) : 0;
                if (--entries < 0 || bytes < 0 || IsUnnamed(entry))
                    return false;
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsLink(FileAttributes attributes) => attributes.HasFlag(FileAttributes.ReparsePoint);

    private static bool IsUnnamed(FileSystemInfo entry) => entry.Name.Contains(Unnamed) && FileStamp.Of(entry.FullName, followLinks: false) is null;

    /// <summary>As du(1) counts, which knows names as bytes.</summary>
    private static long Counted(string folder)
    {
        using var du = Process.Start(new ProcessStartInfo("/usr/bin/du", ["-s", "--apparent-size", "-B1", "--", folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        du.ErrorDataReceived += (_, _) => { };
        du.BeginErrorReadLine();        // of what was taken away meanwhile
        var said = du.StandardOutput.ReadToEnd();
        du.WaitForExit();
        return long.TryParse(said.Split('\t')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : long.MaxValue;
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
