using System.Globalization;

namespace Slipway.Primitives.Files;

/// <summary>The values are those of <c>st_mode</c>'s type bits.</summary>
public enum FileKind
{
    Pipe = 0x1000,
    CharacterDevice = 0x2000,
    Folder = 0x4000,
    BlockDevice = 0x6000,
    File = 0x8000,
    Link = 0xA000,
    Socket = 0xC000,
}

/// <summary>What a stat says of a file; two equal stamps, both older than the look at them, mean unchanged content.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">mtime, nanoseconds since 1970.</param>
/// <param name="Changed">ctime, nanoseconds since 1970; users cannot set it.</param>
/// <param name="Executable">The owner's execute bit.</param>
public readonly record struct FileStamp(FileKind Kind, long Size, long Modified, long Changed, ulong Inode, ulong Device, bool Executable)
{
    /// <summary>A file system's clock may tick this slowly, in nanoseconds: a stamp younger than this at the time of the look proves nothing.</summary>
    public const long Granularity = 20_000_000;

    /// <summary>All of it in one word, to be kept and compared.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{(int)Kind:x}:{Size:x}:{Modified:x}:{Changed:x}:{Inode:x}:{Device:x}:{(Executable ? 1 : 0)}");

    /// <returns>Null when there is nothing at the path.</returns>
    /// <exception cref="IOException">The path could not be looked at.</exception>
    public static FileStamp? Of(string path, bool followLinks = true) => Posix.Stat(path, followLinks);

    /// <summary>As <see cref="Of(string, bool)"/>, links followed, for who has many paths as bytes: no text is made of them.</summary>
    /// <param name="path">In the file system's own bytes, a zero behind them.</param>
    public static FileStamp? Of(ReadOnlySpan<byte> path) => Posix.Stat(path);

    /// <summary>Whether this process's user owns what is at the path itself: a link is not followed.</summary>
    public static bool IsOwn(string path) => Posix.OwnerOf(path) is { } owner && owner == Posix.User;

    /// <summary>As <see cref="IsOwn"/>, or the administrator's, who may change everything anyway.</summary>
    public static bool IsOwnOrRoots(string path) => Posix.OwnerOf(path) is { } owner && (owner == Posix.User || owner == 0);

    /// <returns>Whether a path, every link on it followed, leads to a folder or to something in it; false where either is not there.</returns>
    public static bool IsWithin(string path, string folder) =>
        Posix.RealPath(path) is { } real && Posix.RealPath(folder) is { } whole && (real == whole || real.StartsWith(whole.TrimEnd('/') + "/", StringComparison.Ordinal));

    /// <summary>Whether a change made right after this look could leave the stamp as it is (git's "racily clean").</summary>
    /// <param name="look">When the content was read, nanoseconds since 1970 of the same clock.</param>
    public bool IsRacy(long look) => Changed >= look - Granularity || Modified >= look - Granularity;
}
