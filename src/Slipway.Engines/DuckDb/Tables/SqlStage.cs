using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Engines.DuckDb.Tables;

/// <summary>
/// An SQL file as a stage: inputs are views by their names, the script makes tables or views by its outputs' names, and each
/// is written to its file.
/// </summary>
/// <remarks>
/// Same inputs, script and memory limit give the same bytes, on any number of processors: everything runs on one thread, since
/// float sums and the order of rows after a join or a GROUP BY would otherwise depend on the number of threads and on timing.
/// What a script itself makes random (<c>random()</c>, <c>now()</c>) stays so; <c>setseed</c> mends the first.
/// </remarks>
public sealed record SqlStage
{
    /// <summary>The script's text: one or more statements.</summary>
    public required string Script { get; init; }

    /// <summary>The script's name in messages.</summary>
    public required string ScriptName { get; init; }

    /// <summary>Absolute paths by view name; <c>stage.output</c> becomes view <c>output</c> in schema <c>stage</c>.</summary>
    public required ImmutableSortedDictionary<string, ImmutableArray<string>> Inputs { get; init; }

    /// <summary>Absolute path by table name: <c>.parquet</c>, <c>.csv</c>, <c>.tsv</c>, <c>.jsonl</c> or <c>.ndjson</c>. The folder must exist.</summary>
    public required ImmutableSortedDictionary<string, string> Outputs { get; init; }

    /// <summary>SQL literals (see <see cref="SqlText"/>) by the name under which <c>getvariable('name')</c> gives them. Default: none.</summary>
    public ImmutableSortedDictionary<string, string> Variables { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>See <see cref="DuckOptions.ScratchFolder"/>.</summary>
    public required string ScratchFolder { get; init; }

    /// <summary>See <see cref="DuckOptions.MemoryLimit"/>. Default: 1 GiB.</summary>
    public ByteSize MemoryLimit { get; init; } = new(1L << 30);

    /// <summary>Runs it to the end.</summary>
    /// <returns>Rows written by output name.</returns>
    /// <exception cref="SlipwayException">A fault in the script, an input that cannot be read, an output that the script did not make (exit 2); disk or memory ran out (exit 3).</exception>
    public ImmutableSortedDictionary<string, long> Run(CancellationToken cancellation)
    {
        foreach (var path in Outputs.Values)
            _ = TableSource.FormatOf(path);
        using var database = DuckDatabase.Open(new DuckOptions
        {
            ScratchFolder = ScratchFolder,
            MemoryLimit = MemoryLimit,
            AllowedPaths = [.. Inputs.Values.SelectMany(paths => paths), .. Outputs.Values],
        });
        foreach (var (name, literal) in Variables)
            database.Execute($"SET VARIABLE {SqlText.Identifier(name)} = {literal}", cancellation);
        foreach (var (name, paths) in Inputs)
            MakeView(database, name, TableSource.Of([.. paths]), cancellation);
        Try(new Fault("sql-failed", "the script failed", ScriptName), () => database.Execute(Script, cancellation));
        var tables = database.Rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'", cancellation).Select(row => row[0]!).ToList();
        return Outputs.ToImmutableSortedDictionary(output => output.Key, output => Write(database, output.Key, output.Value, tables, cancellation));
    }

    private static void MakeView(DuckDatabase database, string name, TableSource source, CancellationToken cancellation)
    {
        // The name of a combination may have dots, that of an output has none.
        string[] parts = name.LastIndexOf('.') is > 0 and var dot ? [name[..dot], name[(dot + 1)..]] : [name];
        if (parts.Length == 2)
            database.Execute($"CREATE SCHEMA IF NOT EXISTS {SqlText.Identifier(parts[0])}", cancellation);
        Try(
            new Fault("unusable-table", $"the input {name} cannot be read"),
            () => database.Execute($"CREATE VIEW {string.Join('.', parts.Select(SqlText.Identifier))} AS SELECT * FROM {source.From}", cancellation));
    }

    private long Write(DuckDatabase database, string name, string path, List<string> tables, CancellationToken cancellation)
    {
        if (!tables.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            var near = NearestName.Of(name, tables.Where(table => !Inputs.ContainsKey(table)));
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-table", $"the script made no table '{name}', which the stage declares as an output", ScriptName, Help: near is null ? $"end the script with CREATE TABLE {SqlText.Identifier(name)} AS SELECT …" : $"it made '{near}'; give both the same name"));
        }

        var format = TableSource.FormatOf(path) switch
        {
            TableFormat.Parquet => "FORMAT parquet",
            TableFormat.Csv => Path.GetFileName(path).Contains(".tsv", StringComparison.OrdinalIgnoreCase) ? "FORMAT csv, HEADER, DELIMITER '\t'" : "FORMAT csv, HEADER",
            _ => "FORMAT json",
        };
        if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            format += ", COMPRESSION gzip";
        return Try(
            new Fault("sql-failed", $"the table '{name}' could not be computed or written", ScriptName),
            () => long.Parse(database.Rows($"COPY (FROM {SqlText.Identifier(name)}) TO {SqlText.Literal(path)} ({format})", cancellation)[0][0]!));
    }

    private static void Try(Fault fault, Action statement) => Try(fault, () =>
    {
        statement();
        return 0;
    });

    private static T Try<T>(Fault fault, Func<T> statement)
    {
        try
        {
            return statement();
        }
        catch (DuckException e)
        {
            throw e.Explain(fault);
        }
    }
}
