using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Engines.DuckDb;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Pipeline.Validation;

/// <summary>Turns expectations into checks, against the columns that a snapshot has.</summary>
/// <remarks>
/// Nulls break only the expectation on nulls, and rules; NaN is outside every range; in unique keys nulls are equal to each
/// other; distinct values are counted without null. A column that is missing breaks what is expected of it.
/// </remarks>
internal sealed class CheckPlan(Snapshot snapshot, DuckDatabase database, string table)
{
    public ImmutableArray<Check> Of(Expectations expectations) =>
    [
        .. Rows(expectations.Rows),
        .. expectations.Columns.SelectMany(Column),
        .. expectations.Unique.Select(Unique),
        .. expectations.Rules.Select(Rule),
    ];

    private IEnumerable<Check> Rows(RowCountExpectation? rows) => rows is null
        ? []
        : [Decide("number of rows " + Between(rows.Min, rows.Max), null, rows.Severity, snapshot.Rows >= (rows.Min ?? 0) && snapshot.Rows <= (rows.Max ?? long.MaxValue), $"found {snapshot.Rows} rows")];

    private IEnumerable<Check> Column(ColumnExpectation expected)
    {
        if (Find(expected.Column) is not { } column)
        {
            yield return Decide($"{expected.Column} is there", expected.Column, expected.Severity, false, Missing([expected.Column]));
            yield break;
        }

        var (name, type) = column;
        var sql = SqlText.Identifier(name);
        var family = ColumnFamily.Of(type);
        Check Broken(string what, string bad, Ratio tolerate) =>
            new($"{name} {what}", name, expected.Severity, $"count(*) FILTER (WHERE {bad})") { Bad = bad, Tolerate = tolerate };
        Check Impossible(string what, string reason) =>
            new($"{name} {what}", name, expected.Severity, null) { Decided = (ExpectationVerdict.NotChecked, reason) };

        if (expected.Type is { } word)
            yield return Decide($"{name} is {word}", name, expected.Severity, word == family, $"found {family ?? "another type"} ({type})");
        if (expected.Nulls is { } nulls)
            yield return Broken($"has at most {nulls} nulls", $"{sql} IS NULL", nulls);
        if (expected.Low is not null || expected.High is not null)
        {
            var what = $"in [{expected.Low ?? "…"}, {expected.High ?? "…"}]";
            yield return ColumnFamily.HasOrder(family)
                ? Range(expected, sql, type) is { } inside ? Broken(what, $"NOT ({inside})", expected.Tolerate) : Impossible(what, $"a bound is no {family} such as the column holds ({type})")
                : Impossible(what, $"the column is {type}, which has no range");
        }

        if (expected.Matches is { } pattern)
        {
            yield return family == "string"
                ? Broken($"matches {pattern}", $"NOT regexp_matches({sql}, {SqlText.Literal(pattern)})", expected.Tolerate)
                : Impossible($"matches {pattern}", $"the column is {type}, and a pattern is for strings");
        }

        if (!expected.Values.IsDefaultOrEmpty)
        {
            var values = expected.Values.Select(value => ColumnFamily.Literal(value, type)).ToList();
            var what = $"is one of {string.Join(", ", expected.Values.Take(5))}{(values.Count > 5 ? $" and {values.Count - 5} more" : "")}";
            yield return values.IndexOf(null) is >= 0 and var wrong
                ? Impossible(what, $"'{expected.Values[wrong]}' is no value of a column of type {type}")
                : Broken(what, $"{sql} NOT IN ({string.Join(", ", values)})", expected.Tolerate);
        }

        if (expected.DistinctMin is not null || expected.DistinctMax is not null)
            yield return new Check($"{name} distinct values {Between(expected.DistinctMin, expected.DistinctMax)}", name, expected.Severity, $"count(DISTINCT {sql})") { Bounds = (expected.DistinctMin, expected.DistinctMax) };
    }

    private static string? Range(ColumnExpectation expected, string sql, string type)
    {
        var parts = new List<string>();
        if (expected.Low is { } low)
        {
            if (ColumnFamily.Literal(low, type) is not { } literal)
                return null;
            parts.Add($"{sql} >= {literal}");
            // DuckDB orders NaN above infinity: without an upper bound it would pass.
            if (expected.High is null && ColumnFamily.Of(type) == "float")
                parts.Add($"NOT isnan({sql})");
        }

        if (expected.High is { } high)
        {
            if (ColumnFamily.AtMost(sql, high, type) is not { } atMost)
                return null;
            parts.Add(atMost);
        }

        return string.Join(" AND ", parts);
    }

    private Check Unique(UniqueExpectation expected)
    {
        var name = $"{string.Join(", ", expected.Columns)} {(expected.Columns.Length == 1 ? "is" : "are together")} unique";
        return expected.Columns.Any(column => Find(column) is null)
            ? Decide(name, null, expected.Severity, false, Missing(expected.Columns))
            : new Check(name, null, expected.Severity, null) { Unique = expected.Columns, Tolerate = expected.Tolerate };
    }

    private Check Rule(RuleExpectation expected) =>
        RowCondition.Refusal(database, table, snapshot.Columns, expected.Sql) is { } refusal
            ? new Check(expected.Name, null, expected.Severity, null) { Decided = (ExpectationVerdict.NotChecked, $"the rule cannot be checked: {refusal}") }
            : Rule(expected, $"NOT coalesce({RowCondition.Wrap(expected.Sql)}, false)");

    private static Check Rule(RuleExpectation expected, string bad) =>
        new(expected.Name, null, expected.Severity, $"count(*) FILTER (WHERE {bad})") { Bad = bad, Tolerate = expected.Tolerate };

    private static Check Decide(string name, string? column, Severity severity, bool holds, string found) =>
        new(name, column, severity, null) { Decided = holds ? (ExpectationVerdict.Holds, null) : (ExpectationVerdict.Broken, found) };

    private ColumnSchema? Find(string column) => snapshot.Columns.FirstOrDefault(known => known.Name == column);

    private string Missing(IEnumerable<string> columns)
    {
        var missing = columns.First(column => Find(column) is null);
        return NearestName.Of(missing, snapshot.Columns.Select(column => column.Name)) is { } near
            ? $"there is no column '{missing}'; did you mean '{near}'?"
            : $"there is no column '{missing}'; there are {string.Join(", ", snapshot.Columns.Select(column => column.Name))}";
    }

    private static string Between(long? min, long? max) => (min, max) switch
    {
        (null, { } most) => $"at most {most}",
        ({ } least, null) => $"at least {least}",
        var (least, most) => $"from {least} to {most}",
    };
}
