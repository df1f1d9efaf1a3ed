using Slipway.Primitives.Files;

namespace Slipway.Server.Api;

/// <summary>Who else may change what a path leads to: the file itself, by any folder above it, or by a link on the way.</summary>
internal static class SharedPath
{
    private const UnixFileMode ByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Links on one way; the system follows as many.</summary>
    private const int MostLinks = 40;

    /// <returns>The file or folder nearest to the root that others than this process's user and root may change; null for none.</returns>
    public static string? FirstChangeable(string path) => FirstChangeable(Path.GetFullPath(path), MostLinks);

    private static string? FirstChangeable(string path, int links)
    {
        foreach (var part in Parts(path))
        {
            if (!FileStamp.IsOwnOrRoots(part))
                return part;
            if (File.ResolveLinkTarget(part, returnFinalTarget: false) is { } target)
            {
                // Who may change a link is who may change its folder, which was looked at; what it leads to is another path.
                if (links == 0)
                    return part;
                if (FirstChangeable(Path.GetFullPath(target.FullName), links - 1) is { } found)
                    return found;
            }
            else if (File.GetUnixFileMode(part) is var mode && (mode & ByOthers) != 0 && !(Directory.Exists(part) && mode.HasFlag(UnixFileMode.StickyBit)))
            {
                // In a folder such as /tmp, whose sticky bit is set, only who owns a thing may replace it.
                return part;
            }
        }

        return null;
    }

    /// <summary>From the root on.</summary>
    private static IEnumerable<string> Parts(string path) => (Path.GetDirectoryName(path) is { } above ? Parts(above) : []).Append(path);
}
