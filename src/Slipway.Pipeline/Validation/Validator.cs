using System.Text;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Datasets;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Validation;

/// <summary>Looks at a dataset with the eyes of its expectations.</summary>
/// <remarks>
/// One query counts everything that is about single rows, one more each unique key (exact, by comparing values); rows are shown
/// only of what is broken. What could not be looked at is not checked, which is never a pass. Reports are kept by what they
/// depend on, unless something in them was not checked: then the machine may have been to blame.
/// </remarks>
public static class Validator
{
    /// <summary>Bump when the same rows and expectations would give another report.</summary>
    private const int ReportVersion = 1;

    /// <summary>The report that an earlier look left; null when there is none. Reads no data.</summary>
    public static ValidationReport? Known(Snapshot snapshot, Expectations expectations, TableReading reading)
    {
        try
        {
            var prefix = Prefix(snapshot, expectations);
            foreach (var kept in Directory.EnumerateFiles(reading.CacheFolder, prefix + "*.json"))
            {
                var content = File.ReadAllBytes(kept);
                if (Path.GetFileNameWithoutExtension(kept) == prefix + Digest.Of(content).Hex)
                    return JsonSerializer.Deserialize(content, DocumentJson.Default.ValidationReport);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <exception cref="SlipwayException">A file changed meanwhile (exit 2); the cache cannot be written, the engine is missing (exit 3).</exception>
    public static ValidationReport Validate(TakenSnapshot taken, Expectations expectations, TableReading reading, CancellationToken cancellation)
    {
        var snapshot = taken.Snapshot;
        if (Known(snapshot, expectations, reading) is { } known)
            return known;
        var source = TableSource.Of(taken.Files);
        using var database = reading.Open(source);
        var checks = new CheckPlan(snapshot, database, source.From).Of(expectations);
        var report = new ValidationReport(snapshot.Name, snapshot.Digest, snapshot.Rows, new Scan(database, source.From, snapshot, cancellation).Of(checks));
        taken.EnsureUnchanged(reading.Index);
        if (report.Results.All(result => result.Verdict != ExpectationVerdict.NotChecked))
        {
            var content = CanonicalJson.Serialize(report, DocumentJson.Default.ValidationReport);
            AtomicFile.Write(Path.Combine(reading.CacheFolder, Prefix(snapshot, expectations) + Digest.Of(content).Hex + ".json"), content);
        }

        return report;
    }

    /// <summary>A report's name: what it depends on, then its own digest, so that a changed one is none.</summary>
    private static string Prefix(Snapshot snapshot, Expectations expectations)
    {
        var expected = Digest.Of(CanonicalJson.Serialize(expectations, DocumentJson.Default.Expectations));
        return $"validation-{Digest.Of(Encoding.UTF8.GetBytes($"{ReportVersion}\n{snapshot.Digest}\n{expected}\n{snapshot.Name}")).Hex}-";
    }
}
