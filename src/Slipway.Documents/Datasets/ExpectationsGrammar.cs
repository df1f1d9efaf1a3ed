using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Datasets;

/// <summary>The keys of an expectations file.</summary>
internal static class ExpectationsGrammar
{
    private const long MostRows = (1L << 53) - 1;

    private static readonly Key<Ratio> Tolerate = new("tolerate", Amounts.Share, "Largest share of rows that may break it; none when left out.");
    private static readonly Key<Severity> Weight = new(
        "severity", new ChoiceShape<Severity>(("error", Severity.Error), ("warn", Severity.Warn)), "error stops the run before any training; warn is shown and recorded. error when left out.");
    private static readonly Key<long> Min = new("min", new WholeShape(0, MostRows), "Fewest.");
    private static readonly Key<long> Max = new("max", new WholeShape(0, MostRows), "Most.");

    private static readonly Shape<CountBounds> RowCount = new RecordShape<CountBounds>([Min, Max, Weight], fields => Count(fields, fields.Value(Weight) ?? Severity.Error));

    private static readonly Key<string> Type = new(
        "type",
        new ChoiceShape<string>([.. new[] { "boolean", "integer", "float", "decimal", "string", "date", "time", "timestamp" }.Select(word => (word, word))]),
        "The type of its values; any when left out.");
    private static readonly Key<Ratio> Nulls = new("nulls", Amounts.Share, "Largest share of nulls; any when left out.");
    private static readonly Key<Bounds> Range = new("range", BoundsShape.Shape, "Smallest and largest allowed value, or null for an open end.");
    private static readonly Key<string> Matches = new("matches", new TextShape(longest: 1000), "RE2 pattern that each value contains a match of.");
    private static readonly Key<ImmutableArray<string>> Values = new("values", new ListShape<string>(new WordShape(), atLeast: 1, distinct: true), "The allowed values.");
    private static readonly Key<CountBounds> Distinct = new("distinct", new RecordShape<CountBounds>([Min, Max], fields => Count(fields, Severity.Error)), "How many different values there are.");

    private static readonly Shape<ColumnDraft> Column = new RecordShape<ColumnDraft>(
        [Type, Nulls, Range, Matches, Values, Distinct, Tolerate, Weight],
        fields => new(
            fields.Of(Type),
            fields.Value(Nulls),
            fields.Of(Range),
            fields.Of(Matches),
            fields.Items(Values),
            fields.Of(Distinct),
            fields.Value(Tolerate),
            fields.Value(Weight) ?? Severity.Error,
            Tolerates: fields.Has(Range) || fields.Has(Matches) || fields.Has(Values)));

    private static readonly Key<ImmutableArray<string>> UniqueColumns = new("columns", new ListShape<string>(new TextShape(longest: 200), atLeast: 1, distinct: true), "The columns that no two rows are equal in.", required: true);

    private static readonly Shape<UniqueExpectation> Unique = new RecordShape<UniqueExpectation>(
        [UniqueColumns, Tolerate, Weight],
        fields => new(fields.Items(UniqueColumns), fields.Value(Tolerate) ?? default, fields.Value(Weight) ?? Severity.Error) { At = fields.At });

    private static readonly Key<string> Name = new("name", new TextShape(longest: 200), "What people call it.", required: true);
    private static readonly Key<string> Sql = new("sql", new TextShape(), "A condition on one row, in DuckDB's SQL; null counts as broken.", required: true);

    private static readonly Shape<RuleExpectation> Rule = new RecordShape<RuleExpectation>(
        [Name, Sql, Tolerate, Weight],
        fields => new(fields.Of(Name) ?? "", fields.Of(Sql) ?? "", fields.Value(Tolerate) ?? default, fields.Value(Weight) ?? Severity.Error) { At = fields.At });

    private static readonly Key<long> Version = new("slipway-expectations", new WholeShape(1, 1), "Format version: 1.", required: true);
    private static readonly Key<CountBounds> Rows = new("rows", RowCount, "How many rows there are.");
    private static readonly Key<ImmutableArray<Named<ColumnDraft>>> Columns = new("columns", new NamedShape<ColumnDraft>(Column, NameRule.Foreign), "Expectations by column.");
    private static readonly Key<ImmutableArray<UniqueExpectation>> Uniques = new("unique", new ListShape<UniqueExpectation>(Unique), "Sets of columns that no two rows are equal in.");
    private static readonly Key<ImmutableArray<RuleExpectation>> Rules = new("rules", new ListShape<RuleExpectation>(Rule), "Conditions on each row.");

    public static Shape<ExpectationsDraft> File { get; } = new RecordShape<ExpectationsDraft>(
        [Version, Rows, Columns, Uniques, Rules],
        fields => new(
            fields.Of(Rows),
            fields.Items(Columns),
            fields.Items(Uniques),
            fields.Items(Rules),
            HasAny: new Key[] { Rows, Columns, Uniques, Rules }.Any(key => fields.Has(key) || fields.IsUnread(key))));

    private static CountBounds Count(Fields fields, Severity severity) =>
        new(fields.Value(Min), fields.Value(Max), severity, HasAny: fields.Has(Min) || fields.IsUnread(Min) || fields.Has(Max) || fields.IsUnread(Max), fields.At);
}

/// <param name="HasAny">Whether anything at all is written down, sound or not.</param>
internal sealed record ExpectationsDraft(
    CountBounds? Rows,
    ImmutableArray<Named<ColumnDraft>> Columns,
    ImmutableArray<UniqueExpectation> Unique,
    ImmutableArray<RuleExpectation> Rules,
    bool HasAny);

/// <param name="Tolerates">Whether there is a range, pattern or list of values that rows may break.</param>
internal sealed record ColumnDraft(
    string? Type,
    Ratio? Nulls,
    Bounds? Range,
    string? Matches,
    ImmutableArray<string> Values,
    CountBounds? Distinct,
    Ratio? Tolerate,
    Severity Severity,
    bool Tolerates);

/// <param name="HasAny">Whether min or max is written down, sound or not.</param>
internal sealed record CountBounds(long? Min, long? Max, Severity Severity, bool HasAny, Place At);
