using System.Diagnostics;
using System.Text;

namespace Slipway.Runtime.Sandbox;

/// <summary>Processes of commands whose private folder outlived them: the kernel ends a command with its run, but not always what that one started.</summary>
public static class Orphans
{
    /// <summary>Ends what is left of a run's commands, by their control groups.</summary>
    /// <param name="run">The run's folder, absolute: a copy of it elsewhere has no part in them.</param>
    public static void EndGroups(string run)
    {
        using var left = ControlGroup.Left(Enclosure.GroupsOf(run), ControlGroup.MountPoint);
        left.Kill();
    }

    /// <summary>Ends every process that belongs to a private folder at or below <paramref name="folder"/>; call it only while none of them should be alive.</summary>
    public static void End(string folder)
    {
        // Its private folder stands in a command's variables, and in the command line of what encloses it.
        var (variable, argument) = (Encoding.UTF8.GetBytes($"\0SLIPWAY_STAGE={folder}/"), Encoding.UTF8.GetBytes($"\0{folder}/"));
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), out var id) || id == Environment.ProcessId)
                continue;
            try
            {
                if (Holds(Path.Combine(process, "environ"), variable) || (Holds(Path.Combine(process, "cmdline"), "\0--die-with-parent\0"u8) && Holds(Path.Combine(process, "cmdline"), argument)))
                    Process.GetProcessById(id).Kill();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It ended meanwhile, or is somebody else's.
            }
        }
    }

    private static bool Holds(string file, ReadOnlySpan<byte> mark)
    {
        byte[] bytes = [0, .. File.ReadAllBytes(file)];
        return bytes.AsSpan().IndexOf(mark) >= 0;
    }
}
