using System.Globalization;
using System.Text;

namespace Slipway.Gateway.Telemetry;

/// <summary>Writes metrics in Prometheus' text format.</summary>
/// <remarks>Source: Prometheus, "Exposition formats", text format 0.0.4.</remarks>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder text = new();

    /// <summary>Begins a metric; its samples follow.</summary>
    /// <param name="type">counter, gauge or histogram.</param>
    /// <param name="help">One line.</param>
    public void Begin(string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n').Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        text.Append(name);
        var before = '{';
        foreach (var label in labels)
        {
            text.Append(before).Append(label.Name).Append("=\"").Append(label.Value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")).Append('"');
            before = ',';
        }

        text.Append(labels.IsEmpty ? " " : "} ").Append(Number(value)).Append('\n');
    }

    public static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString(CultureInfo.InvariantCulture);

    public byte[] ToUtf8() => Encoding.UTF8.GetBytes(text.ToString());
}
