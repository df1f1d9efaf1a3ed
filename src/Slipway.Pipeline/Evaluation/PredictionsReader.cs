using System.Collections.Immutable;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Faults;
using Slipway.Stats.Metrics;

namespace Slipway.Pipeline.Evaluation;

/// <summary>Reads label, score, unit and slices of a predictions table chunk by chunk, and refuses what cannot be evaluated.</summary>
/// <param name="path">Absolute; the format is told by its extension.</param>
internal sealed class PredictionsReader(EvaluateSpec spec, string path, DuckDatabase database, CancellationToken cancellation)
{
    /// <summary>Values of one slice column: each is evaluated by itself, and nobody reads more.</summary>
    public const int MaxSliceValues = 1000;

    /// <summary>Units by name: some 100 bytes each are held. More are refused rather than swapped.</summary>
    public const int MaxUnits = 4_000_000;

    private readonly string file = spec.Predictions;
    private readonly string table = TableSource.Of(path).From;

    /// <exception cref="SlipwayException">All faults of the columns at once, or else all faults of the values at once.</exception>
    public Predictions Read()
    {
        var types = Ask(() => database.Rows($"DESCRIBE SELECT * FROM {table}", cancellation)).ToDictionary(row => row[0]!, row => row[1]!, StringComparer.Ordinal);
        CheckColumns(types);
        var rows = Ask(() => database.Rows($"SELECT count(*) FROM {table}", cancellation))[0][0]!;
        var count = long.Parse(rows);
        if (count is 0 or > LabelledScores.MaxRows)
            throw Refuse(Fault(count == 0 ? "empty-predictions" : "too-many-rows", $"{file} has {count} rows; 1 to {LabelledScores.MaxRows} can be evaluated"));
        var predictions = ReadRows((int)count);
        var times = types.Where(column => column.Value.StartsWith("TIMESTAMP", StringComparison.Ordinal) || column.Value == "DATE").Select(column => column.Key);
        return predictions with { TimeColumns = [.. times] };
    }

    private void CheckColumns(Dictionary<string, string> types)
    {
        List<(string Key, string? Column)> wanted = [("label", spec.Label), ("score", spec.Score), ("unit", spec.Unit), .. spec.Slices.Select(slice => ("slices", (string?)slice))];
        var faults = wanted.Where(each => each.Column is { } column && !types.ContainsKey(column)).Select(each => Fault(
            "missing-column",
            $"evaluate.{each.Key} names the column '{each.Column}', which {file} does not have",
            NearestName.Of(each.Column!, types.Keys) is { } near ? $"did you mean {near}?" : $"its columns are {string.Join(", ", types.Keys.Order(StringComparer.Ordinal))}")).ToList();
        foreach (var (key, column) in new[] { ("label", spec.Label), ("score", spec.Score) })
        {
            if (types.TryGetValue(column, out var type) && !IsNumber(type) && !(key == "label" && type == "BOOLEAN"))
                faults.Add(Fault("wrong-type", $"the {key} column '{column}' of {file} is {type}; it must be a number{(key == "label" ? " 0 or 1, or a boolean" : " from 0 to 1")}"));
        }

        if (faults.Count > 0)
            throw Refuse([.. faults]);
    }

    private static bool IsNumber(string type) =>
        type is "FLOAT" or "DOUBLE" || type.EndsWith("INT", StringComparison.Ordinal) || type.EndsWith("INTEGER", StringComparison.Ordinal) || type.StartsWith("DECIMAL", StringComparison.Ordinal);

    private Predictions ReadRows(int count)
    {
        string Number(string column) => $"CAST({SqlText.Identifier(column)} AS DOUBLE)";
        string Text(string column) => $"CAST({SqlText.Identifier(column)} AS VARCHAR)";
        List<string> named = [.. spec.Unit is { } unit ? [unit] : Array.Empty<string>(), .. spec.Slices.Distinct()];
        var sql = $"SELECT {string.Join(", ", [Number(spec.Label), Number(spec.Score), .. named.Select(Text)])} FROM {table}";

        var (scores, labels) = (new double[count], new bool[count]);
        var codes = named.Select(_ => new int[count]).ToList();
        var values = named.Select((_, i) => new ValueCodes(spec.Unit is not null && i == 0 ? MaxUnits : MaxSliceValues)).ToList();
        var (badLabels, badScores, nullUnits) = (new BadRows(), new BadRows(), new BadRows());
        var read = Ask(() =>
        {
            using var rows = database.Query(sql, cancellation);
            var at = 0;
            for (; rows.Read(); at += rows.Rows)
            {
                if (at + rows.Rows > count)
                    return at + rows.Rows;
                ReadLabels(rows.Columns[0], rows.Rows, labels.AsSpan(at), at, badLabels);
                ReadScores(rows.Columns[1], rows.Rows, scores.AsSpan(at), at, badScores);
                for (var i = 0; i < named.Count; i++)
                    ReadValues(named[i], rows.Columns[2 + i], rows.Rows, codes[i].AsSpan(at), at, values[i], spec.Unit is not null && i == 0 ? nullUnits : null);
            }

            return at;
        });
        if (read != count)
            throw Refuse(Fault("changed-file", $"{file} had {count} rows and then {read}: it is being written to", "run again when nothing writes to it"));
        CheckRows(count, labels, badLabels, badScores, nullUnits);

        var names = spec.Unit is null ? null : values[0].Sort(codes[0]);
        var slices = named.Select((name, i) => (name, i)).Skip(spec.Unit is null ? 0 : 1)
            .Select(column => new SliceColumn(column.name, codes[column.i], values[column.i].Sort(codes[column.i]))).ToImmutableArray();
        return new Predictions(new LabelledScores(scores, labels, names is null ? null : codes[0], names?.Length ?? count), names, slices, []);
    }

