using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Slipway.Documents.Charts;

/// <summary>A chart's numbers: shown beside it, and written as CSV.</summary>
/// <param name="Columns">The first names the row.</param>
public sealed record ChartTable(ImmutableArray<ChartColumn> Columns, ImmutableArray<ImmutableArray<ChartCell>> Rows)
{
    /// <summary>RFC 4180, with a header line. Text that a spreadsheet would take for a formula begins with an apostrophe.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder();
        CsvText.AppendLine(csv, Columns.Select(column => CsvText.Cell(column.Name)));
        foreach (var row in Rows)
            CsvText.AppendLine(csv, row.Select(cell => cell.IsText ? CsvText.Cell(cell.Raw) : cell.Raw));
        return csv.ToString();
    }
}

/// <param name="Name">With its unit.</param>
public sealed record ChartColumn(string Name, bool IsNumber);

/// <param name="Text">For people.</param>
/// <param name="Raw">For machines: a number in the column's unit, a time by ISO 8601, or the text itself; empty for nothing.</param>
public sealed record ChartCell(string Text, string Raw, bool IsText)
{
    public static ChartCell None { get; } = new("–", "", false);

    public static ChartCell Of(string text) => new(text, text, true);

    public static ChartCell Of(double? value, ChartUnit unit) =>
        value is { } number ? new(NumberText.Exact(number, unit), number.ToString("R", CultureInfo.InvariantCulture), false) : None;

    /// <param name="unixMilliseconds">Worded in UTC.</param>
    public static ChartCell Time(long unixMilliseconds) => new(TimeText.Full(unixMilliseconds), TimeText.Iso(unixMilliseconds), false);
}
