using Slipway.Primitives.Bytes;

namespace Slipway.Store.Archives;

/// <summary>One regular file of an archive. Folders are implied by paths; empty folders, links and devices do not exist here.</summary>
/// <param name="Path">From the archive's root, with slashes: see <see cref="ArchiveLimits"/> for what is allowed in it.</param>
/// <param name="Executable">Stored as mode 0755 instead of 0644.</param>
/// <param name="SourceFile">File that holds the content; null when <see cref="Content"/> does.</param>
public sealed record ArchiveEntry(string Path, bool Executable, string? SourceFile)
{
    /// <summary>The content, where there is no source file.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>What the content must be: hashed while it is archived, so that a source that changed is never archived. Null trusts the source.</summary>
    public Digest? Expected { get; init; }

    /// <summary>A generated document: mode 0644, content in memory.</summary>
    public static ArchiveEntry OfBytes(string path, ReadOnlyMemory<byte> content) => new(path, false, null) { Content = content };
}

/// <summary>One file of an archive, by content.</summary>
/// <param name="Path">From the archive's root, with slashes.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct ArchivedFile(string Path, bool Executable, long Size, Digest Digest);
