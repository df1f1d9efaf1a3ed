using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Datasets;

/// <summary>An expectations file, parsed and checked: what a dataset must be like.</summary>
public sealed record Expectations(
    RowCountExpectation? Rows,
    ImmutableArray<ColumnExpectation> Columns,
    ImmutableArray<UniqueExpectation> Unique,
    ImmutableArray<RuleExpectation> Rules);

/// <summary>What a failed expectation does.</summary>
[JsonConverter(typeof(NamedEnum<Severity>))]
public enum Severity
{
    /// <summary>Stops the run before any training.</summary>
    [JsonStringEnumMemberName("error")] Error,

    /// <summary>Is shown and recorded.</summary>
    [JsonStringEnumMemberName("warn")] Warn,
}

public sealed record RowCountExpectation(long? Min, long? Max, Severity Severity)
{
    /// <summary>Where it stands in the user's file; no part of the document.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <param name="Type">boolean, integer, float, decimal, string, date, time or timestamp; null for any.</param>
/// <param name="Nulls">Largest share of nulls; null for any.</param>
/// <param name="Low">Smallest allowed value as written (number, date or timestamp); null for none.</param>
/// <param name="High">Largest allowed value.</param>
/// <param name="Matches">RE2 pattern that a whole value must contain a match of.</param>
/// <param name="Values">Allowed values as written; empty for any.</param>
/// <param name="Tolerate">Largest share of rows that may break range, pattern or values.</param>
public sealed record ColumnExpectation(
    string Column,
    string? Type,
    Ratio? Nulls,
    string? Low,
    string? High,
    string? Matches,
    ImmutableArray<string> Values,
    long? DistinctMin,
    long? DistinctMax,
    Ratio Tolerate,
    Severity Severity)
{
    /// <summary>Where it stands in the user's file; no part of the document.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <summary>No two rows are equal in these columns.</summary>
/// <param name="Tolerate">Largest share of rows that repeat an earlier one.</param>
public sealed record UniqueExpectation(ImmutableArray<string> Columns, Ratio Tolerate, Severity Severity)
{
    /// <summary>Where it stands in the user's file; no part of the document.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <param name="Sql">A condition on one row, in DuckDB's SQL; null counts as broken.</param>
public sealed record RuleExpectation(string Name, string Sql, Ratio Tolerate, Severity Severity)
{
    /// <summary>Where it stands in the user's file; no part of the document.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}
