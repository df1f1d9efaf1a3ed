using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Datasets;

/// <summary>Reads an expectations file: all faults at once, each with file, line and column.</summary>
public static class ExpectationsParser
{
    /// <param name="projectRoot">Absolute path of the project's folder.</param>
    /// <param name="path">The file's path, relative to <paramref name="projectRoot"/>.</param>
    /// <exception cref="SlipwayException">The file is missing or unusable (exit 2), or may not be read (exit 3).</exception>
    public static Expectations Load(string projectRoot, string path) =>
        Parse(path, UserFile.Read(projectRoot, path, "expectations", "Write the file, or remove 'expect' from the dataset in the spec."));

    /// <param name="file">What faults call it.</param>
    /// <param name="content">UTF-8, at most 1 MiB.</param>
    /// <exception cref="SlipwayException">The file is unusable (exit 2).</exception>
    public static Expectations Parse(string file, ReadOnlyMemory<byte> content)
    {
        var faults = new FaultList();
        var root = YamlTree.Read(file, content.Span, "expectations", faults);
        if (!ExpectationsGrammar.File.TryRead(root, new Label("the expectations file", new Place(file, 1, 1)), faults, out var draft))
        {
            faults.ThrowIfAny();
            throw new UnreachableException("expectations were not read and no fault says why");
        }

        var result = new Expectations(
            draft.Rows is { } count ? new RowCountExpectation(count.Min, count.Max, count.Severity) { At = count.At } : null,
            [.. draft.Columns.Where(column => column.Value is not null).Select(column => Column(column.Name, column.At, column.Value!, faults))],
            draft.Unique,
            draft.Rules);
        Check(draft, file, faults);
        faults.ThrowIfAny();
        return result;
    }

    private static void Check(ExpectationsDraft draft, string file, FaultList faults)
    {
        if (!draft.HasAny)
            faults.Add(new Place(file, 1, 1), "no-expectations", "the file expects nothing, and a check of nothing would pass on anything", "Write rows, columns, unique or rules.");
        if (draft.Rows is { } rows)
            CheckBounds("rows", rows, faults);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in draft.Rules)
        {
            if (rule.Name.Length > 0 && !seen.Add(rule.Name))
                faults.Add(rule.At, "duplicate-value", $"two rules are called {Node.Quote(rule.Name)}", "Give each rule a name of its own.");
        }
    }

    private static ColumnExpectation Column(string name, Place at, ColumnDraft draft, FaultList faults)
    {
        if (draft.Tolerate is not null && !draft.Tolerates)
            faults.Add(at, "bad-value", $"column {Node.Quote(name)} has tolerate, and no range, matches or values that it could be about", "Remove tolerate; for nulls write their largest share.");
        if (draft.Matches is not null && draft.Type is not (null or "string"))
            faults.Add(at, "bad-value", $"column {Node.Quote(name)} is of type {draft.Type} and has matches, which only strings have", "Remove matches, or write type: string.");
        if (draft.Distinct is { } distinct)
            CheckBounds("distinct", distinct, faults);
        if (draft.Range is { IsRead: true } range)
            CheckRange(name, draft.Type, range, faults);
        return new ColumnExpectation(
            name,
            draft.Type,
            draft.Nulls,
            draft.Range?.Low.Text,
            draft.Range?.High.Text,
            draft.Matches,
            draft.Values,
            draft.Distinct?.Min,
            draft.Distinct?.Max,
            draft.Tolerate ?? default,
            draft.Severity)
        { At = at };
    }

    private static void CheckBounds(string key, CountBounds bounds, FaultList faults)
    {
        if (!bounds.HasAny)
            faults.Add(bounds.At, "missing-key", $"{key} has neither min nor max", "Write min, max or both.");
        if (bounds.Min > bounds.Max)
            faults.Add(bounds.At, "bad-value", $"{key} has min {bounds.Min} and max {bounds.Max}, allowed the smaller number as min");
    }

    private static void CheckRange(string column, string? type, Bounds range, FaultList faults)
    {
        ImmutableArray<Bound> ends = [.. new[] { range.Low, range.High }.Where(end => end.Text is not null)];
        if (ends.Length == 0)
        {
            faults.Add(range.At, "bad-value", $"the range of {Node.Quote(column)} is open at both ends, allowed is one open end", "Write a number, a date or a time for an end.");
            return;
        }

        if (ends.Any(end => end.Kind != ends[0].Kind) && !ends.All(end => end.Kind is BoundKind.Date or BoundKind.Timestamp))
            faults.Add(range.At, "bad-value", $"the range of {Node.Quote(column)} is from a {Name(ends[0].Kind)} to a {Name(ends[^1].Kind)}, allowed are two of one kind");
        else if (BoundsShape.AreReversed(range))
            faults.Add(range.At, "bad-value", $"the range of {Node.Quote(column)} is from {range.Low.Text} to {range.High.Text}, allowed the smaller value first");
        foreach (var end in ends.Where(end => !Fits(type, end)))
            faults.Add(end.At, "bad-value", $"column {Node.Quote(column)} is of type {type}, and an end of its range is {end.Text}, a {(end is { Kind: BoundKind.Number, IsWhole: false } ? "fraction" : Name(end.Kind))}");
    }

    private static bool Fits(string? type, Bound end) => type switch
    {
        null => true,
        "integer" => end is { Kind: BoundKind.Number, IsWhole: true },
        "float" or "decimal" => end.Kind == BoundKind.Number,
        "date" or "timestamp" => end.Kind is BoundKind.Date or BoundKind.Timestamp,
        "time" => end.Kind == BoundKind.Time,
        _ => false,
    };

    private static string Name(BoundKind kind) => kind switch
    {
        BoundKind.Number => "number",
        BoundKind.Date => "date",
        BoundKind.Time => "time",
        _ => "timestamp",
    };
}
