using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Datasets;

/// <summary>One immutable version of a dataset.</summary>
/// <param name="Digest">Of the files' names and contents alone: the same files anywhere give the same digest.</param>
/// <param name="Files">Sorted by path in byte order.</param>
/// <param name="Columns">In the order of the files.</param>
/// <param name="Rows">In all files together.</param>
public sealed record Snapshot(string Name, Digest Digest, ImmutableArray<SnapshotFile> Files, ImmutableArray<ColumnSchema> Columns, long Rows)
{
    /// <summary>A dataset's digest: of the canonical JSON of its files.</summary>
    public static Digest DigestOf(ImmutableArray<SnapshotFile> files) =>
        Digest.Of(CanonicalJson.Serialize(files, DocumentJson.Default.ImmutableArraySnapshotFile));
}

/// <param name="Path">Relative to the dataset's own root (the file name, for a dataset of one file), with slashes.</param>
/// <param name="Size">Bytes.</param>
public sealed record SnapshotFile(string Path, long Size, Digest Digest);

/// <param name="Type">As DuckDB names it: BIGINT, TIMESTAMP, VARCHAR.</param>
public sealed record ColumnSchema(string Name, string Type);
