using System.Diagnostics;
using System.Text;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Processes of stages whose run was killed: the kernel ends a stage's command with its run, but not what that one started.</summary>
internal static class Orphans
{
    /// <summary>Ends every process whose <c>$SLIPWAY_STAGE</c> lies in the folder; call it only while no run can be alive.</summary>
    public static void End(string workFolder)
    {
        if (!Directory.EnumerateFileSystemEntries(workFolder).Any())
            return;
        var mark = Encoding.UTF8.GetBytes($"\0SLIPWAY_STAGE={workFolder}/");
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
                continue;
            try
            {
                byte[] environment = [0, .. File.ReadAllBytes(Path.Combine(folder, "environ"))];
                if (environment.AsSpan().IndexOf(mark) >= 0)
                    Process.GetProcessById(id).Kill();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It ended meanwhile, or is somebody else's.
            }
        }
    }
}
