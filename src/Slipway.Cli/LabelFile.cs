using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Cli;

/// <summary>A table of outcomes, read chunk by chunk: of any size in bounded memory.</summary>
/// <param name="path">CSV, Parquet or JSON lines.</param>
/// <param name="id">The column that names requests.</param>
/// <param name="label">The column of what they turned out to be: numbers or truth.</param>
internal sealed class LabelFile(string path, string id, string label)
{
    /// <summary>Lines for calls of at most <see cref="PredictionLabel.MostLines"/>; a row without an id or a number counts as refused.</summary>
    /// <param name="send">Takes the lines of one call.</param>
    /// <exception cref="SlipwayException">No such file, no table, or it lacks a column (exit 2).</exception>
    public async Task<LabelReceipt> SendAsync(Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send, CancellationToken cancellation)
    {
        if (!File.Exists(path))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-file", $"there is no file {path}"));
        var source = TableSource.Of(path);
        using var scratch = ScratchFolder.Make();
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = scratch.Path, AllowedPaths = [path] });
        try
        {
            return await SendAsync(database, source, send, cancellation);
        }
        catch (DuckException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("labels-unreadable", $"{path}: {e.Message}", Help: $"the columns {id} and {label} are read; --id and --label name others"), e);
        }
    }

    private async Task<LabelReceipt> SendAsync(DuckDatabase database, TableSource source, Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send, CancellationToken cancellation)
    {
        // CSV as text: an id such as 007 is no number.
        var from = source.Format == TableFormat.Csv ? source.From[..^1] + ", all_varchar = true)" : source.From;
        var value = SqlText.Identifier(label);
        using var rows = database.Query(
            $"SELECT CAST({SqlText.Identifier(id)} AS VARCHAR), COALESCE(TRY_CAST({value} AS DOUBLE), CAST(TRY_CAST(CAST({value} AS VARCHAR) AS BOOLEAN) AS DOUBLE)) FROM {from}", cancellation);
        var (receipt, lines) = (LabelReceipt.Empty, new MemoryStream());
        var (row, first, count) = (0L, 1L, 0);
        while (rows.Read())
        {
            for (var i = 0; i < rows.Rows; i++)
            {
                row++;
                if (Problem(rows, i) is { } problem)
                {
                    receipt = receipt.And(LabelReceipt.Empty with { Refused = 1, Problems = [$"row {row}: {problem}"] });
                    continue;
                }

                lines.Write(JsonSerializer.SerializeToUtf8Bytes(new PredictionLabel(rows.Columns[0].Text(i), rows.Columns[1].Double(i)), MonitoringJson.Default.PredictionLabel));
                lines.WriteByte((byte)'\n');
                if (++count == PredictionLabel.MostLines)
                    (receipt, first, count) = (receipt.And(await FlushAsync(lines, first, send)), row + 1, 0);
            }
        }

        return receipt.And(await FlushAsync(lines, first, send));
    }

    private static string? Problem(DuckReader rows, int i) =>
        rows.Columns[0].IsNull(i) || rows.Columns[0].Text(i).Length is 0 or > PredictionKey.LongestId ? $"its id is to have 1 to {PredictionKey.LongestId} characters"
        : rows.Columns[1].IsNull(i) || !double.IsFinite(rows.Columns[1].Double(i)) ? "its label is no finite number"
        : null;

    private static async Task<LabelReceipt> FlushAsync(MemoryStream lines, long first, Func<ReadOnlyMemory<byte>, Task<LabelReceipt>> send)
    {
        if (lines.Length == 0)
            return LabelReceipt.Empty;
        var receipt = await send(lines.GetBuffer().AsMemory(0, (int)lines.Length));
        lines.SetLength(0);
        // The server counts the lines of a call.
        return receipt with { Problems = [.. receipt.Problems.Select(problem => $"from row {first} on, {problem}")] };
    }
}
