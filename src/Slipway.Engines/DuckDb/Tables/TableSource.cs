using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Engines.DuckDb.Tables;

/// <summary>A table format, told by a file's extension.</summary>
public enum TableFormat
{
    /// <summary><c>.parquet</c></summary>
    Parquet,

    /// <summary><c>.csv</c> and <c>.tsv</c>, also with <c>.gz</c>.</summary>
    Csv,

    /// <summary><c>.jsonl</c> and <c>.ndjson</c>, one object a line, also with <c>.gz</c>.</summary>
    JsonLines,
}

/// <summary>Files of one format that are read as one table.</summary>
public sealed record TableSource
{
    private const string Known = ".parquet, .csv, .tsv, .jsonl or .ndjson (text also with .gz)";

    private TableSource(TableFormat format, ImmutableArray<string> paths) => (Format, Paths) = (format, paths);

    public TableFormat Format { get; }

    /// <summary>In the order in which their rows follow each other.</summary>
    public ImmutableArray<string> Paths { get; }

    /// <summary>The table function call to stand after FROM: <c>read_parquet(['a.parquet'])</c>.</summary>
    public string From => Format switch
    {
        TableFormat.Parquet => $"read_parquet({SqlText.Files(Paths)})",
        TableFormat.Csv => $"read_csv({SqlText.Files(Paths)})",
        _ => $"read_json({SqlText.Files(Paths)}, format = 'newline_delimited')",
    };

    /// <param name="paths">At least one, of one format.</param>
    /// <exception cref="SlipwayException">An extension is unknown, or formats are mixed (exit 2).</exception>
    public static TableSource Of(params IReadOnlyList<string> paths)
    {
        var formats = paths.Select(FormatOf).ToList();
        var other = formats.FindIndex(format => format != formats[0]);
        if (other > 0)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("mixed-formats", $"{Path.GetFileName(paths[0])} and {Path.GetFileName(paths[other])} are of different formats; one table has one", Help: "name the files of one format by a glob, such as data/*.parquet"));
        return new TableSource(formats[0], [.. paths]);
    }

    /// <exception cref="SlipwayException">The extension is unknown (exit 2).</exception>
    public static TableFormat FormatOf(string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        var text = name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
        return Path.GetExtension(text) switch
        {
            ".parquet" when text == name => TableFormat.Parquet,
            ".csv" or ".tsv" => TableFormat.Csv,
            ".jsonl" or ".ndjson" => TableFormat.JsonLines,
            _ => throw new SlipwayException(ExitCode.UnusableInput, new Fault("unknown-format", $"{Path.GetFileName(path)} is no table that can be read; its name must end in {Known}", Help: "rename it by its format, or leave it out by a glob such as data/*.parquet")),
        };
    }
}
