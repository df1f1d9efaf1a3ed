using System.Globalization;

namespace Slipway.Documents.Charts;

/// <summary>How numbers are worded for people, in one way everywhere.</summary>
public static class NumberText
{
    /// <summary>Beyond these a plain number is a row of noughts.</summary>
    private const double Largest = 1e9, Smallest = 1e-4;

    /// <summary>With three significant digits or so: for axes and sentences.</summary>
    public static string Short(double value, ChartUnit unit) => Worded(value, unit, 3);

    /// <summary>With as many digits as people compare: for tables.</summary>
    public static string Exact(double value, ChartUnit unit) => Worded(value, unit, 4);

    private static string Worded(double value, ChartUnit unit, int digits) => value switch
    {
        double.NaN => "not a number",
        double.PositiveInfinity => "infinite",
        double.NegativeInfinity => "minus infinite",
        _ => unit switch
        {
            ChartUnit.Count => Count(value, digits),
            ChartUnit.Share => Significant(value * 100, digits) + " %",
            ChartUnit.Seconds => Seconds(value, digits),
            ChartUnit.PerSecond => Significant(value, digits) + "/s",
            _ => Significant(value, digits),
        },
    };

    private static string Count(double value, int digits) => Math.Abs(value) switch
    {
        >= Largest => Significant(value, digits),
        >= 1e6 when digits < 4 => Significant(value / 1e6, digits) + "M",
        >= 1e4 when digits < 4 => Significant(value / 1e3, digits) + "k",
        _ => value.ToString(value == Math.Floor(value) ? "N0" : "N1", CultureInfo.InvariantCulture),
    };

    private static string Seconds(double value, int digits) => Math.Abs(value) switch
    {
        0 => "0 s",
        < 1e-3 => Significant(value * 1e6, digits) + " µs",
        < 1 => Significant(value * 1e3, digits) + " ms",
        _ => Significant(value, digits) + " s",
    };

    private static string Significant(double value, int digits)
    {
        var size = Math.Abs(value);
        if (size == 0)
            return "0";
        if (size is >= Largest or < Smallest)
            return value.ToString(digits < 4 ? "0.##e0" : "0.###e0", CultureInfo.InvariantCulture);
        var decimals = Math.Clamp(digits - 1 - (int)Math.Floor(Math.Log10(size)), 0, 8);
        var rounded = Math.Round(value, decimals);
        return rounded.ToString(size >= 10_000 ? "N0" : "0.########", CultureInfo.InvariantCulture);
    }
}
