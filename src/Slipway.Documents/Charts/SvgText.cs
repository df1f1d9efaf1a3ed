using System.Globalization;
using System.Text;

namespace Slipway.Documents.Charts;

/// <summary>Writes one picture: shapes with classes, and text that is text whatever it holds.</summary>
internal sealed class SvgText
{
    /// <summary>Of a character at the size of labels, in pixels: no font is known here, and this is what most need at most.</summary>
    public const double CharacterWidth = 6.4;

    private readonly StringBuilder svg = new();

    public SvgText(Chart chart, string kind, double width, double height)
    {
        svg.Append(CultureInfo.InvariantCulture, $"""<svg class="chart {kind}" role="img" viewBox="0 0 {N(width)} {N(height)}" width="{N(width)}" height="{N(height)}" xmlns="http://www.w3.org/2000/svg">""");
        svg.Append("<title>").Append(Escaped(chart.Title)).Append("</title><desc>").Append(Escaped(chart.Description)).Append("</desc>");
    }

    public void Line(double x1, double y1, double x2, double y2, string @class) =>
        svg.Append(CultureInfo.InvariantCulture, $"""<line class="{@class}" x1="{N(x1)}" y1="{N(y1)}" x2="{N(x2)}" y2="{N(y2)}"/>""");

    /// <param name="data">Of a path: numbers by <see cref="N"/>, and letters.</param>
    public void Path(string data, string @class) => svg.Append(CultureInfo.InvariantCulture, $"""<path class="{@class}" d="{data}"/>""");

    /// <param name="hint">Shown while a pointer rests on it; empty for none.</param>
    public void Rectangle(double x, double y, double width, double height, string @class, string hint = "", double round = 0)
    {
        svg.Append(CultureInfo.InvariantCulture, $"""<rect class="{@class}" x="{N(x)}" y="{N(y)}" width="{N(Math.Max(0, width))}" height="{N(Math.Max(0, height))}" """);
        if (round > 0)
            svg.Append(CultureInfo.InvariantCulture, $"""rx="{N(round)}" """);
        Close("rect", hint);
    }

    public void Dot(double x, double y, double radius, string @class, string hint = "")
    {
        svg.Append(CultureInfo.InvariantCulture, $"""<circle class="{@class}" cx="{N(x)}" cy="{N(y)}" r="{N(radius)}" """);
        Close("circle", hint);
    }

    /// <param name="anchor">start, middle or end.</param>
    /// <param name="room">Pixels that there are; a longer text is cut, and is whole in its hint.</param>
    public void Text(double x, double y, string text, string @class, string anchor = "start", double room = double.PositiveInfinity)
    {
        var most = (int)Math.Max(1, Math.Min(room / CharacterWidth, int.MaxValue - 1));
        var shown = text.Length <= most ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[Math.Max(0, most - 2)]) ? Math.Max(0, most - 2) : Math.Max(0, most - 1)), "…");
        svg.Append(CultureInfo.InvariantCulture, $"""<text class="{@class}" x="{N(x)}" y="{N(y)}" text-anchor="{anchor}">{Escaped(shown)}""");
        if (shown.Length != text.Length)
            svg.Append("<title>").Append(Escaped(text)).Append("</title>");
        svg.Append("</text>");
    }

    public override string ToString() => svg.ToString() + "</svg>";

    public static double WidthOf(string text) => text.Length * CharacterWidth;

    /// <summary>A coordinate, to the hundredth of a pixel; what is no finite number is 0.</summary>
    public static string N(double value) => double.IsFinite(value) ? Math.Round(Math.Clamp(value, -1e6, 1e6), 2).ToString("0.##", CultureInfo.InvariantCulture) : "0";

    /// <summary>Text for HTML and XML alike: what neither allows becomes U+FFFD.</summary>
    public static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                < ' ' and not ('\t' or '\n') or >= 0x7F and < 0xA0 or 0xFFFE or 0xFFFF => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }

    private void Close(string element, string hint)
    {
        if (hint.Length == 0)
            svg.Append("/>");
        else
            svg.Append(CultureInfo.InvariantCulture, $"><title>{Escaped(hint)}</title></{element}>");
    }
}
