using Slipway.Documents.Evaluations;

namespace Slipway.Documents.Charts;

/// <summary>How a figure is worded: never without its uncertainty, or the reason why there is none.</summary>
public static class FigureText
{
    public static string Of(Figure figure, ChartUnit unit) => $"{NumberText.Short(figure.Value, unit)} {Interval(figure, unit)}";

    /// <summary><c>[0.641, 0.663]</c>, or <c>(no interval: too few units)</c>.</summary>
    public static string Interval(Figure figure, ChartUnit unit) => figure is { Low: { } low, High: { } high }
        ? $"[{NumberText.Short(low, unit)}, {NumberText.Short(high, unit)}]"
        : $"(no interval: {figure.Lacks ?? "it was not computed"})";
}
