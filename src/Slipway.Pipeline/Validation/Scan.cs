using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Datasets;
using Slipway.Engines.DuckDb;

namespace Slipway.Pipeline.Validation;

/// <summary>Asks the data what the checks want to know.</summary>
/// <param name="table">SQL that stands after FROM.</param>
internal sealed class Scan(DuckDatabase database, string table, Snapshot snapshot, CancellationToken cancellation)
{
    private const int MaximumExamples = 5;

    /// <summary>Columns of an example row; the one that an expectation is about comes first.</summary>
    private const int MaximumColumns = 16;

    /// <summary>Characters of one value in an example; longer ones end in an ellipsis.</summary>
    private const int MaximumText = 120;

    public ImmutableArray<ExpectationResult> Of(ImmutableArray<Check> checks)
    {
        var counted = new Queue<ExpectationResult>(Counted([.. checks.Where(check => check.Count is not null)]));
        return [.. checks.Select(check => WithExamples(check, check switch
        {
            { Decided: { } decided } => Decided(check, decided.Verdict, decided.Detail),
            { IsUnique: true } => Repeated(check),
            _ => counted.Dequeue(),
        }))];
    }

    private ExpectationResult Decided(Check check, ExpectationVerdict verdict, string? detail) =>
        new(check.Name, check.Column, check.Severity, verdict, verdict == ExpectationVerdict.NotChecked ? 0 : snapshot.Rows, 0, 0, detail, []);

    // One scan for all. If one of them fails on some row all do, so then each is asked alone, and only the guilty are not checked.
    private IEnumerable<ExpectationResult> Counted(List<Check> checks)
    {
        if (checks.Count == 0)
            return [];
        try
        {
            var found = database.Rows($"SELECT count(*), {string.Join(", ", checks.Select(check => check.Count))} FROM {table}", cancellation)[0].Select(Number).ToList();
            return found[0] == snapshot.Rows
                ? checks.Zip(found.Skip(1), (check, count) => check.Judge(count, snapshot.Rows))
                : checks.Select(check => check.NotChecked($"{found[0]} rows were read where the snapshot has {snapshot.Rows}"));
        }
        catch (DuckException e)
        {
            return checks.Count == 1 ? [checks[0].NotChecked(e.FirstLine)] : checks.SelectMany(check => Counted([check])).ToList();
        }
    }

    private ExpectationResult Repeated(Check check)
    {
        try
        {
            var repeats = $"SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {table} GROUP BY {Key(check)} HAVING count(*) > 1)";
            return check.Judge(Number(database.Rows(repeats, cancellation)[0][0]), snapshot.Rows);
        }
        catch (DuckException e)
        {
            return check.NotChecked(e.FirstLine);
        }
    }

    // Rows that cannot be shown leave the verdict as it is.
    private ExpectationResult WithExamples(Check check, ExpectationResult result)
    {
        if (result.Verdict != ExpectationVerdict.Broken || check.Decided is not null)
            return result;
        try
        {
            return result with { Examples = check.IsUnique ? RepeatedKeys(check) : check.Bad is { } bad ? BadRows(check, bad) : [] };
        }
        catch (DuckException e)
        {
            return result with { Detail = $"the rows cannot be shown: {e.FirstLine}" };
        }
    }

    private ImmutableArray<ImmutableSortedDictionary<string, string>> BadRows(Check check, string bad)
    {
        var columns = snapshot.Columns.Select(column => column.Name).OrderByDescending(name => name == check.Column).Take(MaximumColumns).ToList();
        return Examples(columns, $"SELECT {Shown(columns)} FROM {table} WHERE {bad} LIMIT {MaximumExamples}");
    }

    private ImmutableArray<ImmutableSortedDictionary<string, string>> RepeatedKeys(Check check) =>
        Examples([.. check.Unique, "(rows)"], $"SELECT {Shown(check.Unique)}, count(*) FROM {table} GROUP BY {Key(check)} HAVING count(*) > 1 ORDER BY count(*) DESC, {Key(check)} LIMIT {MaximumExamples}");

    private ImmutableArray<ImmutableSortedDictionary<string, string>> Examples(List<string> names, string sql) =>
        [.. database.Rows(sql, cancellation).Select(row => names.Zip(row).ToImmutableSortedDictionary(pair => pair.First, pair => Short(pair.Second ?? "NULL"), StringComparer.Ordinal))];

    private static string Key(Check check) => string.Join(", ", check.Unique.Select(SqlText.Identifier));

    private static string Shown(IEnumerable<string> columns) => string.Join(", ", columns.Select(column => $"{SqlText.Identifier(column)}::VARCHAR"));

    private static string Short(string text) => text.Length <= MaximumText
        ? text
        : text[..(char.IsHighSurrogate(text[MaximumText - 1]) ? MaximumText - 1 : MaximumText)] + "…";

    private static long Number(string? text) => long.Parse(text!, CultureInfo.InvariantCulture);
}
