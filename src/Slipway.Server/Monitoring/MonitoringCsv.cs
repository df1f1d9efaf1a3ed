using System.Globalization;
using System.Text;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Monitoring;

/// <summary>A view as tables for spreadsheets: RFC 4180, times in UTC as ISO 8601, an unknown number as an empty cell.</summary>
internal static class MonitoringCsv
{
    public static readonly string[] Tables = ["traffic", "latency", "drift", "quality"];

    /// <param name="table">One of <see cref="Tables"/>.</param>
    public static string Of(MonitoringView view, string table)
    {
        var text = new StringBuilder();
        CsvText.AppendLine(text, [.. new[] { "start_utc", "seconds", "version" }.Concat(Head(table))]);
        foreach (var version in view.Versions)
        {
            if (table == "drift")
                Drift(text, version);
            else
                foreach (var window in version.Windows)
                    Windows(text, version, window, table);
        }

        return text.ToString();
    }

    private static IEnumerable<string> Head(string table) => table switch
    {
        "traffic" => ["requests", "refused", .. Enum.GetValues<BadKind>().Select(kind => kind.Word().Replace('-', '_')), "error_rate", "error_rate_low", "error_rate_high"],
        "latency" => ["quantile", "value_seconds", "low_seconds", "high_seconds", "n", "remark"],
        "drift" => ["feature", "output", "psi", "low", "high", "n", "limit", "verdict", "remark"],
        _ => ["metric", "value", "low", "high", "n", "basis", "labelled", "unlabelled", "remark"],
    };

    private static void Windows(StringBuilder text, VersionMonitoring version, WindowFigures window, string table)
    {
        string[] begin = [Time(window.Start), Number(window.Length / 1000.0), Number(version.Version)];
        if (table == "traffic")
            CsvText.AppendLine(text, [.. begin, Number(window.Requests), Number(window.Refused), .. window.Bad.Select(bad => Number(bad)), Number(window.ErrorRate?.Value), Number(window.ErrorRate?.Low), Number(window.ErrorRate?.High)]);
        else if (table == "latency")
            foreach (var (quantile, figure) in window.Latency)
                CsvText.AppendLine(text, [.. begin, CsvText.Cell(quantile), .. Cells(figure), CsvText.Cell(figure.Lacks ?? "")]);
        else
            foreach (var (metric, figure) in window.Quality)
                CsvText.AppendLine(text, [.. begin, CsvText.Cell(metric), .. Cells(figure), window.Basis.Word(), Number(window.Labelled), Number(window.Unlabelled), CsvText.Cell(figure.Lacks ?? "")]);
    }

    private static void Drift(StringBuilder text, VersionMonitoring version)
    {
        foreach (var feature in version.Drift)
        {
            foreach (var point in feature.Series)
                CsvText.AppendLine(text, [Time(point.Start), Number(point.Length / 1000.0), Number(version.Version), CsvText.Cell(feature.Feature), feature.IsOutput ? "true" : "false", .. Cells(point.Distance), Number(feature.Limit), point.Verdict.Word(), CsvText.Cell(point.Distance.Lacks ?? "")]);
        }
    }

    private static string[] Cells(Figure figure) => [Number(figure.Value), Number(figure.Low), Number(figure.High), Number(figure.N)];

    private static string Number(double? value) => value is { } known ? known.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Time(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
