using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Engines.DuckDb;

namespace Slipway.Pipeline.Validation;

/// <summary>What an expectation calls a column's type, and how a value that a person wrote is compared with such a column.</summary>
internal static partial class ColumnFamily
{
    /// <summary>The word of an expectations file for DuckDB's type; null for nested and rare types, which have none.</summary>
    public static string? Of(string duckType) => duckType switch
    {
        "BOOLEAN" => "boolean",
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT"
            or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT" => "integer",
        "FLOAT" or "DOUBLE" => "float",
        "VARCHAR" => "string",
        "DATE" => "date",
        "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" or "TIMESTAMP WITH TIME ZONE" => "timestamp",
        _ when duckType.StartsWith("DECIMAL(", StringComparison.Ordinal) => "decimal",
        _ when duckType.StartsWith("ENUM(", StringComparison.Ordinal) => "string",
        _ when duckType.StartsWith("TIME", StringComparison.Ordinal) => "time",
        _ => null,
    };

    /// <summary>Whether values have an order that a range can speak of.</summary>
    public static bool HasOrder(string? family) => family is "integer" or "float" or "decimal" or "date" or "time" or "timestamp";

    /// <summary>
    /// A written value as SQL of the column's own type, so that a float32's 0.1 is the 0.1 that was written; null when it is none.
    /// </summary>
    public static string? Literal(string text, string duckType) => Of(duckType) switch
    {
        "boolean" => text is "true" or "false" ? text : null,
        "integer" or "decimal" => PlainNumber().IsMatch(text) ? text : AnyNumber().IsMatch(text) ? $"'{text}'::DOUBLE" : null,
        "float" => AnyNumber().IsMatch(text) ? $"'{text}'::{duckType}" : null,
        "string" => SqlText.Literal(text),
        "date" => Day(text) is { } day ? $"DATE '{day:yyyy-MM-dd}'" : null,
        "timestamp" => Moment(text) is { } moment ? Timestamp(moment) : null,
        "time" => TimeOnly.TryParse(text, CultureInfo.InvariantCulture, out var time) ? $"TIME '{time:HH:mm:ss.ffffff}'" : null,
        _ => null,
    };

    /// <summary>The condition "at most this"; a day as the upper bound of timestamps includes the whole day.</summary>
    public static string? AtMost(string column, string text, string duckType) =>
        Of(duckType) == "timestamp" && Day(text) is { } day && day < DateOnly.MaxValue
            ? $"{column} < {Timestamp(day.AddDays(1).ToDateTime(TimeOnly.MinValue))}"
            : Literal(text, duckType) is { } literal ? $"{column} <= {literal}" : null;

    private static string Timestamp(DateTime moment) => $"TIMESTAMP '{moment.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}'";

    private static DateOnly? Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private static DateTime? Moment(string text)
    {
        string[] forms = ["yyyy-MM-dd", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss.FFFFFF", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss.FFFFFF", "yyyy-MM-ddTHH:mm:ss.FFFFFFZ"];
        return DateTime.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment) ? moment : null;
    }

    [GeneratedRegex(@"\A[+-]?\d{1,38}(\.\d{1,18})?\z")]
    private static partial Regex PlainNumber();

    [GeneratedRegex(@"\A[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\z")]
    private static partial Regex AnyNumber();
}
