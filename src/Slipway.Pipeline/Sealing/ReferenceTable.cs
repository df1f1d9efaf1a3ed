using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Faults;
using Slipway.Stats.Sketches;

namespace Slipway.Pipeline.Sealing;

/// <summary>A table whose columns show what a model's inputs or outputs look like.</summary>
/// <remarks>
/// What it gives depends on the rows alone, not on their order, on threads or on the machine: counts and values are exact, and sums go
/// through values in their order. Memory is the engine's, which spills to disk; nothing grows with the rows here.
/// </remarks>
/// <param name="name">As the spec names it, for messages.</param>
/// <param name="at">Where the spec names it.</param>
internal sealed class ReferenceTable(DuckDatabase database, TableSource source, string name, Place at, CancellationToken cancellation)
{
    /// <summary>Every tensor's column is there, and of its kind.</summary>
    /// <param name="types">DuckDB's types by column.</param>
    /// <exception cref="SlipwayException">All columns that are missing or of another kind (exit 2).</exception>
    public static void Require(IEnumerable<TensorSpec> tensors, IReadOnlyDictionary<string, string> types, string name, Place at)
    {
        var faults = new List<Fault>();
        foreach (var tensor in tensors)
        {
            if (!types.TryGetValue(tensor.Name, out var type))
            {
                var near = NearestName.Of(tensor.Name, types.Keys);
                faults.Add(FaultAt(at, "missing-column", $"model.reference is '{name}', which has no column '{tensor.Name}' for the input of that name", near is null ? $"its columns are {string.Join(", ", types.Keys.Order(StringComparer.Ordinal))}" : $"did you mean {near}? name the column as the input"));
            }
            else if (tensor.Datatype != Datatype.String && !IsNumber(type) && type != "BOOLEAN")
            {
                faults.Add(FaultAt(at, "wrong-type", $"the column '{tensor.Name}' of '{name}' is {type}, and the model takes or gives a {(tensor.Datatype == Datatype.Bool ? "truth" : "number")} of that name", null));
            }
        }

        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    public ImmutableSortedDictionary<string, string> Types() =>
        Ask(() => database.Rows($"DESCRIBE SELECT * FROM {source.From}", cancellation)).ToImmutableSortedDictionary(row => row[0]!, row => row[1]!, StringComparer.Ordinal);

    public ReferenceFeature Of(TensorSpec tensor, Sensitivity sensitivity)
    {
        var column = SqlText.Identifier(tensor.Name);
        return Ask(() => tensor.HasCategories
            ? Text(tensor.Name, tensor.Datatype == Datatype.Bool ? $"CAST(TRY_CAST({column} AS BOOLEAN) AS VARCHAR)" : $"CAST({column} AS VARCHAR)", sensitivity)
            // As the model gets them: a value that was rounded to 32 bits lies beside an edge that was not.
            : Number(tensor.Name, tensor.Datatype == Datatype.Float32 ? $"TRY_CAST(TRY_CAST({column} AS FLOAT) AS DOUBLE)" : $"TRY_CAST({column} AS DOUBLE)", sensitivity));
    }

    private ReferenceFeature Number(string feature, string value, Sensitivity sensitivity)
    {
        var isSensitive = sensitivity == Sensitivity.Sensitive;
        var (rows, finite) = Counts(value, "isfinite(v)");
        var walk = new ValueWalk(finite);
        using (var values = database.Query($"SELECT v, count(*) FROM {Values(value)} WHERE isfinite(v) GROUP BY v ORDER BY v", cancellation))
        {
            while (values.Read())
            {
                for (var row = 0; row < values.Rows; row++)
                    walk.Add(values.Columns[0].Double(row) + 0.0, values.Columns[1].Int64(row));      // −0 becomes 0
            }
        }

        var edges = walk.Edges(isSensitive);
        var below = edges.IsEmpty ? [] : CountsUpTo(value, edges);
        var bins = below.Append(finite).Zip(below.Prepend(0), (upTo, before) => upTo - before).ToImmutableArray();
        if (isSensitive)
            (edges, bins) = ValueWalk.Coarsen(edges, bins);
        return new ReferenceFeature(feature, sensitivity, edges, null, new ColumnProfile(rows, rows - finite, bins, isSensitive ? null : walk.Moments));
    }

    private ReferenceFeature Text(string feature, string value, Sensitivity sensitivity)
    {
        const int most = ReferenceFeature.MostCategories, longest = ReferenceFeature.LongestCategory, least = ReferenceFeature.LeastSensitiveRows;
        var (rows, present) = Counts(value, "v <> ''");
        var having = sensitivity == Sensitivity.Sensitive ? $"HAVING count(*) >= {least}" : "";
        var frequent = database.Rows(
            $"SELECT v, n FROM (SELECT v, count(*) AS n FROM {Values(value)} WHERE v <> '' AND length(v) <= {longest} GROUP BY v {having} ORDER BY n DESC, v LIMIT {most}) ORDER BY v", cancellation)
            .Where(row => row[0]!.Length <= longest)        // UTF-16 units, as a gateway counts
            .Select(row => (Value: row[0]!, Rows: long.Parse(row[1]!, CultureInfo.InvariantCulture)))
            .ToList();
        return new ReferenceFeature(
            feature,
            sensitivity,
            null,
            [.. frequent.Select(category => category.Value)],
            new ColumnProfile(rows, rows - present, [.. frequent.Select(category => category.Rows), present - frequent.Sum(category => category.Rows)], null));
    }

    private (long Rows, long Counted) Counts(string value, string condition)
    {
        var row = database.Rows($"SELECT count(*), count(*) FILTER (WHERE {condition}) FROM {Values(value)}", cancellation)[0];
        return (long.Parse(row[0]!, CultureInfo.InvariantCulture), long.Parse(row[1]!, CultureInfo.InvariantCulture));
    }

    private long[] CountsUpTo(string value, ImmutableArray<double> edges)
    {
        var counts = string.Join(", ", edges.Select(edge => $"count(*) FILTER (WHERE isfinite(v) AND v <= {SqlText.Literal(edge)})"));
        return [.. database.Rows($"SELECT {counts} FROM {Values(value)}", cancellation)[0].Select(count => long.Parse(count!, CultureInfo.InvariantCulture))];
    }

    private string Values(string value) => $"(SELECT {value} AS v FROM {source.From})";

    private static bool IsNumber(string type) =>
        type is "FLOAT" or "DOUBLE" || type.EndsWith("INT", StringComparison.Ordinal) || type.EndsWith("INTEGER", StringComparison.Ordinal) || type.StartsWith("DECIMAL", StringComparison.Ordinal);

    private T Ask<T>(Func<T> query)
    {
        try
        {
            return query();
        }
        catch (DuckException e)
        {
            throw e.Explain(FaultAt(at, "unusable-table", $"model.reference: '{name}' cannot be read", null));
        }
    }

    private static Fault FaultAt(Place at, string code, string message, string? help) => at.File is null ? new Fault(code, message, Help: help) : at.Fault(code, message, help);
}
