using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Archives;

/// <summary>Tar archives whose bytes depend on names, contents and execute bits alone.</summary>
/// <remarks>Format: docs/format; uncompressed, because deflate differs between runtimes. Static and thread-safe.</remarks>
public static class DeterministicTar
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Writes the archive; the order of <paramref name="entries"/> does not matter.</summary>
    /// <param name="epoch">Time of every entry: whole seconds since 1970, 0 to 8589934591 (the year 2242).</param>
    /// <exception cref="SlipwayException">A path that is not allowed, stands twice or lies below a file; a source that is missing or changed meanwhile (exit 2).</exception>
    public static void Write(Stream output, IReadOnlyList<ArchiveEntry> entries, long epoch, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, TarHeader.MaxOctal);

        var sorted = entries.Select(entry => (entry, bytes: ArchivePath.Check(entry.Path))).ToList();
        sorted.Sort(static (x, y) => x.bytes.AsSpan().SequenceCompareTo(y.bytes));
        var order = new PathOrder();
        foreach (var (entry, bytes) in sorted)
        {
            order.Add(entry.Path, bytes);
            using var content = Open(entry);
            var size = content.Length;
            output.Write(TarHeader.Render(entry.Path, bytes, size, entry.Executable, epoch));
            CopyExactly(content, output, size, entry, cancellation);
            output.Write(new byte[TarHeader.Padded(size) - size]);
        }

        output.Write(new byte[2 * TarHeader.Block]);
    }

    /// <summary>Extracts into <paramref name="folder"/>, which is made when missing. What is there already is never written through or over.</summary>
    /// <remarks>A failure leaves the files extracted so far: extract into a temporary folder, and publish it after the last check.</remarks>
    /// <param name="below">Every path must be this one or lie below it; null for any.</param>
    /// <returns>How many files there were.</returns>
    /// <exception cref="SlipwayException">The archive is refused, or a name is taken (exit 2); no space or permission (exit 3).</exception>
    public static int Extract(Stream tar, string folder, ArchiveLimits limits, string? below = null, CancellationToken cancellation = default)
    {
        var root = Path.GetFullPath(folder);
        AtomicFile.CreateFolder(root);
        var reader = new TarReader(tar, limits);
        var files = 0;
        var made = "";
        while (reader.Next() is { } item)
        {
            cancellation.ThrowIfCancellationRequested();
            RequireBelow(item.Path, below);
            var parent = Path.GetDirectoryName(item.Path)!;
            if (parent != made)
                MakeFolders(root, made = parent);
            WriteFile(reader, item, Path.Combine(root, item.Path), cancellation);
            files++;
        }

        return files;
    }

    /// <summary>All files of a small archive by path.</summary>
    /// <param name="maxBytes">Most bytes of content, which is also what this holds in memory.</param>
    /// <exception cref="SlipwayException">The archive is refused (exit 2).</exception>
    public static ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> ReadAll(Stream tar, long maxBytes)
    {
        var reader = new TarReader(tar, new ArchiveLimits { MaxTotalBytes = maxBytes });
        var files = ImmutableSortedDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        while (reader.Next() is { } item)
        {
            var content = new MemoryStream();
            reader.CopyContentTo(content, CancellationToken.None);
            files.Add(item.Path, content.ToArray());
        }

        return files.ToImmutable();
    }

    /// <summary>What an archive holds, in its order; every byte is read.</summary>
    /// <exception cref="SlipwayException">The archive is refused (exit 2).</exception>
    public static ImmutableArray<ArchivedFile> List(Stream tar, ArchiveLimits limits, CancellationToken cancellation = default)
    {
        var reader = new TarReader(tar, limits);
        var files = ImmutableArray.CreateBuilder<ArchivedFile>();
        while (reader.Next() is { } item)
        {
            files.Add(new ArchivedFile(item.Path, item.Executable, item.Size, reader.DigestContent(cancellation)));
        }

        return files.ToImmutable();
    }

    /// <summary>Checks the whole archive without extracting it; content is skipped where the stream can seek.</summary>
    /// <param name="below">Every path must be this one or lie below it; null for any.</param>
    /// <exception cref="SlipwayException">The archive is refused (exit 2).</exception>
    public static void Check(Stream tar, ArchiveLimits limits, string? below = null)
    {
        var reader = new TarReader(tar, limits);
        while (reader.Next() is { } item)
            RequireBelow(item.Path, below);
    }

    /// <summary>Checks a path by the rules that bind every path of an archive.</summary>
    /// <exception cref="SlipwayException">The path is not allowed (exit 2).</exception>
    public static void CheckPath(string path) => ArchivePath.Check(path);

    private static void RequireBelow(string path, string? below)
    {
        if (below is not null && path != below && !path.StartsWith(below + "/", StringComparison.Ordinal))
            throw ArchivePath.Refused("archive-path-outside", path, $"is outside '{below}', where this archive belongs");
    }

    private static Stream Open(ArchiveEntry entry)
    {
        if (entry.SourceFile is not { } file)
            return new MemoryStream(entry.Content.ToArray(), writable: false);
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("archive-source", $"cannot read {file} for the archive: {e.Message}", file), e);
        }
    }

    private static void CopyExactly(Stream content, Stream output, long size, ArchiveEntry entry, CancellationToken cancellation)
    {
        using var hash = entry.Expected is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(Math.Max(size, 1), 128 * 1024)];
        var left = size;
        while (left > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = content.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (read == 0)
                break;
            output.Write(buffer, 0, read);
            hash?.AppendData(buffer, 0, read);
            left -= read;
        }

        if (left > 0 || content.ReadByte() >= 0)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("archive-source-changed", $"{entry.SourceFile} changed its size while it was archived", entry.SourceFile, Help: "let nothing write to it, and run again"));
        if (hash is not null && new Digest(hash.GetHashAndReset()) != entry.Expected)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("archive-source-changed", $"{entry.SourceFile ?? entry.Path} no longer has the digest {entry.Expected}", entry.SourceFile, Help: "let nothing write to it, and run again"));
    }

    /// <summary>Makes the folders of a path one by one; one that is a link already would lead out of the root.</summary>
    private static void MakeFolders(string root, string parent)
    {
        var path = root;
        foreach (var name in parent.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Path.Combine(path, name);
            if (FileStamp.Of(path, followLinks: false) is { Kind: not FileKind.Folder })
                throw Taken(path);
            AtomicFile.CreateFolder(path);
        }
    }

    private static void WriteFile(TarReader reader, TarItem item, string path, CancellationToken cancellation)
    {
        if (FileStamp.Of(path, followLinks: false) is not null)
            throw Taken(path);
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            reader.CopyContentTo(file, cancellation);
            File.SetUnixFileMode(file.SafeFileHandle, item.Executable ? Program : Plain);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, DateTime.UnixEpoch.AddSeconds(item.Epoch));
        }
        catch (Exception e) when (AtomicFile.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    private static SlipwayException Taken(string path) =>
        new(ExitCode.UnusableInput, new Fault("archive-target-taken", $"{path} is there already", path, Help: "extract into a new folder"));
}
