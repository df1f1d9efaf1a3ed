using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Slipway.Runtime.Sandbox;

/// <summary>What of the host's own software a sandboxed command sees, read-only: programs and libraries, and of <c>/etc</c> what those need.</summary>
public static class HostSoftware
{
    /// <summary>Folders at the root that hold software; on most hosts all but the first and last are links into it.</summary>
    private static readonly string[] roots = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    /// <summary>Add-on software; no Debian package is there.</summary>
    private static readonly string[] addOns = ["/opt"];

    /// <summary>Below /etc: how programs and libraries are found and set up. Nothing of users, hosts or services.</summary>
    private static readonly string[] settings =
        ["alternatives", "fonts", "java*", "ld.so.cache", "mime.types", "python3*", "R", "ssl/certs", "ssl/openssl.cnf"];

    /// <summary>Below /etc: how names of other hosts are found.</summary>
    private static readonly string[] networkSettings = ["gai.conf", "hosts", "nsswitch.conf", "resolv.conf"];

    private static readonly ConcurrentDictionary<(bool IsPackaged, bool Network), ImmutableArray<Mount>> found = new();

    /// <summary>As found once: software that is installed while a run is under way is its next run's.</summary>
    /// <param name="isPackaged">Whether the command runs in a declared environment, which is Debian packages: nothing else is seen.</param>
    public static ImmutableArray<Mount> Mounts(bool isPackaged, bool network) => found.GetOrAdd((isPackaged, network), asked => [.. Find(asked.IsPackaged, asked.Network)]);

    private static IEnumerable<Mount> Find(bool isPackaged, bool network)
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
        if (File.Exists("/usr/lib/os-release"))
            yield return new Mount(MountKind.Link, "../usr/lib/os-release", "/etc/os-release");
        foreach (var name in network ? [.. settings, .. networkSettings] : settings)
        {
            foreach (var path in Matching(name))
                yield return new Mount(MountKind.ReadOnly, Resolved(path), path);
        }
    }

    private static IEnumerable<string> Matching(string name) =>
        name.EndsWith('*') ? Directory.EnumerateFileSystemEntries("/etc", name).Order(StringComparer.Ordinal)
        : Path.Exists("/etc/" + name) ? ["/etc/" + name]
        : [];

    /// <summary>A link may lead to what is not seen inside, as resolv.conf's does.</summary>
    private static string Resolved(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
}
