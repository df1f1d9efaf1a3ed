using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Datasets;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Snapshots;

/// <summary>A snapshot and where its files are now.</summary>
/// <param name="Files">Absolute paths, in the order of <see cref="Documents.Datasets.Snapshot.Files"/>.</param>
public sealed record TakenSnapshot(Snapshot Snapshot, ImmutableArray<string> Files)
{
    /// <summary>Looks again, which costs a stat a file.</summary>
    /// <exception cref="SlipwayException">A file is no longer what the snapshot says (exit 2).</exception>
    public void EnsureUnchanged(DigestIndex index)
    {
        foreach (var (file, path) in Snapshot.Files.Zip(Files))
        {
            if (index.Of(path) != file.Digest)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("changing-file", $"{file.Path} of the dataset '{Snapshot.Name}' changed while it was read", Help: "wait until whatever writes it has finished, then run again"));
        }
    }
}

/// <summary>Fixes one version of a dataset: its files by content, its columns and its number of rows.</summary>
/// <remarks>
/// The digest is that of the canonical JSON of [{digest, path, size}]. What the files hold (columns, rows) follows from
/// their names and contents, so it is kept by digest, and a second look reads no data and does not start the engine.
/// Columns and rows of Parquet come from its footers; text is read whole, so that every value fits its column's type.
/// </remarks>
public static class SnapshotTaker
{
    /// <summary>Bump when the same files would give other columns or rows: another engine, other reading options.</summary>
    private const int ReadingVersion = 1;

    /// <param name="projectRoot">Absolute; the dataset's path is relative to it.</param>
    /// <exception cref="SlipwayException">At the dataset's place in the spec: missing, empty, cut, mixed or changing files, or of no known format (exit 2); not readable (exit 3).</exception>
    public static TakenSnapshot Take(DatasetSpec spec, string projectRoot, TableReading reading, CancellationToken cancellation)
    {
        try
        {
            return TakeUnplaced(spec, projectRoot, reading, cancellation);
        }
        catch (SlipwayException e) when (spec.At.File is not null && e.Faults.Any(fault => fault.File is null))
        {
            throw new SlipwayException(e.Exit, [.. e.Faults.Select(fault => DatasetFiles.At(spec, fault.Code, DatasetFiles.Shown(fault.Message, projectRoot), fault.Help))], e);
        }
    }

    private static TakenSnapshot TakeUnplaced(DatasetSpec spec, string projectRoot, TableReading reading, CancellationToken cancellation)
    {
        var files = DatasetFiles.Of(spec, projectRoot);
        var paths = files.Select(file => file.Absolute).ToImmutableArray();
        var source = TableSource.Of(paths);
        var listed = files.Select(file =>
        {
            cancellation.ThrowIfCancellationRequested();
            return Identify(file, reading.Index);
        }).ToImmutableArray();

        var digest = Snapshot.DigestOf(listed);
        var kept = Path.Combine(reading.CacheFolder, $"snapshot-{ReadingVersion}-{digest.Hex}.json");
        if (Load(kept) is { } known && known.Digest == digest)
            return new TakenSnapshot(known with { Name = spec.Name, Files = listed }, paths);

        var (columns, rows) = Read(spec, source, reading, cancellation);
        var taken = new TakenSnapshot(new Snapshot(spec.Name, digest, listed, columns, rows), paths);
        taken.EnsureUnchanged(reading.Index);
        AtomicFile.Write(kept, CanonicalJson.Serialize(taken.Snapshot, DocumentJson.Default.Snapshot));
        return taken;
    }

    private static SnapshotFile Identify(DatasetFile file, DigestIndex index)
    {
        var digest = index.Of(file.Absolute);
        var size = FileStamp.Of(file.Absolute)?.Size ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-file", $"{file.Absolute} went away while it was read"));
        return size > 0
            ? new SnapshotFile(file.Relative, size, digest)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("empty-file", $"{file.Absolute} is empty: 0 bytes", Help: "fetch or write it again; a download that was cut off often leaves this"));
    }

    private static (ImmutableArray<ColumnSchema> Columns, long Rows) Read(DatasetSpec spec, TableSource source, TableReading reading, CancellationToken cancellation)
    {
        using var database = reading.Open(source);
        var at = source.Paths[0];
        try
        {
            var first = Columns(database, TableSource.Of(at), cancellation);
            foreach (var path in source.Paths.Skip(1))
                RefuseMixture(source, first, Columns(database, TableSource.Of(at = path), cancellation), path);

            at = source.Paths.Length == 1 ? at : spec.Path;
            var columns = source.Paths.Length == 1 ? first : Columns(database, source, cancellation);
            var all = source.Format == TableFormat.Parquet ? "" : ", count(COLUMNS(*))";
            var rows = long.Parse(database.Rows($"SELECT count(*){all} FROM {source.From}", cancellation)[0][0]!);
            return (columns, rows);
        }
        catch (DuckException e)
        {
            throw e.Explain(new Fault("unusable-table", $"{at} cannot be read as {source.Format}", Help: "fetch or write the file again; a file that was cut off often reads so"));
        }
    }

    private static ImmutableArray<ColumnSchema> Columns(DuckDatabase database, TableSource source, CancellationToken cancellation) =>
        [.. database.Rows($"DESCRIBE SELECT * FROM {source.From}", cancellation).Select(row => new ColumnSchema(row[0]!, row[1]!))];

    // Text has no types of its own, and JSON no order: there only the names must agree, and the values are read below.
    private static void RefuseMixture(TableSource source, ImmutableArray<ColumnSchema> first, ImmutableArray<ColumnSchema> other, string path)
    {
        var same = source.Format switch
        {
            TableFormat.Parquet => first.SequenceEqual(other),
            TableFormat.Csv => Names(first).SequenceEqual(Names(other)),
            _ => Names(first).Order(StringComparer.Ordinal).SequenceEqual(Names(other).Order(StringComparer.Ordinal)),
        };
        if (same)
            return;
        var difference = first.FirstOrDefault(column => !other.Contains(column)) is { } lost
            ? other.FirstOrDefault(column => column.Name == lost.Name) is { } changed
                ? $"column '{lost.Name}' is {lost.Type} in {source.Paths[0]} and {changed.Type} in {path}"
                : $"{path} has no column '{lost.Name}', which {source.Paths[0]} has"
            : other.FirstOrDefault(column => !first.Contains(column)) is { } added
                ? $"{path} has a column '{added.Name}', which {source.Paths[0]} has not"
                : $"the columns of {path} stand in another order than those of {source.Paths[0]}";
        throw new SlipwayException(ExitCode.UnusableInput, new Fault("mixed-columns", difference, Help: "write the files with the same columns, or make two datasets of them"));
    }

    private static IEnumerable<string> Names(ImmutableArray<ColumnSchema> columns) => columns.Select(column => column.Name);

    // A cache: what cannot be read is made again.
    private static Snapshot? Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), DocumentJson.Default.Snapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
