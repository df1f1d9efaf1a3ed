using Slipway.Primitives.Files;

namespace Slipway.Server.Api;

/// <summary>Who else may change what a path leads to: the file itself, by any folder above it, or by a link on the way.</summary>
internal static class SharedPath
{
    private const UnixFileMode ByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Links on one way; the system follows as many.</summary>
    private const int MostLinks = 40;

    /// <summary>Goes the way that the system goes: part by part, each link where it stands, and up from where that led.</summary>
    /// <param name="path">Absolute; what it leads to is there.</param>
    /// <param name="real">Where it leads, without links: what was looked at is what is run.</param>
    /// <returns>The file or folder nearest to the root that others than this process's user and root may change; null for none.</returns>
    public static string? FirstChangeable(string path, out string real)
    {
        real = "/";
        var (left, links) = (new Stack<string>(Parts(path)), 0);
        while (left.TryPop(out var part))
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }

            var next = Path.Join(real, part);
            if (!FileStamp.IsOwnOrRoots(next))
                return next;
            if (new FileInfo(next).LinkTarget is { } target)
            {
                // Who may change a link is who may change its folder, which was looked at; what it leads to is looked at as any path.
                if (++links > MostLinks)
                    return next;
                real = Path.IsPathRooted(target) ? "/" : real;
                foreach (var further in Parts(target))
                    left.Push(further);
                continue;
            }

            // In a folder such as /tmp, whose sticky bit is set, only who owns a thing may replace it.
            if (File.GetUnixFileMode(next) is var mode && (mode & ByOthers) != 0 && !(Directory.Exists(next) && mode.HasFlag(UnixFileMode.StickyBit)))
                return next;
            real = next;
        }

        return null;
    }

    /// <summary>The last first.</summary>
    private static IEnumerable<string> Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").Reverse();
}
