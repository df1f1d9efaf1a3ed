namespace Slipway.Store.Archives;

/// <summary>How much of an archive is believed before it is refused. What lies beyond a limit gives a fault, never a cut.</summary>
public sealed record ArchiveLimits
{
    /// <summary>Longest path, in UTF-8 bytes: a quarter of Linux's PATH_MAX, so that a path stays usable below any project folder.</summary>
    public const int MaxPathBytes = 1_024;

    /// <summary>Longest name between two slashes, in UTF-8 bytes: Linux's NAME_MAX.</summary>
    public const int MaxNameBytes = 255;

    /// <summary>The limits of a bundle's layer.</summary>
    public static ArchiveLimits Default { get; } = new();

    /// <summary>Most files, at least 1. The default holds any code tree or sharded model; each file costs an inode when extracted.</summary>
    public int MaxEntries { get; init; } = 100_000;

    /// <summary>Most bytes of content of all files together, at least 0. The default is 1 TiB, above any model known.</summary>
    public long MaxTotalBytes { get; init; } = 1L << 40;
}