    private void CheckRows(int count, bool[] labels, BadRows badLabels, BadRows badScores, BadRows nullUnits)
    {
        List<Fault> faults = [];
        if (badLabels.Count > 0)
            faults.Add(Fault("bad-label", $"the label column '{spec.Label}' of {file} is not 0 or 1 in {badLabels.Of(count)}"));
        if (badScores.Count > 0)
            faults.Add(Fault("bad-score", $"the score column '{spec.Score}' of {file} is not a probability from 0 to 1 in {badScores.Of(count)}", "a score must be the probability of label 1, not a class or a margin"));
        if (nullUnits.Count > 0)
            faults.Add(Fault("null-unit", $"the unit column '{spec.Unit}' of {file} is null in {nullUnits.Of(count)}", "every row belongs to one unit"));
        if (faults.Count == 0 && (labels.AsSpan().IndexOf(true) < 0 || labels.AsSpan().IndexOf(false) < 0))
            faults.Add(Fault("one-class", $"the label column '{spec.Label}' of {file} is {(labels[0] ? 1 : 0)} in all {count} rows; both classes are needed"));
        if (faults.Count > 0)
            throw Refuse([.. faults]);
    }

    private static void ReadLabels(DuckColumn column, int rows, Span<bool> labels, int at, BadRows bad)
    {
        var values = column.Values<double>();
        for (var i = 0; i < rows; i++)
        {
            labels[i] = values[i] == 1;
            if (column.IsNull(i) || values[i] is not (0 or 1))
                bad.Add(at + i, column.IsNull(i) ? "null" : column.Text(i));
        }
    }

    private static void ReadScores(DuckColumn column, int rows, Span<double> scores, int at, BadRows bad)
    {
        var values = column.Values<double>();
        for (var i = 0; i < rows; i++)
        {
            scores[i] = values[i];
            if (column.IsNull(i) || values[i] is not (>= 0 and <= 1))
                bad.Add(at + i, column.IsNull(i) ? "null" : column.Text(i));
        }
    }

    private void ReadValues(string name, DuckColumn column, int rows, Span<int> codes, int at, ValueCodes values, BadRows? nulls)
    {
        for (var i = 0; i < rows; i++)
        {
            var isNull = column.IsNull(i);
            if (isNull)
                nulls?.Add(at + i, "null");
            if (values.TryCode(isNull ? "(null)"u8 : column.Utf8(i), out codes[i]))
                continue;
            throw Refuse(nulls is null
                ? Fault("too-many-slices", $"the slice column '{name}' of {file} has more than {MaxSliceValues} values", "slice by a coarser column")
                : Fault("too-many-units", $"the unit column '{name}' of {file} has more than {MaxUnits} values", "use a coarser unit; or none, if rows are independent"));
        }
    }

    private T Ask<T>(Func<T> query)
    {
        try
        {
            return query();
        }
        catch (DuckException e)
        {
            throw e.Explain(Fault("unusable-table", $"{file} cannot be read"));
        }
    }

    private Fault Fault(string code, string message, string? help = null) =>
        spec.At.File is null ? new Fault(code, message, Help: help) : spec.At.Fault(code, message, help);

    private static SlipwayException Refuse(params IReadOnlyList<Fault> faults) => new(ExitCode.UnusableInput, faults);

    /// <summary>How many rows are bad, and the first of them.</summary>
    private sealed class BadRows
    {
        private string first = "";

        public int Count { get; private set; }

        public void Add(int row, string found)
        {
            if (Count++ == 0)
                first = $"row {row + 1} has {found}";
        }

        public string Of(int rows) => $"{Count} of {rows} rows: {first}";
    }
}
