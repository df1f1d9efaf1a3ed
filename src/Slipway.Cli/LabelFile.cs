using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Slipway.Documents.Monitoring;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;

namespace Slipway.Cli;

/// <summary>A table of outcomes, read chunk by chunk: of any size in bounded memory. Rows are counted from 1, without a header.</summary>
/// <param name="path">CSV, Parquet or JSON lines.</param>
/// <param name="id">The column that names requests.</param>
/// <param name="label">The column of what they turned out to be: numbers or truth.</param>
internal sealed partial class LabelFile(string path, string id, string label)
{
    /// <summary>What a label may be, for messages.</summary>
    private const string AllowedLabels = "allowed are 0, 1, true, false, or a regression's numbers";

    private const string Mend = "mend the file and tell it again: nothing of it was sent";

    /// <summary>Characters of a refused value that are shown, and columns of a table.</summary>
    private const int LongestShown = 40, MostColumnsShown = 20;

    /// <summary>Of one line of JSON: an id and a label, and what else its writer put beside them.</summary>
    private const int LongestLine = 1024 * 1024;

    /// <summary>Lines for calls of at most <see cref="PredictionLabel.MostLines"/>; a row without an id or a number counts as refused.</summary>
    /// <remarks>The whole table is read before anything is sent: what cannot be read to its end tells nothing by halves.</remarks>
    /// <param name="send">Takes the lines of one call.</param>
    /// <exception cref="SlipwayException">No such file, no table, no row, or it lacks a column (exit 2); no permission to read it (exit 3).</exception>
    public async Task<LabelReceipt> SendAsync(Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send, CancellationToken cancellation)
    {
        RequireFile();
        var source = Source();
        using var scratch = ScratchFolder.Make();
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = scratch.Path, AllowedPaths = [path] });
        try
        {
            var (from, columns) = Table(source, database, cancellation);
            RequireColumns(columns);
            var (ids, labels) = ($"CAST({SqlText.Identifier(id)} AS VARCHAR)", $"CAST({SqlText.Identifier(label)} AS VARCHAR)");
            if (database.Rows($"SELECT CAST(COUNT(*) AS VARCHAR), CAST(COUNT({ids}) AS VARCHAR), CAST(COUNT({labels}) AS VARCHAR) FROM {from}", cancellation)[0][0] == "0")
                throw Unusable("no-labels", "has no row, so nothing was told", "a table of outcomes has a row for each; see what wrote this one");
            using var rows = database.Query($"SELECT {ids}, {labels}, COALESCE(TRY_CAST({labels} AS DOUBLE), CAST(TRY_CAST({labels} AS BOOLEAN) AS DOUBLE)) FROM {from}", cancellation);
            return await SendAsync(rows, send);
        }
        catch (DuckException e) when (e.IsShortage)
        {
            throw e.Explain(new Fault("labels-unreadable", "the labels could not be read", path, Help: "make room, then tell them again: what was told before changes nothing"));
        }
        catch (DuckException e)
        {
            throw Unreadable(source.Format, e);
        }
    }

    private async Task<LabelReceipt> SendAsync(DuckReader rows, Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send)
    {
        var (receipt, call, row) = (LabelReceipt.Empty, new Call(), 0L);
        while (rows.Read())
        {
            for (var i = 0; i < rows.Rows; i++)
            {
                row++;
                if (Problem(rows, i) is { } problem)
                {
                    receipt = receipt.And(LabelReceipt.Empty with { Refused = 1, Problems = [Call.At(row, problem)] });
                    continue;
                }

                call.Add(row, new PredictionLabel(rows.Columns[0].Text(i), rows.Columns[2].Double(i)));
                if (call.IsFull)
                    receipt = receipt.And(await call.SendAsync(send));
            }
        }

        return receipt.And(await call.SendAsync(send));
    }

    private TableSource Source()
    {
        try
        {
            return TableSource.Of(path);
        }
        catch (SlipwayException e) when (e.Faults is [{ Code: "unknown-format" } fault])
        {
            throw new SlipwayException(e.Exit, [fault with { Help = "labels are read from CSV with a header, JSON lines and Parquet: name the file by what it holds" }]);
        }
    }

    private void RequireFile()
    {
        switch (FileStamp.Of(path))
        {
            case null:
                throw Unusable("no-file", "is not there", "name a table of outcomes: .csv, .tsv, .parquet, .jsonl or .ndjson");
            case { Kind: not FileKind.File }:
                throw Unusable("no-file", "is no file", "name one table of outcomes; of several files tell one after the other");
            case { Size: 0 }:
                throw Unusable("no-labels", "is empty, so nothing was told", "a table of outcomes has a row for each; see what wrote this one");
        }

        try
        {
            File.OpenRead(path).Dispose();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", "cannot be read", path, Help: "make it readable for this user"), e);
        }
    }

    /// <summary>What is read, with the names of its columns. CSV is read as text: an id such as 007 is no number.</summary>
    private (string From, List<string> Columns) Table(TableSource source, DuckDatabase database, CancellationToken cancellation)
    {
        if (source.Format == TableFormat.JsonLines)
        {
            // Told what to read, the reader has no need to find out what else a file holds, at whatever depth.
            var keys = FirstKeys();
            var wanted = new[] { id, label }.Select(column => keys.Find(key => key.Equals(column, StringComparison.OrdinalIgnoreCase)) ?? column).Distinct(StringComparer.OrdinalIgnoreCase);
            return ($"{source.From[..^1]}, maximum_object_size = {LongestLine}, columns = {{ {string.Join(", ", wanted.Select(name => $"{SqlText.Literal(name)}: 'VARCHAR'"))} }})", keys);
        }

        if (source.Format != TableFormat.Csv)
            return (source.From, database.Rows($"DESCRIBE SELECT * FROM {source.From}", cancellation).ConvertAll(row => row[0]!));
        var header = Header();
        if (header.Columns.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw Unusable("bad-columns", $"has several columns '{Shown(twice.Key)}'", "give each column a name of its own");
        var types = string.Join(", ", header.Columns.Select(name => $"{SqlText.Literal(name)}: 'VARCHAR'"));
        return ($"{source.From[..^1]}, auto_detect = false, header = true, quote = '\"', escape = '\"', delim = {SqlText.Literal(header.Delimiter.ToString())}, columns = {{ {types} }})", [.. header.Columns]);
    }

    /// <summary>The keys of the first object of JSON lines.</summary>
    private List<string> FirstKeys()
    {
        try
        {
            using var file = File.OpenRead(path);
            using var text = new StreamReader(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file);
            var line = new StringBuilder();
            for (var next = text.Read(); next >= 0 && (next != '\n' || string.IsNullOrWhiteSpace(line.ToString())); next = text.Read())
            {
                if (line.Append((char)next).Length > LongestLine)
                    throw Unusable("labels-unreadable", $"has a first line of more than {LongestLine} characters", "write an object with an id and a label on each line");
            }

            if (string.IsNullOrWhiteSpace(line.ToString()))
                throw Unusable("no-labels", "has no row, so nothing was told", "a table of outcomes has a row for each; see what wrote this one");
            using var first = JsonDocument.Parse(line.ToString());
            return first.RootElement.ValueKind == JsonValueKind.Object ? [.. first.RootElement.EnumerateObject().Select(member => member.Name)] : throw new JsonException();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("labels-unreadable", "is no JSON in row 1, allowed is an object a line", path, Help: Mend), e);
        }
        catch (InvalidDataException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("labels-unreadable", "is no gzip file, or is cut off", path, Help: Mend), e);
        }
    }

    private CsvHeader Header()
    {
        try
        {
            var header = CsvHeader.Read(path);
            return header.Columns.Any(name => name.Length == 0 || name.Contains('\0')) ? throw Unusable("bad-columns", "has a column without a name in its first line", "the first line is the columns' names") : header;
        }
        catch (InvalidDataException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("labels-unreadable", "is no gzip file, or is cut off", path, Help: Mend), e);
        }
    }

    private void RequireColumns(List<string> columns)
    {
        foreach (var (column, option) in new[] { (id, "--id"), (label, "--label") })
        {
            if (columns.Contains(column, StringComparer.OrdinalIgnoreCase))
                continue;
            var shown = string.Join(", ", columns.Take(MostColumnsShown).Select(name => $"'{Shown(name)}'")) + (columns.Count > MostColumnsShown ? " …" : "");
            var near = NearestName.Of(column, columns);
            throw Unusable(
                "no-column",
                $"has no column '{column}'; its {(columns.Count == 1 ? "only column is" : "columns are")} {shown}",
                columns.Count == 1 ? "are the cells parted by commas, semicolons, tabs or |, and is the first line their names?" : $"name it: {option} {near ?? "COLUMN"}");
        }
    }

    private string? Problem(DuckReader rows, int i)
    {
        var (ids, labels, numbers) = (rows.Columns[0], rows.Columns[1], rows.Columns[2]);
        if (ids.IsNull(i) || ids.Text(i).Length == 0)
            return $"'{id}' is empty, allowed are ids of 1 to {PredictionKey.LongestId} characters";
        if (ids.Text(i).Length is > PredictionKey.LongestId and var length)
            return $"'{id}' has {length} characters, allowed are {PredictionKey.LongestId}";
        if (labels.IsNull(i) || labels.Text(i).Length == 0)
            return $"'{label}' is empty, {AllowedLabels}";
        return numbers.IsNull(i) || !double.IsFinite(numbers.Double(i)) ? $"'{label}' is '{Shown(labels.Text(i))}', {AllowedLabels}" : null;
    }

    /// <summary>In our words, with the row where the reader knows it.</summary>
    private SlipwayException Unreadable(TableFormat format, DuckException e)
    {
        var text = e.Message;
        var row = LineNumber().Match(text) is { Success: true } line && long.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture) is var number && Row(number) is >= 1 and var found
            ? string.Create(CultureInfo.InvariantCulture, $" in row {found}") : "";
        // The reader counts the header as a line, and tells of JSON the line that it had come to.
        long Row(long line) => line - 1;
        var what = format switch
        {
            _ when ColumnCount().Match(text) is { Success: true } columns => $"has {(columns.Groups[2].Value == "1" ? "one cell" : $"{columns.Groups[2].Value} cells")}{row}, allowed are {columns.Groups[1].Value}, as in its header",
            _ when text.Contains("unterminated quote", StringComparison.OrdinalIgnoreCase) => $"has a quote that does not end{row}",
            _ when text.Contains("not utf-8", StringComparison.OrdinalIgnoreCase) || text.Contains("unicode", StringComparison.OrdinalIgnoreCase) => $"is not UTF-8{row}",
            TableFormat.JsonLines => $"is no JSON{row}, allowed is an object a line",
            TableFormat.Parquet => "is no Parquet file, or is cut off",
            _ => $"cannot be read as a table of text{row}",
        };
        return new SlipwayException(ExitCode.UnusableInput, new Fault("labels-unreadable", what, path, Help: Mend), e);
    }

    private SlipwayException Unusable(string code, string message, string help) => new(ExitCode.UnusableInput, new Fault(code, message, path, Help: help));

    private static string Shown(string text) => text.Length <= LongestShown ? text : text[..LongestShown] + "…";

    [GeneratedRegex(@"(?:on Line|in line|at line|line)[: ]+(\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex LineNumber();

    [GeneratedRegex(@"Expected Number of Columns: (\d+) Found: (\d+)")]
    private static partial Regex ColumnCount();

    /// <summary>Lines of one call, with the rows that they are.</summary>
    private sealed partial class Call
    {
        private readonly MemoryStream lines = new();
        private readonly List<long> rows = [];

        public bool IsFull => rows.Count == PredictionLabel.MostLines;

        public static string At(long row, string problem) => string.Create(CultureInfo.InvariantCulture, $"row {row}: {problem}");

        public void Add(long row, PredictionLabel label)
        {
            rows.Add(row);
            lines.Write(JsonSerializer.SerializeToUtf8Bytes(label, MonitoringJson.Default.PredictionLabel));
            lines.WriteByte((byte)'\n');
        }

        /// <summary>Sends what there is, and begins anew.</summary>
        public async Task<LabelReceipt> SendAsync(Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send)
        {
            if (rows.Count == 0)
                return LabelReceipt.Empty;
            var receipt = await send(lines.GetBuffer().AsMemory(0, (int)lines.Length));
            LabelReceipt told = receipt with { Problems = [.. receipt.Problems.Select(AtRow)] };
            rows.Clear();
            lines.SetLength(0);
            return told;
        }

        /// <summary>The server counts the lines of a call.</summary>
        private string AtRow(string problem) => OfLine().Match(problem) is { Success: true } line && int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture) is var number && number >= 1 && number <= rows.Count
            ? At(rows[number - 1], line.Groups[2].Value) : problem;

        [GeneratedRegex(@"^line (\d{1,6}): (.*)$", RegexOptions.Singleline)]
        private static partial Regex OfLine();
    }
}
