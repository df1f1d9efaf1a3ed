using System.Text;

namespace Slipway.Documents.Charts;

/// <summary>Tables as RFC 4180 has them, which spreadsheets open without taking text for a formula.</summary>
public static class CsvText
{
    /// <param name="cells">Each a number, or <see cref="Cell"/> of a text.</param>
    public static void AppendLine(StringBuilder csv, IEnumerable<string> cells) => csv.AppendJoin(',', cells).Append("\r\n");

    /// <summary>A text as a cell: quoted where it must be, and with an apostrophe where it would be a formula. Source: OWASP, "CSV injection".</summary>
    public static string Cell(string text)
    {
        if (text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..])
            text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
