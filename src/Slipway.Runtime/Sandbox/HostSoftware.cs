using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Slipway.Runtime.Sandbox;

/// <summary>What of the host's own programs and libraries a sandboxed command sees, read-only.</summary>
public static class HostSoftware
{
    /// <summary>Folders at the root that hold software; on most hosts all but the first and last are links into it.</summary>
    private static readonly string[] roots = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    /// <summary>Add-on software; no Debian package is there.</summary>
    private static readonly string[] addOns = ["/opt"];

    private static readonly ConcurrentDictionary<bool, ImmutableArray<Mount>> found = new();

    /// <summary>As found once: software that is installed while a run is under way is its next run's.</summary>
    /// <param name="isPackaged">Whether the command runs in a declared environment, which is Debian packages: nothing else is seen.</param>
    public static ImmutableArray<Mount> Mounts(bool isPackaged) => found.GetOrAdd(isPackaged, asked => [.. Find(asked)]);

    private static IEnumerable<Mount> Find(bool isPackaged)
    {
        foreach (var root in isPackaged ? roots : [.. roots, .. addOns])
        {
            var folder = new DirectoryInfo(root);
            if (folder.LinkTarget is { } target)
                yield return new Mount(MountKind.Link, target, root);
            else if (folder.Exists)
                yield return new Mount(MountKind.ReadOnly, root, root);
        }

        if (isPackaged && Directory.Exists("/usr/local"))
            yield return new Mount(MountKind.Empty, "", "/usr/local");
    }
}
