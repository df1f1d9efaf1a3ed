using System.Text;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.Sandbox;

/// <summary>What the sandboxed commands of a run see as <c>/etc</c>: of the host's what programs and libraries need, and who the command is. Thread-safe.</summary>
/// <remarks>What is small is copied once, into one folder for all of them: each mount costs each command some 0.1 ms.</remarks>
/// <param name="shared">Absolute path of a folder for what all commands of the run share; none of them may write there.</param>
/// <param name="own">Files of the commands' own, by name: who they are.</param>
/// <param name="host">Absolute path of the host's settings.</param>
public sealed class HostSettings(string shared, IReadOnlyList<(string Name, string Text)> own, string host = HostSettings.Seen)
{
    /// <summary>Where commands see them.</summary>
    private const string Seen = "/etc";

    /// <summary>Files, links and folders, and their bytes, up to which a folder is copied; others are mounted.</summary>
    private const int MostCopiedEntries = 64, MostCopiedBytes = 1 << 20;

    /// <summary>How programs and libraries are found and set up. Nothing of users, hosts or services.</summary>
    private static readonly string[] settings =
        ["alternatives", "fonts", "java*", "ld.so.cache", "mime.types", "python3*", "R", "ssl/certs", "ssl/openssl.cnf"];

    /// <summary>How names of other hosts are found; mounted, as a host that moves to another network has others.</summary>
    private static readonly string[] networkSettings = ["gai.conf", "hosts", "nsswitch.conf", "resolv.conf"];

    private readonly Lock making = new();
    private List<Mount>? plain, forNetwork;

    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    public IReadOnlyList<Mount> Mounts(bool network)
    {
        lock (making)
            return network ? forNetwork ??= Make(".etc-network", [.. Found(networkSettings)]) : plain ??= Make(".etc", []);
    }

    private List<Mount> Make(string name, IReadOnlyList<(string Path, string Source)> mounted)
    {
        var folder = Path.Combine(shared, name);
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);      // of an attempt that failed
            Directory.CreateDirectory(folder);
            var mounts = new List<Mount> { new(MountKind.ReadOnly, folder, Seen) };
            if (File.Exists("/usr/lib/os-release"))
                File.CreateSymbolicLink(Path.Combine(folder, "os-release"), "../usr/lib/os-release");
            foreach (var (file, text) in own)
                AtomicFile.WriteNew(Path.Combine(folder, file), Encoding.ASCII.GetBytes(text));
            foreach (var (path, source) in Found(settings).Concat(mounted))
            {
                var relative = Path.GetRelativePath(host, path);
                var target = Path.Combine(folder, relative);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                if (!mounted.Contains((path, source)) && TryCopy(source, target))
                    continue;
                if (Directory.Exists(source))
                    Directory.CreateDirectory(target);
                else
                    AtomicFile.WriteNew(target, []);
                mounts.Add(new Mount(MountKind.ReadOnly, source, Path.Combine(Seen, relative)));
            }

            return mounts;
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>What is there, and what is to be seen in its place: a link may lead to what is not seen inside, as resolv.conf's does.</summary>
    private IEnumerable<(string Path, string Source)> Found(IEnumerable<string> names)
    {
        foreach (var path in names.SelectMany(Matching))
        {
            // A link that leads nowhere is none.
            if (FileStamp.Of(path) is not null)
                yield return (path, new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path);
        }
    }

    private IEnumerable<string> Matching(string name) => name.EndsWith('*') ? Directory.EnumerateFileSystemEntries(host, name).Order(StringComparer.Ordinal) : [Path.Combine(host, name)];

    /// <returns>False for what is too large, or not for this user to read; nothing is left at <paramref name="target"/> then.</returns>
    private static bool TryCopy(string source, string target)
    {
        try
        {
            if (!Directory.Exists(source))
                Copy(source, target);
            else if (FolderSize.IsWithin(source, MostCopiedBytes, MostCopiedEntries))
                CopyTree(new DirectoryInfo(source), target);
            else
                return false;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(target))
                Directory.Delete(target, recursive: true);
            else
                File.Delete(target);
            return false;
        }
    }

    private static void Copy(string source, string target)
    {
        RequireOpen(source, FileKind.File, UnixFileMode.OtherRead);
        File.Copy(source, target);
    }

    /// <summary>A copy would be this user's, root's perhaps: what is somebody else's and not for all to read stays theirs, under a mount.</summary>
    private static void RequireOpen(string path, FileKind kind, UnixFileMode mode)
    {
        if (FileStamp.Of(path)?.Kind != kind || (!FileStamp.IsOwn(path) && !File.GetUnixFileMode(path).HasFlag(mode)))
            throw new UnauthorizedAccessException(path);
    }

    private static void CopyTree(DirectoryInfo source, string target)
    {
        RequireOpen(source.FullName, FileKind.Folder, UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(target);
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            var to = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } link)
                File.CreateSymbolicLink(to, link);
            else if (entry is DirectoryInfo folder)
                CopyTree(folder, to);
            else
                Copy(entry.FullName, to);
        }
    }
}
