using System.Globalization;
using System.Text;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Checks;

/// <summary>Writes samples of datasets: the same files by name and format, with fewer rows, kept by what they depend on.</summary>
/// <remarks>A file that gives no row keeps its header, or its columns, so that all of them are there.</remarks>
/// <param name="folder">Where they are kept, absolute; a folder in it is one sample, whole or not there.</param>
internal sealed class DatasetSampler(string folder, TableReading reading)
{
    /// <summary>Bump when the same data and sample would give other bytes.</summary>
    private const int Version = 1;

    /// <param name="taken">Of the whole dataset.</param>
    /// <returns>Absolute paths, in the order of the snapshot's files; the dataset's own where all of it is taken.</returns>
    /// <exception cref="SlipwayException">A file changed meanwhile or cannot be read (exit 2); no space, no permission (exit 3).</exception>
    public TakenSample Sample(SampleSpec sample, TakenSnapshot taken, CancellationToken cancellation)
    {
        var snapshot = taken.Snapshot;
        if (snapshot.Rows <= sample.Rows)
            return new TakenSample(taken.Files, null, "it has no more rows");
        if (snapshot.Rows > RowChoice.MostRows)
            return new TakenSample(taken.Files, null, "it has more rows than are counted here");
        var depends = string.Create(CultureInfo.InvariantCulture, $"{Version}\n{snapshot.Digest}\n{snapshot.Rows}\n{sample.Rows}\n{sample.Seed}\n");
        var key = Digest.Of(Encoding.UTF8.GetBytes(depends)).Hex;
        var kept = Path.Combine(folder, key);
        var files = snapshot.Files.Select(file => Path.Combine(kept, file.Path)).ToList();
        if (!Directory.Exists(kept))
        {
            var choice = new RowChoice(snapshot.Rows, sample.Rows, sample.Seed);
            if (Write(kept, choice, taken, cancellation) is { } whole)
                return new TakenSample(taken.Files, null, whole);
        }

        return new TakenSample([.. files], key, null);
    }

    /// <summary>Deletes the samples that nobody named since: each takes as much space as its rows.</summary>
    public void Forget(IReadOnlySet<string> used)
    {
        if (!Directory.Exists(folder))
            return;
        try
        {
            foreach (var old in Directory.EnumerateDirectories(folder).Where(old => !used.Contains(Path.GetFileName(old))).ToList())
                Directory.Delete(old, recursive: true);
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
    }

    /// <returns>Why it cannot be sampled; null when it was.</returns>
    private string? Write(string kept, RowChoice choice, TakenSnapshot taken, CancellationToken cancellation)
    {
        var fresh = AtomicFile.TemporaryBeside(kept);
        try
        {
            foreach (var place in taken.Snapshot.Files.Select(file => Path.GetDirectoryName(Path.Combine(fresh, file.Path))!).Distinct())
                AtomicFile.CreateFolder(place);
            var targets = taken.Snapshot.Files.Select(file => Path.Combine(fresh, file.Path)).ToList();
            var format = TableSource.FormatOf(taken.Files[0]);
            if (format == TableFormat.Parquet)
                Parquet(choice, taken, targets, cancellation);
            else if (Text(choice, taken, targets, format == TableFormat.Csv, cancellation) is { } whole)
                return whole;
            taken.EnsureUnchanged(reading.Index);
            AtomicFile.FlushFileSystem(fresh);
            AtomicFile.Rename(fresh, kept);
            return null;
        }
        catch (InvalidDataException)
        {
            return "its compression is read by the engine alone";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            const string help = "wait until whatever writes it has finished, then check again";
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("changing-file", $"a file of the dataset '{taken.Snapshot.Name}' went away while it was read", Help: help), e);
        }
        catch (Exception e) when (AtomicFile.Explain(e, kept) is { } explained)
        {
            throw explained;
        }
        finally
        {
            if (Directory.Exists(fresh))
                Directory.Delete(fresh, recursive: true);
        }
    }

    private void Parquet(RowChoice choice, TakenSnapshot taken, List<string> targets, CancellationToken cancellation)
    {
        // One thread, as an SQL stage: the order of rows and the cut into groups are then the data's alone.
        var limits = new DuckOptions { ScratchFolder = reading.ScratchFolder, AllowedPaths = [.. taken.Files, .. targets], MemoryLimit = reading.MemoryLimit };
        using var database = DuckDatabase.Open(limits);
        long before = 0;
        foreach (var (file, target) in taken.Files.Zip(targets))
        {
            var from = $"read_parquet({SqlText.Files([file])}, file_row_number = true, hive_partitioning = false)";
            try
            {
                var rows = long.Parse(database.Rows($"SELECT count(*) FROM {from}", cancellation)[0][0]!, CultureInfo.InvariantCulture);
                var chosen = $"SELECT * EXCLUDE (file_row_number) FROM {from} WHERE {choice.Condition($"file_row_number + {SqlText.Literal(before)}")}";
                database.Execute($"COPY ({chosen}) TO {SqlText.Literal(target)} (FORMAT parquet)", cancellation);
                before += rows;
            }
            catch (DuckException e)
            {
                throw e.Explain(new Fault("unusable-table", $"{file} cannot be sampled", Help: "fetch or write the file again; a file that was cut off often reads so"));
            }
        }
    }

    private static string? Text(RowChoice choice, TakenSnapshot taken, List<string> targets, bool isCsv, CancellationToken cancellation)
    {
        var sampler = new TextSampler(isCsv);
        var counts = taken.Files.Select(file => sampler.Count(file, cancellation)).ToList();
        var headers = counts.Sum() - taken.Snapshot.Rows == counts.Count && isCsv ? 1 : 0;
        if (counts.Sum() - headers * counts.Count != taken.Snapshot.Rows)
            return $"its records cannot be told apart: {counts.Sum()} lines hold {taken.Snapshot.Rows} rows";
        var (before, span) = (0L, 0L);
        var next = choice.Row(0);
        foreach (var ((file, target), count) in taken.Files.Zip(targets).Zip(counts))
        {
            sampler.Copy(file, target, Keep, cancellation);
            before += count - headers;

            bool Keep(long record)
            {
                if (record < headers)
                    return true;
                if (before + record - headers != next)
                    return false;
                next = ++span < choice.Wanted ? choice.Row(span) : -1;
                return true;
            }
        }

        return null;
    }
}

/// <param name="Files">Absolute paths, in the order of the snapshot's files.</param>
/// <param name="Key">Name of the kept sample; null when the whole dataset is taken.</param>
/// <param name="Whole">Why the whole dataset is taken; null when a sample is.</param>
internal sealed record TakenSample(System.Collections.Immutable.ImmutableArray<string> Files, string? Key, string? Whole);
