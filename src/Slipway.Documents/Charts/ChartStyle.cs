namespace Slipway.Documents.Charts;

/// <summary>The style sheet that charts are drawn for: a page or report includes it once. Light and dark by the reader's preference.</summary>
public static class ChartStyle
{
    public static string Css { get; } = Read();

    private static string Read()
    {
        using var reader = new StreamReader(typeof(ChartStyle).Assembly.GetManifestResourceStream("Slipway.Documents.Charts.chart.css")!);
        return reader.ReadToEnd();
    }
}
