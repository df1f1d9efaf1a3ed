using System.Globalization;
using Slipway.Documents.Evaluations;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Amounts
{
    public static string Seconds(double seconds) => new Duration(TimeSpan.FromSeconds(seconds)).ToString();

    public static string Memory(long? bytes) => bytes is > 0 and { } known ? new ByteSize(known).ToString() + " peak" : "";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>At most seven digits, which tell more than a figure commonly means; all of them are in <c>--json</c>.</summary>
    public static string Number(double number) => number.ToString("G7", CultureInfo.InvariantCulture);

    /// <summary><c>0.6523 [0.6410, 0.6631]</c>; without an interval it says so.</summary>
    public static string Interval(Figure figure) => figure is { Low: { } low, High: { } high }
        ? string.Create(CultureInfo.InvariantCulture, $"{figure.Value:0.0000} [{low:0.0000}, {high:0.0000}]")
        : string.Create(CultureInfo.InvariantCulture, $"{figure.Value:0.0000} (no interval: {figure.Lacks})");
}
