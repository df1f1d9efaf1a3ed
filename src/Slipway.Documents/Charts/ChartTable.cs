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
        CsvText.AppendLine(csv, Columns.Select(column => CsvText.Cell(column.Header)));
        foreach (var row in Rows)
            CsvText.AppendLine(csv, row.Select(cell => cell.IsText ? CsvText.Cell(cell.Raw) : cell.Raw));
        return csv.ToString();
    }
}

/// <param name="Unit">Of its numbers as machines read them; empty for none, or where the name says it. On pages the cells themselves say it.</param>
public sealed record ChartColumn(string Name, bool IsNumber, string Unit = "")
{
    internal string Header => Unit.Length > 0 ? $"{Name} ({Unit})" : Name;

    public static ChartColumn Of(string name, ChartUnit unit) => new(name, true, unit switch
    {
        ChartUnit.Share => "share, 0 to 1",
        ChartUnit.Seconds => "seconds",
        ChartUnit.PerSecond => "per second",
        ChartUnit.Count => "count",
        _ => "",
    });
}

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
