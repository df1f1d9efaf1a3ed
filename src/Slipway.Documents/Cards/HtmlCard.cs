using System.Security.Cryptography;
using System.Text;
using Slipway.Documents.Charts;
using static Slipway.Documents.Charts.SvgText;

namespace Slipway.Documents.Cards;

/// <summary>A model card as one HTML page that stands alone: no script, nothing loaded from anywhere, light and dark by the reader's preference.</summary>
/// <remarks>Its content security policy allows its own style sheet, by hash, and nothing else: what slipped through escaping could still do nothing.</remarks>
public static class HtmlCard
{
    /// <summary>Pixels. Drawn twice, since text does not shrink: for most screens, and for a phone's.</summary>
    private const int Wide = 660, Narrow = 330;

    /// <summary>Rows of a table; beyond them it says how many there are.</summary>
    private const int MostRows = 200;

    public static string Write(BundleCard card)
    {
        var style = Style();
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
            .Append("<title>Model card: ").Append(Escaped(card.Name)).Append("</title>\n<style>").Append(style).Append("</style>\n</head>\n<body>\n<main>\n")
            .Append("<h1>Model card: ").Append(Escaped(card.Name)).Append("</h1>\n<p class=\"lead\">Made from the sealed documents of <code>").Append(card.Bundle).Append("</code> and from what trusted keys signed about it.</p>\n");
        foreach (var section in CardContent.Of(card))
        {
            html.Append("<section>\n<h2>").Append(Escaped(section.Title)).Append("</h2>\n");
            foreach (var part in section.Parts)
                Append(html, part);
            html.Append("</section>\n");
        }

        return html.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Append(StringBuilder html, CardPart part)
    {
        switch (part)
        {
            case CardText words:
                html.Append("<p>").Append(Escaped(words.Text)).Append("</p>\n");
                break;
            case CardList list:
                html.Append("<ul>\n");
                foreach (var item in list.Items)
                    html.Append("<li>").Append(Escaped(item)).Append("</li>\n");
                html.Append("</ul>\n");
                break;
            case CardTable table:
                Table(html, table.Caption, [.. table.Columns.Select(column => (column, false))], [.. table.Rows.Select(row => row.ToArray())]);
                break;
            case CardChart { Chart: var chart }:
                Figure(html, chart);
                break;
        }
    }

    private static void Figure(StringBuilder html, Chart chart)
    {
        html.Append("<figure>\n<figcaption>").Append(Escaped(chart.Title)).Append("</figcaption>\n");
        if (chart is GraphChart)
            html.Append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"").Append(Escaped(chart.Title)).Append("\">").Append(chart.Svg(Wide)).Append("</div>\n");
        else
            html.Append("<div class=\"wide\">").Append(chart.Svg(Wide)).Append("</div>\n<div class=\"narrow\">").Append(chart.Svg(Narrow)).Append("</div>\n");
        var numbers = chart.Numbers();
        html.Append("<p class=\"reading\">").Append(Escaped(chart.Description)).Append("</p>\n<details><summary>Numbers: ").Append(CountText.Some(numbers.Rows.Length, "row")).Append("</summary>\n");
        Table(html, chart.Title, [.. numbers.Columns.Select(column => (column.Name, column.IsNumber))], [.. numbers.Rows.Select(row => row.Select(cell => cell.Text).ToArray())]);
        html.Append("</details>\n</figure>\n");
    }

    private static void Table(StringBuilder html, string caption, (string Name, bool IsNumber)[] columns, string[][] rows)
    {
        html.Append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"").Append(Escaped(caption)).Append("\"><table>\n<caption>").Append(Escaped(caption));
        if (rows.Length > MostRows)
            html.Append($": the first {CountText.Count(MostRows)} of {CountText.Some(rows.Length, "row")}");
        html.Append("</caption>\n<thead><tr>");
        foreach (var (name, isNumber) in columns)
            html.Append("<th scope=\"col\"").Append(isNumber ? " class=\"number\">" : ">").Append(name.Length > 0 ? Escaped(name) : "<span class=\"unseen\">Name</span>").Append("</th>");
        html.Append("</tr></thead>\n<tbody>\n");
        foreach (var row in rows.Take(MostRows))
        {
            html.Append("<tr><th scope=\"row\">").Append(Escaped(row[0])).Append("</th>");
            for (var i = 1; i < row.Length; i++)
                html.Append(columns[i].IsNumber ? "<td class=\"number\">" : "<td>").Append(Escaped(row[i])).Append("</td>");
            html.Append("</tr>\n");
        }

        html.Append("</tbody></table></div>\n");
    }

    private static string Style()
    {
        using var reader = new StreamReader(typeof(HtmlCard).Assembly.GetManifestResourceStream("Slipway.Documents.Cards.card.css")!);
        return "\n" + ChartStyle.Css + reader.ReadToEnd();
    }
}
