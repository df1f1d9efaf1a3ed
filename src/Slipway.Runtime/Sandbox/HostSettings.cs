using System.Collections.Concurrent;
using System.Collections.Immutable;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.Sandbox;

/// <summary>What a sandboxed command sees as <c>/etc</c>: of the host's what programs and libraries need, and who the command is.</summary>
/// <remarks>What is small is copied into one folder for all commands of a run: a mount costs each of them some 0.3 ms.</remarks>
public static class HostSettings
{
    /// <summary>Files, links and folders, and their bytes, below which a folder is copied; others are mounted.</summary>
    private const int MostCopiedEntries = 64, MostCopiedBytes = 1 << 20;

    /// <summary>How programs and libraries are found and set up. Nothing of users, hosts or services.</summary>
    private static readonly string[] settings =
        ["alternatives", "fonts", "java*", "ld.so.cache", "mime.types", "python3*", "R", "ssl/certs", "ssl/openssl.cnf"];

    /// <summary>How names of other hosts are found.</summary>
    private static readonly string[] networkSettings = ["gai.conf", "hosts", "nsswitch.conf", "resolv.conf"];

    private static readonly ConcurrentDictionary<(string Folder, bool Network), Lazy<ImmutableArray<Mount>>> made = new();

    /// <summary>As found once in a run: settings that change while it is under way are its next run's.</summary>
    /// <param name="shared">Absolute path of a folder for all commands of one run, which none of them may write.</param>
    /// <param name="own">Files of the command's own, by name: who it is.</param>
    public static ImmutableArray<Mount> Mounts(string shared, bool network, IReadOnlyList<(string Name, string Text)> own) =>
        made.GetOrAdd((shared, network), _ => new Lazy<ImmutableArray<Mount>>(() => [.. Make(Path.Combine(shared, network ? ".etc-network" : ".etc"), network, own)])).Value;

    private static List<Mount> Make(string folder, bool network, IReadOnlyList<(string Name, string Text)> own)
    {
        AtomicFile.CreateFolder(folder);
        var mounts = new List<Mount> { new(MountKind.ReadOnly, folder, "/etc") };
        if (File.Exists("/usr/lib/os-release"))
            File.CreateSymbolicLink(Path.Combine(folder, "os-release"), "../usr/lib/os-release");
        foreach (var (name, text) in own)
            AtomicFile.WriteNew(Path.Combine(folder, name), System.Text.Encoding.ASCII.GetBytes(text));
        foreach (var path in (network ? [.. settings, .. networkSettings] : settings).SelectMany(Matching))
        {
            var (source, target) = (Resolved(path), Path.Combine(folder, Path.GetRelativePath("/etc", path)));
            AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
            if (Copied(source, target))
                continue;
            if (Directory.Exists(source))
                AtomicFile.CreateFolder(target);
            else
                AtomicFile.WriteNew(target, []);
            mounts.Add(new Mount(MountKind.ReadOnly, source, path));
        }

        return mounts;
    }

    private static IEnumerable<string> Matching(string name) =>
        name.EndsWith('*') ? Directory.EnumerateFileSystemEntries("/etc", name).Order(StringComparer.Ordinal)
        : Path.Exists("/etc/" + name) ? ["/etc/" + name]
        : [];

    /// <summary>A link may lead to what is not seen inside, as resolv.conf's does.</summary>
    private static string Resolved(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    /// <returns>False for what is too large, or not for this user to read; nothing is left at <paramref name="target"/> then.</returns>
    private static bool Copied(string source, string target)
    {
        try
        {
            if (!Directory.Exists(source))
            {
                File.Copy(source, target);
                return true;
            }

            if (!FolderSize.IsWithin(source, MostCopiedBytes, MostCopiedEntries))
                return false;
            CopyTree(new DirectoryInfo(source), target);
            return true;
        }
        catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException && AtomicFile.Explain(e, target) is null))
        {
            Remove(target);
            return false;
        }
        catch (Exception e) when (AtomicFile.Explain(e, target) is { } explained)
        {
            throw explained;
        }
    }

    private static void CopyTree(DirectoryInfo source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            var to = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } link)
                File.CreateSymbolicLink(to, link);
            else if (entry is DirectoryInfo folder)
                CopyTree(folder, to);
            else
                File.Copy(entry.FullName, to);
        }
    }

    private static void Remove(string target)
    {
        if (Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        else
            File.Delete(target);
    }
}
