using System.Globalization;
using System.Text;
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
        Line(text, [.. new[] { "start_utc", "seconds", "version" }.Concat(Head(table))]);
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
            Line(text, [.. begin, Number(window.Requests), Number(window.Refused), .. window.Bad.Select(bad => Number(bad)), Number(window.ErrorRate?.Value), Number(window.ErrorRate?.Low), Number(window.ErrorRate?.High)]);
        else if (table == "latency")
            foreach (var (quantile, figure) in window.Latency)
                Line(text, [.. begin, quantile, .. Cells(figure), figure.Lacks ?? ""]);
        else
            foreach (var (metric, figure) in window.Quality)
                Line(text, [.. begin, metric, .. Cells(figure), window.Basis.Word(), Number(window.Labelled), Number(window.Unlabelled), figure.Lacks ?? ""]);
    }

    private static void Drift(StringBuilder text, VersionMonitoring version)
    {
        foreach (var feature in version.Drift)
        {
            foreach (var point in feature.Series)
                Line(text, [Time(point.Start), Number(point.Length / 1000.0), Number(version.Version), Safe(feature.Feature), feature.IsOutput ? "true" : "false", .. Cells(point.Distance), Number(feature.Limit), point.Verdict.Word(), point.Distance.Lacks ?? ""]);
        }
    }

    private static string[] Cells(Figure figure) => [Number(figure.Value), Number(figure.Low), Number(figure.High), Number(figure.N)];

    /// <summary>A name that a spreadsheet would take for a formula is made text. Source: OWASP, "CSV injection".</summary>
    private static string Safe(string name) => name.Length > 0 && name[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + name : name;

    private static void Line(StringBuilder text, string[] cells) => text.AppendJoin(',', cells.Select(Quoted)).Append("\r\n");

    private static string Quoted(string cell) => cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Number(double? value) => value is { } known ? known.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Time(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
