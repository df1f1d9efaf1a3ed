using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Charts;

namespace Slipway.Documents.Cards;

/// <summary>A model card as Markdown with tables (GitHub Flavored Markdown). Pictures are their numbers: most renderers drop inline SVG.</summary>
public static class MarkdownCard
{
    /// <summary>Rows of a table; beyond them it says how many there are.</summary>
    private const int MostRows = 200;

    public static string Write(BundleCard card)
    {
        var text = new StringBuilder();
        text.Append("# Model card: ").Append(Escaped(card.Name)).Append('\n');
        foreach (var section in CardContent.Of(card))
        {
            text.Append("\n## ").Append(Escaped(section.Title)).Append('\n');
            foreach (var part in section.Parts)
                Append(text, part);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, CardPart part)
    {
        switch (part)
        {
            case CardText words:
                text.Append('\n').Append(Escaped(words.Text)).Append('\n');
                break;
            case CardList list:
                text.Append('\n');
                foreach (var item in list.Items)
                    text.Append("- ").Append(Escaped(item)).Append('\n');
                break;
            case CardTable table:
                Table(text, table.Caption, table.Columns, table.Rows);
                break;
            case CardChart { Chart: GraphChart }:
                break;      // the stages' table says the same
            case CardChart { Chart: var chart }:
                var numbers = chart.Numbers();
                Table(text, $"{chart.Title}. {chart.Description}", [.. numbers.Columns.Select(column => column.Name)], [.. numbers.Rows.Select(row => row.Select(cell => cell.Text).ToImmutableArray())]);
                break;
        }
    }

    private static void Table(StringBuilder text, string caption, ImmutableArray<string> columns, ImmutableArray<ImmutableArray<string>> rows)
    {
        text.Append('\n').Append(Escaped(caption)).Append("\n\n");
        Line(text, columns);
        text.Append('|').Insert(text.Length, " --- |", columns.Length).Append('\n');
        foreach (var row in rows.Take(MostRows))
            Line(text, row);
        if (rows.Length > MostRows)
            text.Append('\n').Append(CountText.Count(MostRows)).Append(" of ").Append(CountText.Some(rows.Length, "row")).Append(" are shown.\n");
    }

    private static void Line(StringBuilder text, ImmutableArray<string> cells)
    {
        text.Append('|');
        foreach (var cell in cells)
            text.Append(' ').Append(Escaped(cell)).Append(" |");
        text.Append('\n');
    }

    /// <summary>Text that is text: no mark-up, no link, no HTML, no line of its own. CommonMark takes a backslash before any ASCII punctuation.</summary>
    private static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\n' or '\t')
                escaped.Append(' ');
            else if (rune.Value is < ' ' or >= 0x7F and < 0xA0 or 0x2028 or 0x2029 or >= 0x202A and <= 0x202E or >= 0x2066 and <= 0x2069)
                escaped.Append('\uFFFD');
            else if (rune.Value is '\\' or '`' or '*' or '_' or '{' or '}' or '[' or ']' or '<' or '>' or '#' or '|' or '~' or '&' or '!' or '$')
                escaped.Append('\\').Append(rune.ToString());
            else
                escaped.Append(rune.ToString());
        }

        // What would be made a link of by itself is parted, so that a card leads nowhere.
        return escaped.Replace("://", ":\\//").Replace("www.", "www\\.").Replace("@", "\\@").ToString();
    }
}
